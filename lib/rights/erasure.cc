#include "rights/erasure.h"

#include <map>
#include <unordered_set>

#include "base/check.h"
#include "efface/limits.h"
#include "rights/decision.h"
#include "rights/notice.h"
#include "rights/token.h"

namespace efface::rights {
namespace {

using access::TenantRegion;
using keyring::Removal;

constexpr int races_max = 64;

// A pending destruction has forgotten all the same, and does not keep the other regions from it.
Status put_off(const Status& erased, bool& pending) {
  if (erased || erased.error().code() != Errc::erase_pending) return erased;
  pending = true;
  return {};
}

Status done_unless(bool pending) {
  if (!pending) return {};
  return Error(Errc::erase_pending, "a root key store did not confirm the destruction");
}

// What is asked for under a hold waits for its release, and she is restricted meanwhile. Answers
// whether she is held.
Result<bool> queue_erasure(const Acting& acting, const Person& person, Bytes token) {
  bool is_held = false;
  EFFACE_TRY(amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    is_held = on_file.has(keyring::flag_held);
    if (!is_held || on_file.has(keyring::flag_leaving)) return {};
    on_file.dossier.ask(subjects::Asked::erasure, person.handle, token);
    on_file.dossier.add_event(EventKind::erasure_asked, 0, acting.tenant->now(), acting.actor);
    amend.decisions = {decision(acting, ledger::Kind::erasure_asked)};
    amend.changes.push_back({.label = keyring::person, .set = keyring::flag_leaving});
    return {};
  }));
  return is_held;
}

// Somebody, as she was asked for.
struct Leaving {
  Person person;
  std::optional<std::string_view> id{};  // Nothing: it is looked up.
  std::size_t which = 0;
  // She had no further identifier when she was found. If she has one now, nothing is removed, and
  // she is looked at again.
  bool was_alone = false;
};

struct Request {
  const Acting& acting;
  Bytes token;
  const ReceiptOptions& receipt;
  bool several = false;  // Then each has a salt of her own.
};

// The removal that was refused, or overtaken by a new identifier, is tried again by the caller.
struct Attempt {
  std::vector<Leaving> again;
};

struct Asking {
  std::vector<Removal> removals;
  std::vector<const Leaving*> people;  // Of the removals that take somebody, in their order.
  std::uint64_t unknown = 0;
  bool has_aliases = false;
};

Result<Asking> asking_for(const Request& request, std::span<const Leaving> people,
                          const std::vector<std::byte>& notice) {
  Asking asking;
  for (const Leaving& leaving : people) {
    const Person& person = leaving.person;
    ReceiptOptions receipt = request.receipt;
    ledger::Hash own;
    if (request.several && leaving.id && !receipt.salt.empty()) {
      own = ledger::salt_of_one(receipt.salt, as_bytes(*leaving.id));
      receipt.salt = own;
    }
    const About about{request.acting, ledger::Kind::erased, receipt};
    std::vector<Removal> hers;
    if (leaving.was_alone) {
      hers.push_back(removal_of(person, Removal::What::subject));
      hers[0].only_if_aux = 0;
    } else {
      const auto keys = access::keys_of(person);
      if (!keys && keys.error().code() == Errc::subject_erased) {
        ++asking.unknown;
        continue;
      }
      EFFACE_TRY(keys);
      EFFACE_ASSIGN(hers, removals_of(person, **keys));
      asking.has_aliases = asking.has_aliases || hers.size() > 1;
      // It will be refused, and her identifiers stay with her.
      const std::uint16_t flags = (**keys).find(keyring::person)->flags;
      if ((flags & (keyring::flag_held | keyring::flag_moving)) != 0) hers.resize(1);
    }
    if (!notice.empty()) hers[0].notice = notice;
    hers[0].number = leaving.which;
    const Status bound = leaving.id ? bind(about, *person.home, SubjectId(*leaving.id), hers[0])
                                    : bind(about, person, hers[0]);
    if (!bound && bound.error().code() == Errc::subject_erased) {
      ++asking.unknown;
      continue;
    }
    EFFACE_TRY(bound);
    asking.people.push_back(&leaving);
    asking.removals.insert(asking.removals.end(), hers.begin(), hers.end());
  }
  return asking;
}

// Aliases go with a person only if she goes: who has some is looked at under the lock.
Result<keyring::ErasureOutcome> erase_rows(const Request& request, keyring::Keyring& keyring,
                                           std::span<const Leaving> people,
                                           const std::vector<std::byte>& notice, Asking& asking) {
  EFFACE_ASSIGN(asking, asking_for(request, people, notice));
  if (!asking.has_aliases) return keyring.erase(asking.removals);
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_ASSIGN(asking, asking_for(request, people, notice));
  return keyring.erase(held, asking.removals);
}

Status erase_in(const Request& request, const TenantRegion& home, std::span<const Leaving> people,
                Erasure& into, Attempt& attempt) {
  EFFACE_ASSIGN(const std::vector<std::byte> notice, seal_notice(home, request.token));
  const records::Vault::Settled settled(*home.region->vault);
  Asking asking;
  const auto outcome = erase_rows(request, *home.region->keyring, people, notice, asking);
  std::vector<Removal>& removals = asking.removals;
  into.unknown += asking.unknown;
  const Status counted = count(home, removals, outcome, into);
  if (!counted && counted.error().code() != Errc::erase_pending) return counted;
  std::size_t next = 0;
  for (const Removal& removal : removals) {
    if (removal.what != Removal::What::subject) continue;
    const Leaving& leaving = *asking.people[next++];
    if (removal.removed) {
      ++into.erased;
      continue;
    }
    if (removal.moving)
      return Error(Errc::transfer_pending, "the person is being transferred to another region");
    bool waits = false;
    if (removal.held) {
      const auto queued = queue_erasure(request.acting, leaving.person, request.token);
      if (queued) waits = *queued;
      if (!queued && queued.error().code() != Errc::subject_erased) return queued.error();
    }
    if (waits)
      ++into.held;
    else
      attempt.again.push_back({leaving.person, leaving.id, leaving.which});
  }
  return counted;
}

Status erase_all(const Request& request, const TenantRegion& home, std::vector<Leaving> people,
                 Erasure& into) {
  bool pending = false;
  for (int race = 0; !people.empty(); ++race) {
    if (race == races_max) return Error(Errc::conflict, "her rows kept changing");
    Attempt attempt;
    EFFACE_TRY(put_off(erase_in(request, home, people, into, attempt), pending));
    people = std::move(attempt.again);
  }
  EFFACE_TRY(done_unless(pending));
  EFFACE_TRY(tell(*request.acting.tenant));
  return {};
}

}  // namespace

Result<std::vector<Removal>> removals_of(const Person& person, const keyring::Keys& keys) {
  const TenantRegion& home = *person.home;
  const keyring::Row& row = *keys.find(keyring::person);
  std::vector<Removal> removals{removal_of(person, Removal::What::subject)};
  removals[0].only_if_aux = row.aux;
  if (row.aux == 0) return removals;
  EFFACE_ASSIGN(auto file, home.region->keyring->file(home.ref, row));
  EFFACE_ASSIGN(const DossierFile dossier, DossierFile::read(std::move(file)));
  for (const Bytes id : dossier.fields().aliases) {
    Removal& removal = removals.emplace_back();
    removal.tenant = home.ref;
    removal.what = Removal::What::alias;
    EFFACE_ASSIGN(removal.tag, access::tag_of(home, SubjectId(as_text(id))));
    removal.only_if_handle = person.tag;
  }
  return removals;
}

Result<Erasure> erase(const Acting& acting, const Person& person, Bytes token,
                      const ReceiptOptions& receipt) {
  EFFACE_TRY(acting.tenant->check_here());
  Erasure erasure;
  EFFACE_ASSIGN(auto made, made_by(*acting.tenant, receipt));
  if (made) {
    erasure.receipts.push_back(*std::move(made));
    return erasure;
  }
  EFFACE_TRY(access::keys_of(person));
  EFFACE_TRY(erase_all({acting, token, receipt}, *person.home, {{person}}, erasure));
  if (erasure.held != 0)
    return Error(Errc::legal_hold, "a legal hold keeps her; she is erased when it is released");
  if (erasure.erased == 0) return Error(Errc::subject_erased, "the person was erased before");
  return erasure;
}

Result<Erasure> erase(const Acting& acting, std::span<const SubjectId> ids, Bytes token,
                      const ReceiptOptions& receipt) {
  if (ids.size() > limits::subjects_per_call_max)
    return Error(Errc::too_large, "more than 100,000 people at once");
  if (!receipt.request.empty() && ids.size() != 1)
    return Error(Errc::invalid_argument, "a request is for one person");
  Erasure erasure;
  EFFACE_ASSIGN(auto made, made_by(*acting.tenant, receipt));
  if (made) {
    erasure.receipts.push_back(*std::move(made));
    return erasure;
  }
  std::map<const TenantRegion*, std::vector<Leaving>> by_home;
  std::unordered_set<Id16, Id16Hash> asked;
  access::LoadAhead ahead;
  for (std::size_t position = 0; position < ids.size(); ++position) {
    const SubjectId& id = ids[position];
    EFFACE_TRY(ahead.before(*acting.tenant, ids, position));
    const auto person = access::find_person(acting.tenant, id);
    if (!person && (person.error().code() == Errc::subject_unknown ||
                    person.error().code() == Errc::suppressed)) {
      ++erasure.unknown;
      continue;
    }
    EFFACE_TRY(person);
    if (!asked.insert(person->handle).second) continue;
    const auto keys = access::keys_of(*person);  // Still at hand.
    const bool was_alone = keys && (**keys).find(keyring::person)->aux == 0;
    by_home[person->home].push_back({*person, id.text, position, was_alone});
  }
  bool pending = false;
  for (auto& [home, people] : by_home)
    EFFACE_TRY(put_off(
        erase_all({acting, token, receipt, ids.size() > 1}, *home, std::move(people), erasure),
        pending));
  EFFACE_TRY(done_unless(pending));
  return erasure;
}

Result<OffboardPlan> plan_offboarding(const access::TenantState& tenant) {
  EFFACE_TRY(tenant.check_here());
  if (!tenant.all_open())
    return Error(Errc::region_not_open, "off-boarding needs all of the tenant's regions open");
  OffboardPlan plan;
  Token token("efface.offboard");
  token.add(as_bytes(tenant.name()));
  for (const TenantRegion& region : tenant.regions()) {
    plan.regions.push_back(region.region->name);
    std::uint64_t people = 0;
    Id16 who{};  // The sum of their handles: whoever comes or goes changes it.
    // A crash between two regions leaves it gone in the first.
    const Status walked =
        region.region->keyring->walk(region.people(), [&](keyring::RowView row) -> Result<Flow> {
          if (row.label() != keyring::person) return Flow::more;
          ++people;
          const keyring::Handle handle = row.handle();
          for (std::size_t i = 0; i < who.size(); ++i) who[i] ^= handle[i];
          if ((row.flags() & keyring::flag_held) != 0) ++plan.held;
          return Flow::more;
        });
    if (!walked && walked.error().code() != Errc::tenant_unknown) return walked.error();
    plan.people += people;
    token.add(Bytes(region.region->id));
    token.add(people);
    token.add(Bytes(who));
  }
  token.add(plan.held);
  plan.token = token.text();
  return plan;
}

Result<Erasure> offboard(const Acting& acting, std::string_view token) {
  const auto& tenant = acting.tenant;
  EFFACE_ASSIGN(const OffboardPlan plan, plan_offboarding(*tenant));
  if (plan.token != token)
    return Error(Errc::conflict, "the token is of another plan, or there are other people now");
  if (plan.held != 0) return Error(Errc::legal_hold, "somebody of the tenant is on legal hold");
  EFFACE_ASSIGN(const std::size_t waiting, tell(*tenant));
  if (waiting != 0)
    return Error(Errc::conflict, "somebody was not told yet who of the tenant was erased");
  Erasure erasure;
  bool pending = false;
  for (const TenantRegion& region : tenant->regions()) {
    Removal removal;
    removal.tenant = region.ref;
    removal.what = Removal::What::tenant;
    removal.decisions = {decision(acting, ledger::Kind::offboarded)};
    const records::Vault::Settled settled(*region.region->vault);
    const auto outcome = region.region->keyring->erase({&removal, 1});
    EFFACE_TRY(put_off(count(region, {&removal, 1}, outcome, erasure), pending));
    if (removal.held) return Error(Errc::legal_hold, "somebody of the tenant is on legal hold");
    if (removal.removed) erasure.erased = 1;
  }
  tenant->set_gone();
  EFFACE_TRY(done_unless(pending));
  return erasure;
}

}  // namespace efface::rights
