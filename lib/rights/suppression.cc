#include "rights/suppression.h"

#include "access/person_records.h"
#include "base/check.h"
#include "efface/limits.h"
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
                      std::span<const std::string_view> ids) {
  for (std::size_t i = 0; i < held.size(); ++i) {
    const access::TenantRegion& region = acting.tenant->regions()[i];
    std::vector<keyring::Amend> amends;
    for (const std::string_view id : ids) {
      keyring::Amend& amend = amends.emplace_back();
      EFFACE_ASSIGN(amend.tag, access::tag_of(region, SubjectId(id)));
      amend.changes = {{.label = keyring::suppression, .make = true}};
    }
    EFFACE_TRY(region.region->keyring->amend(held[i], region.people(), amends));
  }
  return {};
}

}  // namespace

Result<Erasure> suppress(const Acting& acting, SubjectId id) {
  EFFACE_TRY(subjects::check_id(id));
  std::optional<Person> person;
  static_cast<void>(access::find_person(acting.tenant, id));  // Ends a transfer that a crash left.
  {
    EFFACE_ASSIGN(const access::AllLocks held, access::lock_all(*acting.tenant));
    EFFACE_ASSIGN(Identifiers ids, identifiers_of(acting, id));
    EFFACE_TRY(put_tombstones(acting, held, ids.all));
    person = std::move(ids.person);
  }
  for (const access::TenantRegion& region : acting.tenant->regions())
    region.region->vault->barrier();
  Erasure erasure;
  if (!person) return erasure;
  auto erased = erase(acting, *person);
  if (erased) return erased;
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
