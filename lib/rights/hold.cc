#include "rights/hold.h"

#include "access/reseal.h"
#include "base/check.h"
#include "base/utf8.h"
#include "efface/limits.h"
#include "rights/decision.h"
#include "rights/erasure.h"
#include "rights/notice.h"

namespace efface::rights {
namespace {

using keyring::Removal;

// That came with the erasure that was asked for.
Bytes token_of(std::span<const codec::AskedFields> asked_for) {
  for (const codec::AskedFields& asked : asked_for)
    if (asked.kind == static_cast<std::uint8_t>(subjects::Asked::erasure)) return asked.token;
  return {};
}

// What the last release destroys: the key of her holds, and what was asked meanwhile.
Result<std::vector<Removal>> due_removals(const Person& person, const OnFile& on_file,
                                          std::span<const codec::AskedFields> asked_for,
                                          const codec::Plaintext& file, Bytes notice) {
  std::vector<Removal> removals;
  for (const codec::AskedFields& asked : asked_for) {
    if (asked.kind == static_cast<std::uint8_t>(subjects::Asked::erasure)) {
      EFFACE_ASSIGN(removals, removals_of(person, *on_file.keys));
      for (Removal& removal : removals) removal.despite_hold = true;
      if (!notice.empty()) removals[0].notice = notice;
      return removals;
    }
    Removal& removal = removals.emplace_back(removal_of(person, Removal::What::scope));
    removal.only_if_handle = asked.handle;
    removal.despite_hold = true;
  }
  Removal& released = removals.emplace_back(removal_of(person, Removal::What::hold));
  released.changes = {
      {.label = keyring::person, .clear = keyring::flag_held | keyring::flag_leaving}};
  released.file = file.bytes();
  return removals;
}

// The release, and what it destroys.
Status add_decisions(const Acting& acting, const Person& person, std::span<Removal> removals) {
  const ReceiptOptions plain;
  for (Removal& removal : removals) {
    if (removal.what == Removal::What::subject)
      EFFACE_TRY(bind({acting, ledger::Kind::erased, plain}, person, removal));
    if (removal.what == Removal::What::scope)
      EFFACE_TRY(bind({acting, ledger::Kind::consent_withdrawn, plain}, person, removal));
  }
  Removal& last = removals.back();
  if (last.what == Removal::What::hold)
    last.decisions = {decision(acting, ledger::Kind::hold_released)};
  else
    removals.front().decisions.push_back(decision(acting, ledger::Kind::hold_released));
  return {};
}

// Ends the holds that which() takes out of the dossier.
Result<Erasure> end_holds(const Acting& acting, const Person& person,
                          FunctionRef<Result<std::size_t>(DossierFile&)> which,
                          std::size_t& ended) {
  const access::TenantRegion& home = *person.home;
  keyring::Keyring& keyring = *home.region->keyring;
  Erasure erasure;
  const records::Vault::Settled settled(*home.region->vault);
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_ASSIGN(OnFile on_file, read_file(acting, person));
  EFFACE_TRY(check_stays(on_file));
  EFFACE_ASSIGN(ended, which(on_file.dossier));
  if (ended == 0) return erasure;
  on_file.dossier.add_event(EventKind::hold_released, 0, acting.tenant->now(), acting.actor);
  if (!on_file.dossier.fields().holds.empty()) {
    const codec::Plaintext file = on_file.dossier.encode();
    keyring::Amend amend;
    amend.tag = person.tag;
    amend.only_if_person = person.handle;
    amend.file = file.bytes();
    amend.decisions = {decision(acting, ledger::Kind::hold_released, {}, "others remain")};
    EFFACE_TRY(keyring.amend(held, home.people(), {&amend, 1}));
    return erasure;
  }
  const std::vector<codec::AskedFields> asked = on_file.dossier.fields().asked;
  on_file.dossier.forget_asked();
  const codec::Plaintext file = on_file.dossier.encode();
  EFFACE_ASSIGN(const std::vector<std::byte> notice, seal_notice(home, token_of(asked)));
  EFFACE_ASSIGN(std::vector<Removal> removals, due_removals(person, on_file, asked, file, notice));
  EFFACE_TRY(add_decisions(acting, person, removals));
  const auto outcome = keyring.erase(held, removals);
  EFFACE_TRY(count(home, removals, outcome, erasure));
  for (const Removal& removal : removals)
    if (removal.what == Removal::What::subject && removal.removed) erasure.erased = 1;
  if (erasure.erased == 0) EFFACE_TRY(access::drop_kept(person, records_per_commit));
  return erasure;
}

}  // namespace

Result<HoldNumber> hold(const Acting& acting, const Person& person, const HoldTerms& terms) {
  if (!base::is_label(terms.basis))
    return Error(Errc::invalid_argument, "a hold's basis is 1 to 64 of [a-z0-9_.-]");
  EFFACE_TRY(
      subjects::check_text(terms.reason, limits::reason_bytes_max, subjects::Empty::refused));
  const TimePoint now = acting.tenant->now();
  if (terms.until && *terms.until <= now)
    return Error(Errc::invalid_argument, "a hold ends after it began");
  HoldNumber number = 0;
  EFFACE_TRY(amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    EFFACE_ASSIGN(number, on_file.dossier.add_hold(terms, now));
    on_file.dossier.add_event(EventKind::held, 0, now, acting.actor);
    amend.decisions = {decision(acting, ledger::Kind::held, {}, terms.basis)};
    amend.changes.push_back({.label = keyring::person, .set = keyring::flag_held});
    amend.changes.push_back({.label = keyring::hold_key, .make = true});
    return {};
  }));
  return number;
}

Result<Erasure> release(const Acting& acting, const Person& person, HoldNumber number) {
  std::size_t ended = 0;
  auto released = end_holds(
      acting, person,
      [&](DossierFile& dossier) -> Result<std::size_t> {
        if (dossier.remove_hold(number)) return std::size_t{1};
        return Error(Errc::hold_unknown, "the person has no hold of that number");
      },
      ended);
  if (released && released->erased != 0) EFFACE_TRY(tell(*acting.tenant));
  return released;
}

Result<std::size_t> release_ended(const Acting& acting, const Person& person, Erasure& erasure) {
  std::size_t ended = 0;
  EFFACE_ASSIGN(const Erasure done, end_holds(
                                        acting, person,
                                        [&](DossierFile& dossier) -> Result<std::size_t> {
                                          return dossier.remove_ended(acting.tenant->now());
                                        },
                                        ended));
  if (done.erased != 0) EFFACE_TRY(tell(*acting.tenant));
  erasure.erased += done.erased;
  erasure.shared += done.shared;
  return ended;
}

}  // namespace efface::rights
