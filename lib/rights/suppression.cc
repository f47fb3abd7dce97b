#include "rights/suppression.h"

#include <algorithm>
#include <deque>

#include "access/person_records.h"
#include "base/check.h"
#include "efface/limits.h"
#include "rights/decision.h"
#include "rights/erasure.h"

namespace efface::rights {
namespace {

using keyring::Removal;

// All ids of whoever has this one: what she was enrolled under, and the further ones.
struct Identifiers {
  std::optional<Person> person;
  codec::Plaintext first;
  DossierFile dossier;
  std::vector<std::string_view> all;
};

Result<Identifiers> identifiers_of(const Acting& acting, SubjectId id) {
  Identifiers found;
  found.all.push_back(id.text);
  const auto person = access::find_person(acting.tenant, id);
  if (!person) {
    const Errc code = person.error().code();
    if (code == Errc::subject_unknown || code == Errc::suppressed) return found;
    return person.error();
  }
  found.person = *person;
  EFFACE_ASSIGN(OnFile on_file, read_file(acting, *person));
  found.dossier = std::move(on_file.dossier);
  const auto add = [&](std::string_view text) {
    if (text != id.text) found.all.push_back(text);
  };
  if (!found.dossier.fields().aliases.empty()) {
    EFFACE_ASSIGN(found.first, access::id_of(*person));
    add(as_text(std::as_const(found.first).bytes()));
  }
  for (const Bytes alias : found.dossier.fields().aliases) add(as_text(alias));
  return found;
}

Status put_tombstones(const Acting& acting, const access::AllLocks& held,
                      std::span<const std::string_view> ids, const ReceiptOptions& receipt,
                      Erasure& into) {
  bool pending = false;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const access::TenantRegion& region = acting.tenant->regions()[i];
    std::vector<Removal> removals;
    for (const std::string_view id : ids) {
      Removal& removal = removals.emplace_back();
      removal.tenant = region.ref;
      removal.what = Removal::What::rows;
      EFFACE_ASSIGN(removal.tag, access::tag_of(region, SubjectId(id)));
      removal.changes = {{.label = keyring::suppression, .make = true}};
      // The request is for what was asked: one id, in the first region.
      const bool first = i == 0 && id == ids.front();
      const ReceiptOptions once{first ? receipt.request : Bytes(), receipt.salt};
      EFFACE_TRY(bind({acting, ledger::Kind::suppressed, once}, region, SubjectId(id), removal));
      EFFACE_ASSIGN(removal.decisions.back().sealed, seal_for_tenant(region, removal.tag));
    }
    // It ends an epoch: no copy of the keyring from before it opens any more.
    const auto outcome = region.region->keyring->erase(held[i], removals);
    const Status counted = count(region, removals, outcome, into);
    if (!counted && counted.error().code() != Errc::erase_pending) return counted;
    pending = pending || !counted;
  }
  if (pending) return Error(Errc::erase_pending, "a root key store did not confirm");
  return {};
}

// What two steps did in one region is said once.
std::vector<Erasure::InRegion> one_each(std::vector<Erasure::InRegion> first,
                                        const std::vector<Erasure::InRegion>& then) {
  for (const Erasure::InRegion& later : then) {
    const auto same = std::ranges::find(first, later.region, &Erasure::InRegion::region);
    if (same == first.end()) {
      first.push_back(later);
      continue;
    }
    same->epoch_after = later.epoch_after;
    same->assurance = later.assurance;
  }
  return first;
}

}  // namespace

Result<Erasure> suppress(const Acting& acting, SubjectId id, const ReceiptOptions& receipt) {
  EFFACE_TRY(subjects::check_id(id));
  Erasure erasure;
  EFFACE_ASSIGN(auto made, made_by(*acting.tenant, receipt));
  if (made) {
    erasure.receipts.push_back(*std::move(made));
    return erasure;
  }
  std::optional<Person> person;
  bool pending = false;
  static_cast<void>(access::find_person(acting.tenant, id));  // Ends a transfer that a crash left.
  std::deque<records::Vault::Settled> settled;
  {
    EFFACE_ASSIGN(const access::AllLocks held, access::lock_all(*acting.tenant));
    for (const access::TenantRegion& region : acting.tenant->regions())
      settled.emplace_back(*region.region->vault);
    EFFACE_ASSIGN(Identifiers ids, identifiers_of(acting, id));
    const Status put = put_tombstones(acting, held, ids.all, receipt, erasure);
    pending = !put;
    if (pending && put.error().code() != Errc::erase_pending) return put.error();
    person = std::move(ids.person);
  }
  for (const access::TenantRegion& region : acting.tenant->regions())
    region.region->vault->barrier();
  if (pending && !person)
    return Error(Errc::erase_pending, "a root key store did not confirm the destruction");
  if (!person) return erasure;
  const ReceiptOptions same_salt{{}, receipt.salt};
  auto erased = erase(acting, *person, {}, same_salt);
  if (erased) {
    erased->regions = one_each(std::move(erasure.regions), erased->regions);
    erased->receipts.insert(erased->receipts.begin(), erasure.receipts.begin(),
                            erasure.receipts.end());
    return erased;
  }
  switch (erased.error().code()) {
    case Errc::subject_erased:
      return erasure;
    case Errc::legal_hold:
      erasure.held = 1;
      return erasure;
    default:
      return erased;
  }
}

Status reinstate(const Acting& acting, SubjectId id, std::string_view reason) {
  EFFACE_TRY(subjects::check_id(id));
  EFFACE_TRY(subjects::check_text(reason, limits::reason_bytes_max, subjects::Empty::refused));
  bool any = false;
  {
    EFFACE_ASSIGN(const access::AllLocks held, access::lock_all(*acting.tenant));
    for (std::size_t i = 0; i < held.size(); ++i) {
      const access::TenantRegion& region = acting.tenant->regions()[i];
      Removal removal;
      removal.tenant = region.ref;
      removal.what = Removal::What::tombstone;
      removal.decisions = {decision(acting, ledger::Kind::reinstated)};
      EFFACE_ASSIGN(removal.decisions[0].sealed, seal_for_tenant(region, as_bytes(reason)));
      EFFACE_ASSIGN(removal.tag, access::tag_of(region, id));
      EFFACE_TRY(region.region->keyring->erase(held[i], {&removal, 1}));
      any = any || removal.removed;
    }
  }
  if (!any) return Error(Errc::subject_unknown, "nobody of that id is suppressed");
  const auto kept = access::find_person(acting.tenant, id);  // By a hold.
  if (!kept) return {};
  return amend_person(acting, *kept, [&](OnFile& on_file, keyring::Amend&) -> Status {
    on_file.dossier.add_event(EventKind::reinstated, 0, acting.tenant->now(), acting.actor);
    return {};
  });
}

}  // namespace efface::rights
