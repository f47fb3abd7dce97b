#include "support/people.h"

#include <algorithm>
#include <string>

#include "support/data.h"
#include "support/must.h"

namespace efface::bench {
namespace {

constexpr std::size_t records_per_commit = 50'000;

FileRootKeyStoreOptions root_key_options(std::string_view label) {
  FileRootKeyStoreOptions options;
  options.path = scratch() / (std::string(label) + ".key");
  options.accept_l0 = true;
  return options;
}

OpenOptions store_options(std::string_view label, RootKeyStore& root_keys) {
  OpenOptions options;
  options.directory = scratch() / label;
  options.regions = {{"here", &root_keys, {}}};
  options.require_locked_memory = false;
  options.accept_l0 = true;
  return options;
}

Tenant tenant_of(const Store& store, const Region& region, bool is_new) {
  const Actor actor("bench");
  return must(is_new ? store.declare_tenant("tenant", {&region, 1}, actor)
                     : store.tenant("tenant", actor));
}

}  // namespace

People::People(std::string_view label)
    : root_keys_(must(FileRootKeyStore::create(root_key_options(label)))),
      store_(must(Store::create(store_options(label, *root_keys_)))),
      region_(must(store_.region("here"))),
      tenant_(tenant_of(store_, region_, true)),
      purpose_(must(tenant_.declare_purpose({"purpose", LegalBasis::contract, {}, true}))),
      activity_(must(tenant_.activity(purpose_))) {}

People::People(std::string_view label, Existing)
    : root_keys_(must(FileRootKeyStore::open(root_key_options(label)))),
      store_(must(Store::open(store_options(label, *root_keys_)))),
      region_(must(store_.region("here"))),
      tenant_(tenant_of(store_, region_, false)),
      purpose_(must(tenant_.purpose("purpose"))),
      activity_(must(tenant_.activity(purpose_))) {}

std::vector<Subject> People::enrol(std::uint64_t first, std::size_t n) const {
  std::vector<Subject> people;
  while (people.size() < n) {
    const std::size_t some = std::min(n - people.size(), limits::subjects_per_call_max);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < some; ++i) names.push_back(person_id(first + people.size() + i));
    std::vector<SubjectId> ids;
    for (const std::string& text : names) ids.emplace_back(text);
    for (Subject& subject : must(tenant_.find_or_enrol(ids, region_, {&purpose_, 1})))
      people.push_back(std::move(subject));
  }
  return people;
}

void People::load(const Subject& subject, std::uint64_t first, std::size_t n,
                  std::size_t value_bytes) const {
  for (const std::uint64_t end = first + n; first < end;) {
    Batch batch = activity_.batch(region_);
    for (; first < end && batch.records() < records_per_commit; ++first)
      must(batch.put(subject, RecordName(record_name(first)), value_of(first, value_bytes)));
    must(activity_.commit(std::move(batch)));
  }
}

RegionStats People::stats() const { return must(store_.stats()).regions.front(); }

std::uint64_t People::locked_bytes() const {
  const Stats stats = must(store_.stats());
  return stats.locked_bytes + stats.unlocked_bytes;
}

}  // namespace efface::bench
