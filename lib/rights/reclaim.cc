#include "rights/reclaim.h"

#include <unordered_set>

#include "base/check.h"

namespace efface::rights {
namespace {

Status remove_records(access::RegionState& region, const keyring::Handle& handle,
                      const MaintainOptions& options, Maintained& into, base::Reached& reached) {
  for (;;) {
    EFFACE_ASSIGN(const std::size_t removed,
                  region.vault->remove_some(handle, options.records_per_commit_max));
    into.records_removed += removed;
    if (removed < options.records_per_commit_max) return {};
    reached.add_extra(1);
  }
}

// The handles of a tenant that is gone stood in leaves that nobody can open. So: whatever has
// records and no key. The records are looked at first: a key is always older than its first record,
// so what was there then and has no key now has lost it.
Status remove_orphans(access::RegionState& region, const MaintainOptions& options, Maintained& into,
                      base::Reached& reached) {
  EFFACE_ASSIGN(std::vector<keyring::Handle> present, region.vault->handles());
  EFFACE_TRY(region.vault->each_residue(
      [&](const keyring::Handle& handle, const records::Residue&) -> Status {
        present.push_back(handle);
        return {};
      }));
  std::unordered_set<Id16, Id16Hash> alive;
  EFFACE_ASSIGN(const auto tenants, region.keyring->tenants());
  for (const keyring::TenantEntry& entry : tenants) {
    const keyring::TreeRef people{entry.tenant, keyring::TreeKind::subjects};
    const Status walked = region.keyring->walk(people, [&](keyring::RowView row) -> Result<Flow> {
      alive.insert(row.handle());
      return Flow::more;
    });
    if (!walked && walked.error().code() == Errc::tenant_unknown) continue;  // Gone meanwhile.
    EFFACE_TRY(walked);
  }
  for (const keyring::Handle& handle : present)
    if (!alive.contains(handle)) EFFACE_TRY(remove_records(region, handle, options, into, reached));
  return {};
}

// Of a day whose buckets are destroyed in all tenants.
Status remove_days(access::RegionState& region, std::uint32_t day, const MaintainOptions& options,
                   Maintained& into, base::Reached& reached) {
  std::optional<records::RecordKey> from;
  do {
    EFFACE_ASSIGN(const std::size_t removed,
                  region.vault->remove_expired(day, options.records_per_commit_max, from));
    into.records_removed += removed;
    if (from) reached.add_extra(1);
  } while (from);
  return {};
}

}  // namespace

Status reclaim(access::RegionState& region, const MaintainOptions& options, Maintained& into,
               base::Reached& reached) {
  if (options.records_per_commit_max == 0)
    return Error(Errc::invalid_argument, "a commit removes at least one record");
  EFFACE_TRY(region.keyring->settle());
  for (;;) {
    EFFACE_ASSIGN(const std::optional<keyring::Reclaim> next, region.keyring->next_reclaim());
    if (!next) return {};
    if (next->what == keyring::Reclaim::What::days) {
      EFFACE_TRY(remove_days(region, next->tenant_number, options, into, reached));
    } else if (next->what == keyring::Reclaim::What::tenant) {
      EFFACE_TRY(region.keyring->drop_nodes(next->tenant_number));
      EFFACE_TRY(remove_orphans(region, options, into, reached));
    } else {
      for (const keyring::Handle& handle : next->handles)
        EFFACE_TRY(remove_records(region, handle, options, into, reached));
    }
    EFFACE_TRY(region.keyring->finish_reclaim(next->sequence));
    ++into.queue_entries;
    reached.add(1);
  }
}

}  // namespace efface::rights
