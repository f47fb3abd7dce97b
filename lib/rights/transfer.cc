#include "rights/transfer.h"

#include "access/copy.h"
#include "access/person_records.h"
#include "access/processes.h"
#include "base/check.h"
#include "rights/decision.h"
#include "rights/erasure.h"
#include "rights/sealing.h"

namespace efface::rights {
namespace {

using access::TenantRegion;
using keyring::Removal;

// Kept until the transfer ends, one way or the other.
class Move {
 public:
  Move(access::TenantState& tenant, const keyring::Handle& person)
      : tenant_(tenant), person_(person) {
    tenant_.begin_move(person_);
  }
  ~Move() { tenant_.end_move(person_); }
  Move(const Move&) = delete;
  Move& operator=(const Move&) = delete;

 private:
  access::TenantState& tenant_;
  const keyring::Handle person_;
};

// Step 1.
Status mark_as_moving(const Acting& acting, const Person& person) {
  EFFACE_TRY(amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    if (on_file.has(keyring::flag_held))
      return Error(Errc::legal_hold, "a legal hold keeps the person where she is");
    for (const keyring::Row& row : on_file.keys->rows())
      if ((row.label & ~keyring::purpose_mask) == keyring::shared_count && row.aux != 0)
        return Error(Errc::conflict, "the person has records that others share");
    if (has_bytes_sealed(*on_file.keys))
      return Error(Errc::conflict, "the person has bytes sealed elsewhere, which cannot follow");
    amend.changes.push_back({.label = keyring::person, .set = keyring::flag_moving});
    return {};
  }));
  return {};
}

// Her rows at the target: as they are at the source, under fresh keys.
keyring::Amend rows_for(const OnFile& source, const keyring::Tag& tag) {
  keyring::Amend amend;
  amend.tag = tag;
  const auto kept = static_cast<std::uint16_t>(source.person().flags & ~keyring::flag_moving);
  amend.changes.push_back({.label = keyring::person,
                           .set = static_cast<std::uint16_t>(kept | keyring::flag_incoming),
                           .aux = source.person().aux,
                           .make = true});
  for (const keyring::Row& row : source.keys->rows())
    if (keyring::is_scope_in_use(row.label))
      amend.changes.push_back(
          {.label = row.label, .set = row.flags, .aux = access::first_generation, .make = true});
  return amend;
}

// The rows and the file of step 2.
Result<Person> make_incoming(const Acting& acting, const Person& person, const TenantRegion& target,
                             SubjectId id, TransferBasis basis) {
  EFFACE_ASSIGN(OnFile source, read_file(acting, person));
  source.dossier.add_event(EventKind::transferred, 0, acting.tenant->now(), acting.actor,
                           {name(basis), person.home->region->name, {}});
  const codec::Plaintext file = source.dossier.encode();
  EFFACE_ASSIGN(const keyring::Tag tag, access::tag_of(target, id));
  std::vector<keyring::Amend> amends{rows_for(source, tag)};
  amends[0].file = file.bytes();
  for (const Bytes alias : source.dossier.fields().aliases) {
    keyring::Amend& amend = amends.emplace_back();
    EFFACE_ASSIGN(amend.tag, access::tag_of(target, SubjectId(as_text(alias))));
    amend.changes = {{.label = keyring::alias_row, .make = true, .handle = tag}};
  }
  keyring::Keyring& keyring = *target.region->keyring;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_TRY(keyring.amend(held, target.people(), amends));
  return Person{acting.tenant, &target, tag, amends[0].keys->find(keyring::person)->handle};
}

Status copy_to(const Person& person, const Person& incoming, SubjectId id) {
  EFFACE_ASSIGN(const access::AllReading still, access::read_all(*person.home->region));
  EFFACE_TRY(access::store_id(incoming, id));
  return access::copy_records(person, incoming, 0, records_per_commit);
}

// Step 3. Errors: subject_erased when an erasure was faster.
Status erase_at_source(const About& about, const Person& person, SubjectId id, Erasure& into) {
  const TenantRegion& home = *person.home;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, access::keys_of(person));
  EFFACE_ASSIGN(std::vector<Removal> removals, removals_of(person, *keys));
  for (Removal& removal : removals) removal.despite_transfer = true;
  EFFACE_TRY(bind(about, home, id, removals[0]));
  const auto outcome = home.region->keyring->erase(removals);
  EFFACE_TRY(count(home, removals, outcome, into));
  if (removals[0].removed) return {};
  return Error(Errc::transfer_pending, "the person changed while she was transferred");
}

}  // namespace

Result<Erasure> transfer(const Acting& acting, const Person& person, const TenantRegion& target,
                         TransferBasis basis, const ReceiptOptions& receipt) {
  EFFACE_TRY(check(receipt));
  if (name(basis) == std::string_view("unknown"))
    return Error(Errc::invalid_argument, "there is no such basis of a transfer");
  if (&target == person.home)
    return Error(Errc::invalid_argument, "the person is at home there already");
  if (!acting.tenant->all_open())
    return Error(Errc::region_not_open, "a transfer needs all of the tenant's regions open");
  EFFACE_ASSIGN(const OnFile now, read_file(acting, person));
  if (now.has(keyring::flag_moving))
    return Error(Errc::transfer_pending, "the person is being transferred already");
  EFFACE_ASSIGN(const codec::Plaintext id_text, access::id_of(person));
  const SubjectId id(as_text(id_text.bytes()));

  const Move move(*acting.tenant, person.handle);
  EFFACE_ASSIGN(const os::ByteLocks::Held moving, access::move_somebody(*person.home->region));
  EFFACE_TRY(mark_as_moving(acting, person));
  Erasure erasure;
  const auto incoming = make_incoming(acting, person, target, id, basis);
  Status copied;
  if (!incoming)
    copied = Status(incoming.error());
  else
    copied = copy_to(person, *incoming, id);
  if (!copied) {
    EFFACE_TRY(access::abandon_transfer(person, id));
    return copied.error();
  }
  const std::string detail = std::string(name(basis)) + " to " + target.region->name;
  const Status erased = erase_at_source({acting, ledger::Kind::transferred, receipt, {}, detail},
                                        person, id, erasure);
  // Pending has forgotten her at the source all the same.
  if (!erased && erased.error().code() != Errc::erase_pending) {
    if (erased.error().code() == Errc::transfer_pending)
      EFFACE_TRY(access::abandon_transfer(person, id));
    return erased.error();
  }
  const ledger::Entry received =
      decision(acting, ledger::Kind::received, {},
               std::string(name(basis)) + " from " + person.home->region->name);
  EFFACE_TRY(access::set_flags(*incoming, 0, keyring::flag_incoming, received));
  EFFACE_TRY(erased);
  erasure.erased = 1;
  return erasure;
}

}  // namespace efface::rights
