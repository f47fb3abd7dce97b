#include "efface/store.h"

#include "access/processes.h"
#include "api/handles.h"
#include "base/check.h"
#include "rights/erasure.h"
#include "rights/incident.h"
#include "rights/notice.h"
#include "rights/reclaim.h"
#include "rights/retention.h"

namespace efface {

using internal::Access;

namespace {

// What a crash kept from being told.
Status tell_unless_gone(const access::TenantState& tenant) {
  const auto told = rights::tell(tenant);
  if (!told && told.error().code() == Errc::tenant_unknown) return {};
  EFFACE_TRY(told);
  return {};
}

Status expect_queues(const access::Site& site, base::Reached& reached) {
  for (const auto& region : site.regions()) {
    if (!region->open || !reached.is_told()) continue;
    EFFACE_ASSIGN(const keyring::KeyringStats stats, region->keyring->stats());
    reached.expect(stats.reclaim_entries);
  }
  return {};
}

Status reclaim_all(const access::Site& site, const MaintainOptions& options, Maintained& into,
                   base::Reached& reached) {
  for (const auto& region : site.regions())
    if (region->open) EFFACE_TRY(rights::reclaim(*region, options, into, reached));
  return {};
}

// How much was overwritten or removed, and how many people are held.
Status add_rights(const access::Site& site, const internal::RegionState& region,
                  RegionStats& into) {
  std::int64_t oldest_ms = INT64_MAX;
  std::uint64_t scopes = 0;
  EFFACE_TRY(region.vault->each_residue(
      [&](const keyring::Handle&, const records::Residue& residue) -> Status {
        ++scopes;
        into.residue_records += residue.records;
        into.residue_bytes += residue.bytes;
        oldest_ms = std::min(oldest_ms, residue.oldest_ms);
        return {};
      }));
  into.records -= scopes;  // Which are counted beside the records.
  if (scopes != 0) into.residue_oldest = TimePoint(std::chrono::milliseconds(oldest_ms));
  for (const auto& tenant : site.tenants())
    for (const access::TenantRegion& home : tenant->regions()) {
      if (home.region.get() != &region || home.ref.number == 0) continue;
      EFFACE_ASSIGN(const auto keys, region.keyring->tenant_keys(home.ref));
      const keyring::Row* row = keys->find(keyring::pseudonym_key);
      if (row != nullptr) into.people_held += row->aux;
    }
  return {};
}

void tell(const base::Watch& watch, const Maintained& done) {
  watch.note(LogEvent::maintained, {{"records_removed", done.records_removed},
                                    {"queue_entries", done.queue_entries},
                                    {"buckets_expired", done.buckets_expired},
                                    {"records_kept", done.records_kept},
                                    {"scopes_rekeyed", done.scopes_rekeyed},
                                    {"holds_ended", done.holds_ended}});
}

// Also while its erasure is pending, and when there was no memory for the answer.
struct ForgetsIfGone {
  access::Site& site;
  const access::TenantState& tenant;
  ~ForgetsIfGone() {
    if (tenant.gone()) site.forget_tenant(tenant);
  }
};

}  // namespace

Store::Store(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

Result<Store> Store::create(const OpenOptions& options) {
  return api::call_with(options, "Store::create", [&](const auto&) -> Result<Store> {
    EFFACE_TRY(access::Site::create(options));
    return open(options);
  });
}

Result<Store> Store::open(const OpenOptions& options) {
  return api::call_with(options, "Store::open", [&](const auto& observer) -> Result<Store> {
    EFFACE_ASSIGN(auto site, access::Site::open(options, access::Opening::to_use, observer));
    for (const auto& tenant : site->tenants()) EFFACE_TRY(tell_unless_gone(*tenant));
    // A register that does not verify says so where it is asked for; the store opens.
    static_cast<void>(rights::tell_incidents(*site));
    return Store(std::make_shared<State>(State{std::move(site)}));
  });
}

Result<std::vector<std::string>> Store::region_names(const std::filesystem::path& directory) {
  return api::guarded([&] { return access::Site::region_names(directory); });
}

Result<Region> Store::region(std::string_view name) const {
  for (const auto& region : state_->site->regions())
    if (region->name == name) return Access::region(region);
  return Error(Errc::region_unknown, "the store has no region of that name");
}

std::vector<Region> Store::regions() const {
  std::vector<Region> all;
  for (const auto& region : state_->site->regions()) all.push_back(Access::region(region));
  return all;
}

Result<Tenant> Store::declare_tenant(std::string_view name, std::span<const Region> regions,
                                     Actor actor) const {
  return api::call(*state_, "Store::declare_tenant", [&]() -> Result<Tenant> {
    EFFACE_TRY(internal::check_actor(actor));
    std::vector<std::shared_ptr<internal::RegionState>> states;
    for (const Region& region : regions) states.push_back(Access::region(region));
    EFFACE_ASSIGN(auto tenant, state_->site->declare_tenant(name, std::move(states), actor.text));
    return Access::tenant(std::move(tenant), actor.text);
  });
}

Result<Tenant> Store::tenant(std::string_view name, Actor actor) const {
  return api::call(*state_, "Store::tenant", [&]() -> Result<Tenant> {
    EFFACE_TRY(internal::check_actor(actor));
    EFFACE_ASSIGN(auto tenant, state_->site->tenant(name));
    return Access::tenant(std::move(tenant), actor.text);
  });
}

std::vector<TenantInfo> Store::tenants() const {
  std::vector<TenantInfo> all;
  for (const auto& tenant : state_->site->tenants())
    all.push_back({tenant->name(), tenant->terms().regions});
  return all;
}

Result<OffboardPlan> Store::prepare_offboard(const Tenant& tenant) const {
  return api::call(*state_, "Store::prepare_offboard",
                   [&] { return rights::plan_offboarding(*Access::state(tenant)->tenant); });
}

Result<Erasure> Store::offboard(Tenant&& tenant, std::string_view token) const {
  return api::call(*state_, "Store::offboard", [&]() -> Result<Erasure> {
    const auto state = Access::state(tenant)->tenant;
    EFFACE_ASSIGN(const auto known, state_->site->tenant(state->name()));
    if (known != state) return Error(Errc::tenant_unknown, "the tenant belongs to another store");
    const ForgetsIfGone at_the_end{*state_->site, *state};
    return rights::offboard({state, Access::state(tenant)->actor}, token);
  });
}

Result<Maintained> Store::maintain(const MaintainOptions& options) const {
  return api::call(*state_, "Store::maintain", [&]() -> Result<Maintained> {
    Maintained done;
    std::vector<os::ByteLocks::Held> alone;  // Of all processes.
    for (const auto& region : state_->site->regions()) {
      if (!region->open) continue;
      EFFACE_ASSIGN(auto held, access::keep_up(*region));
      alone.push_back(std::move(held));
    }
    const auto tenants = state_->site->tenants();
    EFFACE_TRY(rights::end_holds(tenants, done));
    EFFACE_TRY(rights::expire(tenants, options, done));
    EFFACE_TRY(rights::sweep_shared(tenants, options, done));
    base::Reached reached(options.on_progress);
    EFFACE_TRY(expect_queues(*state_->site, reached));
    EFFACE_TRY(rights::shred_residue(tenants, options, done, reached));
    EFFACE_TRY(reclaim_all(*state_->site, options, done, reached));
    for (const auto& region : state_->site->regions())
      if (region->open) EFFACE_TRY(region->keyring->catch_up_mirrors());
    for (const auto& tenant : tenants) EFFACE_TRY(tell_unless_gone(*tenant));
    EFFACE_TRY(rights::tell_incidents(*state_->site));
    tell(state_->site->watch(), done);
    reached.end();
    return done;
  });
}

Result<ExpiryPlan> Store::prepare_expiry() const {
  return api::call(*state_, "Store::prepare_expiry",
                   [&] { return rights::plan_expiry(state_->site->tenants()); });
}

Result<Maintained> Store::commit_expiry(std::string_view token) const {
  return api::call(*state_, "Store::commit_expiry", [&]() -> Result<Maintained> {
    Maintained done;
    EFFACE_TRY(rights::expire_planned(state_->site->tenants(), token, {}, done));
    base::Reached nobody;
    EFFACE_TRY(reclaim_all(*state_->site, {}, done, nobody));
    return done;
  });
}

Status Store::sync() const {
  return api::call(*state_, "Store::sync", [&]() -> Status {
    Status first;
    for (const auto& region : state_->site->regions()) {
      if (!region->open) continue;
      const Status synced = region->vault->sync();
      if (first) first = synced;
    }
    return first;
  });
}

Result<Stats> Store::stats() const {
  return api::call(*state_, "Store::stats", [&]() -> Result<Stats> {
    Stats stats;
    for (const auto& region : state_->site->regions()) {
      RegionStats& into = stats.regions.emplace_back();
      into.name = region->name;
      into.open = region->open;
      if (!region->open) continue;
      EFFACE_ASSIGN(const keyring::KeyringStats keys, region->keyring->stats());
      EFFACE_ASSIGN(const storage::Environment::Stats records, region->vault->stats());
      into.epoch = keys.epoch;
      into.assurance = region->keyring->assurance();
      into.erase_pending = keys.erase_pending;
      into.reclaim_entries = keys.reclaim_entries;
      EFFACE_ASSIGN(const records::Vault::Seen seen, region->vault->seen());
      into.records = records.entries - (seen == records::Vault::Seen{} ? 1 : 2);  // Their headers.
      into.keyring_file_bytes = keys.environment.file_bytes;
      into.keyring_used_bytes = keys.environment.used_bytes;
      into.records_file_bytes = records.file_bytes;
      into.records_used_bytes = records.used_bytes;
      into.cached_people = keys.cached_tags;
      into.keyring_sequence = keys.sequence;
      into.mirrors = region->keyring->mirrors();
      EFFACE_TRY(add_rights(*state_->site, *region, into));
    }
    stats.tenants = state_->site->tenants().size();
    const crypto::ArenaStats arena = crypto::arena_stats();
    stats.unlocked_bytes = arena.unlocked_bytes;
    stats.locked_bytes = arena.chunk_bytes - arena.unlocked_bytes;
    return stats;
  });
}

}  // namespace efface
