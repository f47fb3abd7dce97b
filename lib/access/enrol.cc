// Enrolling people. Those who enrol at the same time in one tenant are one commit of its keyring:
// one of them locks, looks and adds for all (base/combiner.h).
#include <algorithm>
#include <map>
#include <new>
#include <unordered_set>

#include "access/people.h"
#include "access/sighting.h"
#include "base/check.h"
#include "crypto/secret.h"
#include "efface/limits.h"

namespace efface::access {

struct EnrolJob {
  std::span<const SubjectId> ids;
  const TenantRegion* home;
  IfThere if_there;
  std::span<const subjects::PurposeNumber> purposes;
  ledger::Entry decision{};
  std::vector<keyring::Ensure> rows{};  // Of each id its own, then its scopes'.
  Status answer{};

  std::size_t rows_each() const noexcept { return 1 + purposes.size(); }
};

namespace {

// Of the ids their tags in a region, and whether it has any row of them: asked for all together.
struct Known {
  std::vector<keyring::Tag> tags;
  std::vector<bool> there;
};

Result<Known> known_in(const TenantRegion& region, std::span<const SubjectId> ids) {
  Known known;
  known.tags.reserve(ids.size());
  for (const SubjectId& id : ids) {
    EFFACE_ASSIGN(known.tags.emplace_back(), tag_of(region, id));
  }
  EFFACE_ASSIGN(known.there, region.region->keyring->have_rows(region.people(), known.tags));
  return known;
}

// Decides under the locks of all regions, from what stands there.
Status look_for_all(const std::shared_ptr<TenantState>& tenant, EnrolJob& job) {
  job.rows.assign(job.ids.size() * job.rows_each(), {});
  std::vector<Known> known;  // By region.
  for (const TenantRegion& region : tenant->regions()) {
    EFFACE_ASSIGN(known.emplace_back(), known_in(region, job.ids));
  }
  const auto home = static_cast<std::size_t>(job.home - tenant->regions().data());
  for (std::size_t i = 0; i < job.ids.size(); ++i) {
    std::optional<Person> here;
    for (const TenantRegion& region : tenant->regions()) {
      if (!known[static_cast<std::size_t>(&region - tenant->regions().data())].there[i]) continue;
      EFFACE_ASSIGN(Sighting seen, look_in(tenant, region, job.ids[i]));
      if (seen.suppressed)
        return Error(Errc::suppressed, "the person is suppressed until she is reinstated");
      if (seen.incoming) return Error(Errc::transfer_pending, "the person is being transferred");
      if (&region == job.home)
        here = std::move(seen.person);
      else if (seen.person)
        return Error(Errc::region_mismatch, "the person's home is another region");
    }
    keyring::Tag tag = known[home].tags[i];
    if (here) tag = here->tag;  // Of the identifier that she was enrolled under.
    for (std::size_t k = 0; k < job.rows_each(); ++k) {
      keyring::Ensure& row = job.rows[i * job.rows_each() + k];
      row.tag = tag;
      if (k == 0) continue;
      row.label = job.purposes[k - 1];
      row.aux = first_generation;
      row.needs_person = true;
    }
    if (here && job.if_there == IfThere::refuse)
      return Error(Errc::exists, "the tenant knows somebody of that id");
  }
  return {};
}

Status add_all(const keyring::Keyring::Lock& held, const TenantRegion& home,
               std::span<EnrolJob* const> jobs) {
  std::vector<keyring::Ensure> rows;
  std::vector<ledger::Entry> decisions;
  for (EnrolJob* job : jobs) {
    for (keyring::Ensure& row : job->rows) {
      row.decision = decisions.size();
      rows.push_back(std::move(row));
    }
    decisions.push_back(job->decision);
  }
  const Status added = home.region->keyring->ensure(held, home.people(), rows, decisions);
  auto next = rows.begin();
  for (EnrolJob* job : jobs)
    for (keyring::Ensure& row : job->rows) row = std::move(*next++);
  return added;
}

// In one commit; where that does not fit, in one each.
void add(const keyring::Keyring::Lock& held, const TenantRegion& home,
         std::span<EnrolJob* const> jobs) {
  const Status together = add_all(held, home, jobs);
  const bool each = !together && together.error().code() == Errc::full && jobs.size() > 1;
  for (EnrolJob* job : jobs) job->answer = each ? add_all(held, home, {&job, 1}) : together;
}

// Answers those who ask for somebody whom another of them brings: they look again afterwards.
std::vector<EnrolJob*> enrol_some(const std::shared_ptr<TenantState>& tenant, const AllLocks& held,
                                  std::span<EnrolJob* const> jobs) {
  std::vector<EnrolJob*> later;
  std::map<const TenantRegion*, std::vector<EnrolJob*>> by_home;
  std::unordered_set<std::string_view> coming;
  for (EnrolJob* job : jobs) {
    const auto comes = [&](const SubjectId& id) { return coming.contains(id.text); };
    if (std::any_of(job->ids.begin(), job->ids.end(), comes)) {
      later.push_back(job);
      continue;
    }
    job->answer = look_for_all(tenant, *job);
    if (!job->answer) continue;
    by_home[job->home].push_back(job);
    if (jobs.size() > 1)
      for (const SubjectId& id : job->ids) coming.insert(id.text);
  }
  for (const auto& [home, those] : by_home) {
    const auto at = static_cast<std::size_t>(home - tenant->regions().data());
    add(held[at], *home, those);
  }
  return later;
}

void enrol_together(const std::shared_ptr<TenantState>& tenant, std::span<EnrolJob* const> jobs) {
  const auto answer_all = [&](const Error& error) {
    for (EnrolJob* job : jobs) job->answer = Status(error);
  };
  try {
    const auto held = lock_all(*tenant);
    if (!held) return answer_all(held.error());
    std::vector<EnrolJob*> left(jobs.begin(), jobs.end());
    while (!left.empty()) left = enrol_some(tenant, *held, left);
  } catch (const crypto::memory_lock_refused&) {
    answer_all(Error(Errc::memory_not_locked, "the system refused to lock memory for keys"));
  } catch (const std::bad_alloc&) {
    answer_all(Error(Errc::out_of_memory, "no memory to enrol people"));
  }
}

struct NewPerson {
  SubjectId id;
  keyring::SharedKeys keys;
  bool created;
};

// A crash after the keys and before this leaves keys without an id: the next enrolment mends it.
Status store_ids(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                 std::span<const NewPerson> people) {
  EFFACE_ASSIGN(const auto bucket, bucket_for_writing(*tenant, home, records::never));
  std::vector<records::Change> changes;
  std::unordered_set<Id16, Id16Hash> seen;
  std::size_t bytes = 0;
  const auto store = [&]() -> Status {
    if (changes.empty()) return {};
    EFFACE_TRY(home.region->vault->commit(changes, records::to_ms(tenant->now()),
                                          []() -> Status { return {}; }));
    changes.clear();
    bytes = 0;
    return {};
  };
  for (const NewPerson& person : people) {
    const keyring::Row& row = *person.keys->find(keyring::person);
    if (!seen.insert(row.handle).second) continue;
    const auto key = records::record_key(row.handle, records::name_tag(row, ""));
    if (!person.created) {
      EFFACE_ASSIGN(const bool there,
                    home.region->vault->get(key, [](Bytes) -> Status { return {}; }));
      if (there) continue;
    }
    records::Change change = seal_id(home, *person.keys, *bucket, person.id, tenant->now());
    bytes += change.value.size();
    changes.push_back(std::move(change));
    if (changes.size() == limits::batch_records_max || bytes > limits::batch_bytes_max / 2)
      EFFACE_TRY(store());
  }
  return store();
}

}  // namespace

Result<std::vector<Person>> enrol(const std::shared_ptr<TenantState>& tenant,
                                  std::span<const SubjectId> ids, const TenantRegion& home,
                                  IfThere if_there, std::string_view actor,
                                  std::span<const subjects::PurposeNumber> purposes) {
  EFFACE_TRY(tenant->check_here());
  EFFACE_TRY(tenant->check_agreement());
  if (ids.size() > limits::subjects_per_call_max)
    return Error(Errc::too_large, "more than 100,000 people at once");
  for (const SubjectId& id : ids) EFFACE_TRY(subjects::check_id(id));
  // A child of fork() is told so here: it has not the threads that it would wait for.
  EFFACE_TRY(tag_of(home, SubjectId("")));
  EnrolJob job{ids, &home, if_there, purposes};
  job.decision.kind = ledger::Kind::enrolled;
  job.decision.actor = actor;
  tenant->enrolments().run(job, ids.size(),
                           [&](std::span<EnrolJob* const> jobs) { enrol_together(tenant, jobs); });
  EFFACE_TRY(job.answer);
  std::vector<Person> people;
  std::vector<NewPerson> stored;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const keyring::Ensure& row = job.rows[i * job.rows_each()];
    people.push_back({tenant, &home, row.tag, row.keys->find(keyring::person)->handle});
    stored.push_back({ids[i], row.keys, row.created});
  }
  EFFACE_TRY(store_ids(tenant, home, stored));
  return people;
}

}  // namespace efface::access
