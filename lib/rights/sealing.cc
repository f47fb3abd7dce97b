#include "rights/sealing.h"

#include <algorithm>

#include "base/check.h"
#include "rights/decision.h"

namespace efface::rights {

using keyring::Removal;

std::optional<Removal> removal_of_sealing(const Person& person, const keyring::Keys& keys,
                                          subjects::PurposeNumber purpose) {
  const keyring::Row* row = keys.find(keyring::scope_label(purpose, keyring::sealing_key));
  if (row == nullptr) return std::nullopt;
  Removal removal = removal_of(person, Removal::What::scope);
  removal.only_if_handle = row->handle;
  return removal;
}

bool has_bytes_sealed(const keyring::Keys& keys) noexcept {
  return std::ranges::any_of(
      keys.rows(), [](const keyring::Row& row) { return keyring::is_sealing(row.label); });
}

Result<Erasure> discard_sealed(const Acting& acting, const Person& person,
                               subjects::PurposeNumber purpose, const ReceiptOptions& receipt) {
  const access::TenantRegion& home = *person.home;
  Erasure erasure;
  EFFACE_ASSIGN(auto made, made_by(*acting.tenant, receipt));
  if (made) {
    erasure.receipts.push_back(*std::move(made));
    return erasure;
  }
  std::optional<Removal> removal;
  std::optional<Result<keyring::ErasureOutcome>> outcome;
  {
    EFFACE_ASSIGN(const auto held, home.region->keyring->lock());
    EFFACE_ASSIGN(const OnFile on_file, read_file(acting, person));
    EFFACE_TRY(check_stays(on_file));
    if (on_file.has(keyring::flag_held))
      return Error(Errc::legal_hold, "a legal hold keeps what was sealed for the person");
    removal = removal_of_sealing(person, *on_file.keys, purpose);
    if (!removal) return erasure;
    EFFACE_TRY(bind({acting, ledger::Kind::rekeyed, receipt, purpose, "sealed"}, person, *removal));
    outcome = home.region->keyring->erase(held, {&*removal, 1});
  }
  EFFACE_TRY(count(home, {&*removal, 1}, *outcome, erasure));
  erasure.erased = removal->removed ? 1 : 0;
  return erasure;
}

}  // namespace efface::rights
