#include "rights/erasure.h"

#include <map>
#include <unordered_set>

#include "base/check.h"
#include "efface/limits.h"

namespace efface::rights {
namespace {

using access::TenantRegion;
using keyring::Removal;

// Erases in one region and notes it. Who was found valid for writing before is waited for: after
// this, nothing sealed for the erased is on its way to the records.
Status erase_in(const TenantRegion& home, std::span<Removal> removals, Erasure& into) {
  const auto erased = home.region->keyring->erase(removals);
  home.region->vault->barrier();  // Also when the root key store has not confirmed yet.
  EFFACE_ASSIGN(const keyring::ErasureOutcome outcome, erased);
  bool any = false;
  for (const Removal& removal : removals) {
    any = any || removal.removed;
    ++(removal.removed ? into.erased : into.unknown);
  }
  if (any)
    into.regions.push_back(
        {home.region->name, outcome.epoch_before, outcome.epoch_after, outcome.assurance});
  return {};
}

// A pending destruction has forgotten all the same, and does not keep the other regions from it.
Status put_off(const Status& erased, Status& pending) {
  if (erased || erased.error().code() != Errc::erase_pending) return erased;
  pending = erased;
  return {};
}

}  // namespace

Result<Erasure> erase(const access::Person& person) {
  EFFACE_TRY(person.tenant->check_here());
  Removal removal;
  removal.tenant = person.home->ref;
  removal.tag = person.tag;
  removal.only_if_person = person.handle;
  Erasure erasure;
  EFFACE_TRY(erase_in(*person.home, {&removal, 1}, erasure));
  if (erasure.erased == 0) return Error(Errc::subject_erased, "the person was erased before");
  return erasure;
}

Result<Erasure> erase(const std::shared_ptr<access::TenantState>& tenant,
                      std::span<const SubjectId> ids) {
  if (ids.size() > limits::subjects_per_call_max)
    return Error(Errc::too_large, "more than 100,000 people at once");
  Erasure erasure;
  std::map<const TenantRegion*, std::vector<Removal>> by_home;
  std::unordered_set<Id16, Id16Hash> asked;
  for (const SubjectId& id : ids) {
    const auto person = access::find_person(tenant, id);
    if (!person && person.error().code() == Errc::subject_unknown) {
      ++erasure.unknown;
      continue;
    }
    EFFACE_TRY(person);
    if (!asked.insert(person->handle).second) continue;
    Removal& removal = by_home[person->home].emplace_back();
    removal.tenant = person->home->ref;
    removal.tag = person->tag;
    removal.only_if_person = person->handle;
  }
  Status pending;
  for (auto& [home, removals] : by_home)
    EFFACE_TRY(put_off(erase_in(*home, removals, erasure), pending));
  EFFACE_TRY(pending);
  return erasure;
}

Result<Erasure> offboard(const std::shared_ptr<access::TenantState>& tenant) {
  EFFACE_TRY(tenant->check_here());
  if (!tenant->all_open())
    return Error(Errc::region_not_open, "off-boarding needs all of the tenant's regions open");
  Erasure erasure;
  Status pending;
  for (const TenantRegion& region : tenant->regions()) {
    Removal removal;
    removal.tenant = region.ref;
    removal.what = Removal::What::tenant;
    EFFACE_TRY(put_off(erase_in(region, {&removal, 1}, erasure), pending));
  }
  tenant->set_gone();
  EFFACE_TRY(pending);
  erasure.erased = erasure.erased == 0 ? 0 : 1;
  erasure.unknown = 0;
  return erasure;
}

}  // namespace efface::rights
