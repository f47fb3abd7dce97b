#include "rights/receipt.h"

#include "base/check.h"
#include "ledger/note.h"
#include "ledger/receipt.h"

namespace efface::rights {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

ledger::Checkpoint checkpoint_of(const RegionState& region, std::uint64_t size,
                                 const ledger::Hash& root) {
  return {ledger::origin_of(region.id), size, root};
}

// What nobody can sign for.
std::vector<std::string> not_covered(const ledger::Entry& entry) {
  std::vector<std::string> lines = {
      "copies that callers made of what they read",
      "a process that was reading when it was done",
      "memory images, swap and hibernation files from before it",
  };
  if (entry.kind == ledger::Kind::erased)
    lines.emplace_back("records shared with others on terms that leave them readable to those");
  if (entry.kind == ledger::Kind::suppressed)
    lines.emplace_back("the tombstone, which is kept: whether she is suppressed can be asked");
  return lines;
}

// The names of what the entry has by number.
void name_tenant(const access::TenantState& tenant, const ledger::Entry& entry, Receipt& into) {
  into.tenant = tenant.name();
  if (!entry.purpose) return;
  if (const auto purpose = tenant.purpose(*entry.purpose)) into.purpose = purpose->terms.name;
}

const access::TenantState* whose(const ledger::Entry& entry, const RegionState& region,
                                 std::span<const std::shared_ptr<access::TenantState>> tenants) {
  for (const auto& tenant : tenants)
    for (const access::TenantRegion& home : tenant->regions())
      if (home.region.get() == &region && entry.tenant == home.ref.number) return tenant.get();
  return nullptr;
}

}  // namespace

Result<std::string> verifier_key(RegionState& region) {
  EFFACE_ASSIGN(const crypto::SigningKey key, region.keyring->signing_key());
  return ledger::verifier_key(ledger::origin_of(region.id), key.verifying_key());
}

Result<std::string> checkpoint(RegionState& region) {
  EFFACE_ASSIGN(const crypto::SigningKey key, region.keyring->signing_key());
  EFFACE_ASSIGN(const keyring::BookHead head, region.keyring->ledger_head());
  return ledger::sign_checkpoint(checkpoint_of(region, head.tree.size, head.tree.root()), key);
}

Result<std::string> consistency_proof(RegionState& region, std::string_view checkpoint_before) {
  EFFACE_ASSIGN(const std::string key, verifier_key(region));
  EFFACE_ASSIGN(const ledger::Checkpoint before, ledger::open_checkpoint(checkpoint_before, key));
  EFFACE_ASSIGN(const auto proof, region.keyring->prove_since(before.size));
  EFFACE_TRY(
      ledger::verify_consistency(before.size, proof.size, proof.path, before.root, proof.root));
  return ledger::write_proof({before.size, proof.size, proof.path});
}

Result<std::string> receipt(RegionState& region, std::uint64_t entry,
                            std::span<const std::shared_ptr<access::TenantState>> tenants,
                            Silo silo, TimePoint now) {
  keyring::Keyring& keyring = *region.keyring;
  EFFACE_ASSIGN(const crypto::SigningKey key, keyring.signing_key());
  EFFACE_TRY(keyring.settle());
  EFFACE_ASSIGN(const auto proof, keyring.prove(entry));
  EFFACE_ASSIGN(const ledger::Entry decided, ledger::decode(proof.item.bytes));
  const access::TenantState* tenant = whose(decided, region, tenants);
  if (!ledger::receipt_kind(decided.kind) || (silo == Silo::closed && tenant == nullptr))
    return Error(Errc::receipt_unknown, "no receipt is made of that entry");
  if (keyring.pending())
    return Error(Errc::erase_pending, "a root key store did not confirm the destruction");

  Receipt statement;
  statement.entry = entry;
  statement.region = region.name;
  if (tenant != nullptr) name_tenant(*tenant, decided, statement);
  statement.issued = std::chrono::floor<std::chrono::milliseconds>(now);
  const Assurance assurance = keyring.assurance();
  statement.assurance = assurance.level;
  statement.assurance_rests_on = assurance.rests_on;
  const Replicas replicas = keyring.replicas();
  statement.replicas_confirmed = replicas.confirmed;
  statement.replicas = replicas.of;
  // Others that share the region forget when they next look; nothing tells here whether they did.
  const bool alone = region.processes == nullptr || region.lock->is_only_holder();
  statement.caches_wiped = 1;
  statement.not_covered = not_covered(decided);
  if (!alone)
    statement.not_covered.emplace_back(
        "keys in the memory of other processes that share the region, until each next looks");

  // Backups of the records never held a key: only a capsule of the keyring from before does.
  const sys_days decided_on = std::chrono::floor<days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(decided.time_ms)));
  const std::uint32_t horizon = proof.item.horizon_day;
  const sys_days after_capsules = horizon == 0 ? decided_on : sys_days(days(horizon)) + days(1);
  statement.beyond_backups = std::max(decided_on, after_capsules);
  statement.state = alone ? ReceiptState::quiesced : ReceiptState::sealed;
  if (proof.item.swept && alone)
    statement.state = std::chrono::floor<days>(now) >= *statement.beyond_backups
                          ? ReceiptState::beyond_backups
                          : ReceiptState::swept;
  return ledger::write_receipt(statement, proof.item.bytes, proof.path,
                               checkpoint_of(region, proof.size, proof.root), key);
}

Status each_decision(RegionState& region, std::uint64_t first,
                     FunctionRef<Result<Flow>(const Decision&)> look) {
  return region.keyring->each_entry(first, [&](std::uint64_t index, Bytes bytes) -> Result<Flow> {
    EFFACE_ASSIGN(const ledger::Entry entry, ledger::decode(bytes));
    Decision decision;
    decision.entry = index;
    decision.what = ledger::name(entry.kind);
    decision.when = TimePoint(std::chrono::milliseconds(entry.time_ms));
    decision.tenant_number = entry.tenant;
    decision.purpose_number = entry.purpose;
    decision.count = entry.count;
    decision.epoch_before = entry.epoch_before;
    decision.epoch_after = entry.epoch_after;
    decision.actor = entry.actor;
    decision.detail = entry.detail;
    decision.commitment = entry.commitment;
    return look(decision);
  });
}

}  // namespace efface::rights
