#include "crash/session.h"

#include <algorithm>

#include "support/store_fixture.h"

namespace efface::test {
namespace {

using What = Op::What;

template <class T>
Session::Failure failure_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error();
}

}  // namespace

OpenOptions Session::options(bool creating) const {
  OpenOptions options;
  options.directory = place_.store();
  for (const std::string& region : place_.regions) {
    const auto held = root_keys_.find(region);
    const bool elsewhere = creating && std::ranges::count(place_.elsewhere, region) != 0;
    options.regions.push_back({region, held == root_keys_.end() ? nullptr : held->second.get(),
                               elsewhere ? place_.volume(region) : std::filesystem::path()});
    if (place_.mirrored) options.regions.back().keyring_mirrors = {place_.mirror(region)};
  }
  options.require_locked_memory = false;
  options.verify_structure = walks_pages;
  options.accept_l0 = true;
  return options;
}

RootKeyStore* Session::hold(const std::string& region, std::unique_ptr<FileRootKeyStore> opened) {
  auto& held = root_keys_[region];
  if (wrapper_)
    held = wrapper_(std::move(opened));
  else
    held = std::move(opened);
  return held.get();
}

Session::Failure Session::open_root_keys() {
  for (const std::string& region : place_.regions) {
    if (root_keys_.contains(region)) continue;
    auto opened = FileRootKeyStore::open(root_key_options(place_.root_key(region)));
    if (!opened) return opened.error();
    hold(region, *std::move(opened));
  }
  return std::nullopt;
}

Session::Failure Session::open() {
  if (const Failure failed = open_root_keys()) return failed;
  auto opened = Store::open(options(false));
  if (!opened) return opened.error();
  store_.emplace(*std::move(opened));
  return std::nullopt;
}

void Session::close() {
  store_.reset();
  root_keys_.clear();
}

Session::Failure Session::create() {
  for (const std::string& region : place_.regions) {
    const auto path = place_.root_key(region);
    if (root_keys_.contains(region)) continue;
    auto made = std::filesystem::exists(path) ? FileRootKeyStore::open(root_key_options(path))
                                              : FileRootKeyStore::create(root_key_options(path));
    if (!made) return made.error();
    hold(region, *std::move(made));
  }
  auto created = Store::create(options(true));
  if (!created) return created.error();
  store_.emplace(*std::move(created));
  return std::nullopt;
}

Session::Failure Session::perform(const Op& op) {
  ended_.clear();
  switch (op.what) {
    case What::create:
      return create();
    case What::reopen:
      close();
      return open();
    case What::sync:
      return failure_of(store_->sync());
    case What::maintain: {
      MaintainOptions few;
      few.records_per_commit_max = 10;
      return failure_of(store_->maintain(few));
    }
    case What::rotate: {
      auto rotated = store_->rotate_root(store_->region(op.regions.front()).value(), Actor("test"));
      if (rotated) ended_ = {*rotated};
      return failure_of(rotated);
    }
    case What::declare: {
      std::vector<Region> regions;
      for (const std::string& region : op.regions)
        regions.push_back(store_->region(region).value());
      return failure_of(store_->declare_tenant(op.tenant, regions, Actor("test")));
    }
    default:
      break;
  }
  auto tenant = store_->tenant(op.tenant, Actor("test"));
  if (!tenant) return tenant.error();
  if (op.what != What::offboard) return perform_on(*tenant, op);
  const auto plan = store_->prepare_offboard(*tenant);
  if (!plan) return plan.error();
  auto gone = store_->offboard(*std::move(tenant), plan->token);
  if (gone) ended_ = gone->regions;
  return failure_of(gone);
}

Session::Failure Session::perform_on(const Tenant& tenant, const Op& op) {
  const std::vector<SubjectId> ids(op.ids.begin(), op.ids.end());
  switch (op.what) {
    case What::purpose:
      return failure_of(
          tenant.declare_purpose({op.purpose, LegalBasis::contract, std::nullopt, true}));
    case What::enrol:
      return failure_of(tenant.enrol(ids.front(), store_->region(op.regions.front()).value()));
    case What::enrol_many:
      return failure_of(tenant.find_or_enrol(ids, store_->region(op.regions.front()).value()));
    case What::erase: {
      auto subject = tenant.subject(ids.front());
      if (!subject) return subject.error();
      const auto erased = tenant.erase(*std::move(subject));
      if (erased) ended_ = erased->regions;
      return failure_of(erased);
    }
    case What::merge: {
      const auto into = tenant.subject(ids.at(0));
      auto from = tenant.subject(ids.at(1));
      if (!into || !from) return (into ? from : into).error();
      const auto merged = tenant.merge(*into, *std::move(from));
      if (merged) ended_ = merged->regions;
      return failure_of(merged);
    }
    case What::transfer: {
      const auto subject = tenant.subject(ids.front());
      if (!subject) return subject.error();
      const auto moved = tenant.transfer(*subject, store_->region(op.regions.front()).value(),
                                         TransferBasis::adequacy);
      if (moved) ended_ = moved->regions;
      return failure_of(moved);
    }
    case What::suppress: {
      const auto erased = tenant.suppress(SubjectId(op.ids.front()));
      if (erased) ended_ = erased->regions;
      return failure_of(erased);
    }
    case What::erase_many: {
      const auto erased = tenant.erase(ids);
      if (erased) ended_ = erased->regions;
      return failure_of(erased);
    }
    default:
      return write(tenant, op);
  }
}

Session::Failure Session::write(const Tenant& tenant, const Op& op) {
  const auto purpose = tenant.purpose(op.purpose);
  if (!purpose) return purpose.error();
  const auto activity = tenant.activity(*purpose);
  if (!activity) return activity.error();
  const RecordName name(op.name);
  const std::string value = value_of(op.value);
  if (op.what == What::put_new)
    return failure_of(activity->put(SubjectId(op.ids.front()),
                                    store_->region(op.regions.front()).value(), name,
                                    as_bytes(value)));
  std::vector<Subject> subjects;
  for (const std::string& id : op.ids) {
    auto subject = tenant.subject(SubjectId(id));
    if (!subject) return subject.error();
    subjects.push_back(*std::move(subject));
  }
  if (op.what == What::put || op.what == What::put_relaxed) {
    PutOptions options;
    if (op.what == What::put_relaxed) options.durability = Durability::relaxed;
    return failure_of(activity->put(subjects.front(), name, as_bytes(value), options));
  }
  if (op.what == What::shred) {
    const auto removed = activity->remove(subjects.front(), name, Shred::now);
    if (removed) ended_.emplace_back().region = subjects.front().home().name();
    return failure_of(removed);
  }
  if (op.what == What::remove) return failure_of(activity->remove(subjects.front(), name));
  Batch batch = activity->batch(subjects.front().home());
  for (const Subject& subject : subjects)
    if (const Status added = batch.put(subject, name, as_bytes(value)); !added)
      return added.error();
  return failure_of(activity->commit(
      std::move(batch), op.what == What::batch_relaxed ? Durability::relaxed : Durability::synced));
}

Result<TenantModel> Session::observe(const Tenant& tenant, const std::set<std::string>& ids) {
  TenantModel out;
  for (const Region& region : tenant.regions()) out.regions.emplace(region.name());
  const auto nobody = tenant.subject(SubjectId("nobody of that id"));
  if (nobody) return Error(Errc::corruption, "somebody is there who never was");
  if (nobody.error().code() == Errc::tenant_unknown) {
    out.half = true;
    return out;
  }
  if (nobody.error().code() != Errc::subject_unknown) return nobody.error();
  const auto purposes = tenant.purposes();
  if (!purposes) return purposes.error();
  for (const PurposeTerms& purpose : *purposes) out.purposes.insert(purpose.name);
  for (const std::string& id : ids) {
    const auto subject = tenant.subject(SubjectId(id));
    if (!subject && subject.error().code() == Errc::subject_unknown) continue;
    if (!subject && subject.error().code() == Errc::suppressed) {
      out.suppressed.insert(id);
      continue;
    }
    if (!subject) return subject.error();
    PersonModel& person = out.people[id];
    person.home = subject->home().name();
    for (const std::string& purpose : out.purposes) {
      const auto activity = tenant.activity(tenant.purpose(purpose).value());
      if (!activity) return activity.error();
      const auto end = activity->scan(*subject, {}, [&](std::string_view record, Bytes value) {
        person.records[{purpose, std::string(record)}] = text_of_value(as_text(value));
        return Flow::more;
      });
      if (!end && end.error().code() == Errc::suppressed) {  // Cut before she was erased.
        out.people.erase(id);
        out.suppressed.insert(id);
        break;
      }
      if (!end) return end.error();
    }
  }
  // Everybody is found under her id, which is on record.
  std::set<std::string> listed;
  const auto page =
      tenant.query({}, {}, [&](std::string_view id, const Region&) { listed.emplace(id); });
  if (!page) return page.error();
  for (const std::string& id : listed)
    if (!out.people.contains(id) && !out.suppressed.contains(id))
      return Error(Errc::corruption, "somebody is listed who is not there");
  // Two who were merged are listed once.
  for (const auto& [id, person] : out.people)
    if (!listed.contains(id) && std::ranges::none_of(listed, [&, &her = person](const auto& other) {
          return !her.records.empty() && out.people.contains(other) && out.people.at(other) == her;
        }))
      unlisted_.insert(id);
  return out;
}

Result<Model> Session::observe(const Universe& universe) {
  Model out;
  out.created = true;
  unlisted_.clear();
  for (const TenantInfo& known : store_->tenants())
    if (!universe.tenants.contains(known.name))
      return Error(Errc::corruption, "a tenant is there that never was");
  for (const std::string& name : universe.tenants) {
    const auto tenant = store_->tenant(name, Actor("test"));
    if (!tenant && tenant.error().code() == Errc::tenant_unknown) continue;
    if (!tenant) return tenant.error();
    auto observed = observe(*tenant, universe.ids);
    if (!observed) return observed.error();
    out.tenants[name] = *std::move(observed);
  }
  return out;
}

Result<std::optional<std::string>> Session::damage() const {
  const auto report = store_->check();
  if (!report) return report.error();
  if (report->clean()) return std::optional<std::string>();
  return std::optional<std::string>(report->damage.front().what);
}

std::map<std::string, LiveSlot> Session::in_force() const {
  std::map<std::string, LiveSlot> out;
  const auto stats = store_->stats();
  if (!stats) return out;
  for (const RegionStats& region : stats->regions)
    for (const LiveSlot& slot : live_slots(raw_root_key_file(place_.root_key(region.name))))
      if (slot.epoch == region.epoch) out[region.name] = slot;
  return out;
}

}  // namespace efface::test
