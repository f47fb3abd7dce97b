#include "rights/file.h"

#include "base/check.h"

namespace efface::rights {

Result<OnFile> read_file(const Acting& acting, const Person& person) {
  if (person.tenant != acting.tenant)
    return Error(Errc::subject_unknown, "the person belongs to another tenant");
  OnFile on_file;
  EFFACE_ASSIGN(on_file.keys, access::keys_of(person));
  EFFACE_ASSIGN(auto file, person.home->region->keyring->file(person.home->ref, on_file.person()));
  EFFACE_ASSIGN(on_file.dossier, DossierFile::read(std::move(file)));
  return on_file;
}

Status check_stays(const OnFile& on_file) {
  if (!on_file.has(keyring::flag_moving | keyring::flag_incoming)) return {};
  return Error(Errc::transfer_pending, "the person is being transferred to another region");
}

Status amend_person(const Acting& acting, const Person& person,
                    FunctionRef<Status(OnFile&, keyring::Amend&)> decide) {
  keyring::Keyring& keyring = *person.home->region->keyring;
  const records::Vault::Settled settled(*person.home->region->vault);
  {
    EFFACE_ASSIGN(const auto held, keyring.lock());
    EFFACE_ASSIGN(OnFile on_file, read_file(acting, person));
    EFFACE_TRY(check_stays(on_file));
    keyring::Amend amend;
    amend.tag = person.tag;
    amend.only_if_person = person.handle;
    EFFACE_TRY(decide(on_file, amend));
    const codec::Plaintext file = on_file.dossier.encode();
    amend.file = file.bytes();
    EFFACE_TRY(keyring.amend(held, person.home->people(), {&amend, 1}));
    if (!amend.done) return Error(Errc::subject_erased, "the person has been erased");
  }
  person.home->region->vault->barrier();
  return {};
}

keyring::Removal removal_of(const Person& person, keyring::Removal::What what) {
  keyring::Removal removal;
  removal.tenant = person.home->ref;
  removal.what = what;
  removal.tag = person.tag;
  removal.only_if_person = person.handle;
  return removal;
}

Status count(const access::TenantRegion& home, std::span<const keyring::Removal> removals,
             const Result<keyring::ErasureOutcome>& outcome, Erasure& into) {
  home.region->vault->barrier();  // Also when the root key store has not confirmed yet.
  EFFACE_TRY(outcome);
  bool any = false;
  for (const keyring::Removal& removal : removals) {
    any = any || removal.removed;
    into.shared += removal.shared;
    if (removal.removed && removal.entry)
      into.receipts.push_back({home.region->name, *removal.entry, removal.number, removal.salt});
  }
  if (any)
    into.regions.push_back(
        {home.region->name, outcome->epoch_before, outcome->epoch_after, outcome->assurance});
  return {};
}

}  // namespace efface::rights
