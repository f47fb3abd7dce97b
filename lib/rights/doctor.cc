#include "rights/doctor.h"

#include <algorithm>

#include "access/people.h"
#include "base/check.h"
#include "crypto/secret.h"
#include "ledger/entry.h"
#include "rights/retention.h"

namespace efface::rights {
namespace {

// The days of expiry of one region, and how far it has come.
Status add_expiry(const access::Site& site, const access::RegionState& region, RegionFacts& into) {
  const auto tenants = site.tenants();
  EFFACE_ASSIGN(into.expired_days, expired_days(tenants, region));
  for (const auto& tenant : tenants)
    for (const access::TenantRegion& home : tenant->regions()) {
      if (home.region.get() != &region || home.ref.number == 0) continue;
      EFFACE_ASSIGN(const records::Bucket day, access::high_water_of(home));
      into.high_water_day = std::max(into.high_water_day, day);
    }
  return {};
}

Status add_places(access::RegionState& region, RegionFacts& into) {
  EFFACE_ASSIGN(into.volume, os::volume_of(region.directory));
  EFFACE_ASSIGN(into.open_to_others, os::is_open_to_others(region.directory));
  EFFACE_ASSIGN(const auto custody, region.keyring->custody(region.directory.string()));
  into.root_keys_on_volume = custody.shares_volume;
  into.root_keys_in_clear = custody.keeps_in_clear;
  into.retiring = custody.retiring;
  if (const auto volume = os::volume_of(region.ledger_copy))
    into.ledger_copy_device = volume->device;
  for (const std::filesystem::path& mirror : region.mirrors)
    if (const auto volume = os::volume_of(mirror); volume && volume->device == into.volume.device)
      ++into.mirrors_on_volume;
  return {};
}

Status add_last_entry(access::RegionState& region, RegionFacts& into) {
  EFFACE_ASSIGN(const keyring::BookHead head, region.keyring->ledger_head());
  if (head.tree.size == 0) return {};
  EFFACE_ASSIGN(const auto item, region.keyring->ledger_item(head.tree.size - 1));
  EFFACE_ASSIGN(const ledger::Entry entry, ledger::decode(item.bytes));
  into.last_entry = TimePoint(std::chrono::milliseconds(entry.time_ms));
  return {};
}

}  // namespace

HostFacts host_facts() {
  return {crypto::arena_stats().unlocked_bytes, os::may_dump_core(), os::has_swap()};
}

Result<RegionFacts> region_facts(const access::Site& site, access::RegionState& region) {
  RegionFacts facts;
  facts.region = region.name;
  facts.now = site.now();
  facts.map_bytes_max = region.map_bytes_max;
  EFFACE_TRY(add_places(region, facts));
  EFFACE_TRY(add_expiry(site, region, facts));
  EFFACE_TRY(add_last_entry(region, facts));
  facts.assurance = region.keyring->assurance();
  facts.replicas = region.keyring->replicas();
  facts.mirrors = region.keyring->mirrors();
  facts.ledger_copy_in_step = region.keyring->copy_in_step();
  EFFACE_ASSIGN(const keyring::KeyringStats keys, region.keyring->stats());
  facts.erase_pending = keys.erase_pending;
  facts.reclaim_entries = keys.reclaim_entries;
  EFFACE_ASSIGN(const storage::Environment::Stats records, region.vault->stats());
  facts.used_bytes = std::max(keys.environment.used_bytes, records.used_bytes);
  facts.stale_readers = keys.environment.stale_readers + records.stale_readers;
  std::int64_t oldest_ms = 0;
  EFFACE_TRY(region.vault->each_residue(
      [&](const keyring::Handle&, const records::Residue& residue) -> Status {
        if (oldest_ms == 0 || residue.oldest_ms < oldest_ms) oldest_ms = residue.oldest_ms;
        facts.residue_records += residue.records;
        return {};
      }));
  if (oldest_ms != 0) facts.residue_oldest = TimePoint(std::chrono::milliseconds(oldest_ms));
  return facts;
}

Result<std::vector<Finding>> diagnose(const access::Site& site) {
  std::vector<Finding> findings;
  judge(host_facts(), findings);
  for (const auto& region : site.regions()) {
    if (!region->open) {
      findings.push_back({Severity::note,
                          "open",
                          "the region is not open here",
                          "give its root key store to look at it",
                          region->name,
                          {}});
      continue;
    }
    EFFACE_ASSIGN(const RegionFacts facts, region_facts(site, *region));
    judge(facts, findings);
  }
  return findings;
}

}  // namespace efface::rights
