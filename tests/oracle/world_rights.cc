// The steps of a history that are about rights and duties, and what each has to destroy.
#include <algorithm>

#include "oracle/require.h"
#include "oracle/world.h"

namespace disclosure {
namespace {

using efface::Errc;

bool is_scope_of(std::uint16_t label, std::uint16_t purpose) {
  return purpose_of(label) == purpose && (label >> 10) <= 15;
}

// Takes what which() names out of a list, into the values of what was destroyed.
void take(std::vector<Written>& from, std::vector<std::string>& into,
          const std::function<bool(const Written&)>& which) {
  for (const Written& written : from)
    if (which(written)) into.push_back(written.value);
  std::erase_if(from, which);
}

void take(std::map<std::string, Written>& from, std::vector<std::string>& into,
          const std::function<bool(const Written&)>& which) {
  for (const auto& [name, written] : from)
    if (which(written)) into.push_back(written.value);
  std::erase_if(from, [&](const auto& each) { return which(each.second); });
}

bool all(const Written&) { return true; }

std::function<bool(const Written&)> of_purpose(std::uint16_t purpose) {
  return [purpose](const Written& written) { return written.purpose == purpose; };
}

}  // namespace

const char* name(Reason reason) {
  switch (reason) {
    case Reason::erased:
      return "erased";
    case Reason::offboarded:
      return "offboarded";
    case Reason::withdrawn:
      return "withdrawn";
    case Reason::expired:
      return "expired";
    case Reason::rekeyed:
      return "rekeyed";
    case Reason::released:
      return "released";
    case Reason::transferred:
      return "transferred";
    case Reason::merged:
      return "merged";
    case Reason::reinstated:
      return "reinstated";
  }
  return "something_else";
}

Person* World::anyone_free() {
  for (int attempt = 0; attempt < 20; ++attempt)
    if (Person& person = anyone(); !person.hold) return &person;
  return nullptr;
}

efface::Evidence World::evidence(Person& person) {
  person.notes.push_back(new_note());
  return {person.notes.back(), "web", {}};
}

void World::grant() {
  Person& person = anyone();
  if (person.consent == Consent::granted) return;
  const efface::Tenant& tenant = *tenants_[person.tenant].handle;
  const efface::Subject subject = subject_of(person);
  require(tenant.grant(subject, *tenant.purpose("consented"), evidence(person)), "grant");
  person.consent = Consent::granted;
  put_value(person, std::string(marker) + "-name-5", new_value(80));
}

void World::withdraw() {
  Person* chosen = nullptr;
  for (int attempt = 0; attempt < 20 && chosen == nullptr; ++attempt)
    if (Person& person = anyone(); person.consent == Consent::granted) chosen = &person;
  if (chosen == nullptr) return;
  Person& person = *chosen;
  Erased gone{Reason::withdrawn, tenants_[person.tenant].name};
  gone.rows = rows_of(person, [](std::uint16_t label) { return label == consented; });
  require(gone.rows.size() == 1, "consent has no scope");
  const efface::Tenant& tenant = *tenants_[person.tenant].handle;
  const efface::Subject subject = subject_of(person);
  const auto done = tenant.withdraw(subject, *tenant.purpose("consented"), evidence(person));
  require(done, "withdraw");
  person.consent = Consent::withdrawn;
  if (!person.hold) {
    take(person.records, gone.values, of_purpose(consented));
    take(person.residue, gone.values, of_purpose(consented));
    erased_.push_back(std::move(gone));
    return;
  }
  require(done->held == 1, "a hold did not keep what was withdrawn");
  for (const auto& [record, written] : person.records)
    if (written.purpose == consented) person.waiting.push_back(written);
  std::erase_if(person.records, [](const auto& each) { return each.second.purpose == consented; });
  for (const Written& written : person.residue)
    if (written.purpose == consented) person.waiting_residue.push_back(written);
  std::erase_if(person.residue, of_purpose(consented));
}

void World::hold() {
  Person& person = anyone();
  if (person.hold) return;
  person.hold_reason = new_note();
  const auto number = tenants_[person.tenant].handle->hold(subject_of(person),
                                                           {"litigation", person.hold_reason, {}});
  require(number, "hold");
  person.hold = *number;
  person.notes.push_back(person.hold_reason);
}

void World::erase_held(Person& person) {
  const auto refused = tenants_[person.tenant].handle->erase(subject_of(person));
  require(!refused && refused.error().code() == Errc::legal_hold, "a hold did not keep a person");
  person.leaving = true;
  std::erase(order_, person.id);
}

void World::release() {
  std::vector<std::string> held;
  for (const auto& [id, person] : living_)
    if (person.hold) held.push_back(id);
  if (!held.empty()) release(living_.at(held[below(held.size())]));
}

void World::release(Person& person) {
  const bool is_withdrawn = person.consent == Consent::withdrawn;
  Erased gone = person.leaving
                    ? snapshot(person)
                    : Erased{Reason::released, tenants_[person.tenant].name, {}, {}, {}, {}};
  if (!person.leaving)
    gone.rows = rows_of(person, [&](std::uint16_t label) {
      if (label == label_hold) return true;
      return is_scope_of(label, consented) && (label != consented || is_withdrawn);
    });
  const auto done = tenants_[person.tenant].handle->release(subject_of(person), *person.hold);
  require(done, "release");
  require(done->erased == (person.leaving ? 1u : 0u), "a release did something else");
  if (person.leaving) return note_erased(std::string(person.id), std::move(gone));
  take(person.past_day, gone.values, all);
  take(person.residue, gone.values, [](const Written& written) { return written.by_hold; });
  take(person.waiting, gone.values, all);
  take(person.waiting_residue, gone.values, all);
  erased_.push_back(std::move(gone));
  person.hold.reset();
  std::erase(person.notes, person.hold_reason);
  person.old_notes.push_back(person.hold_reason);
}

void World::transfer() {
  if (options_.regions.size() < 2) return;
  Person* const chosen = anyone_free();
  if (chosen == nullptr) return;
  Person& person = *chosen;
  const std::size_t target =
      (person.region + 1 + below(options_.regions.size() - 1)) % options_.regions.size();
  Erased gone = snapshot(person);
  gone.reason = Reason::transferred;
  gone.ids.clear();
  gone.values.clear();
  gone.notes.clear();
  const auto moved = tenants_[person.tenant].handle->transfer(
      subject_of(person), *store_->region(options_.regions[target]),
      efface::TransferBasis::adequacy);
  require(moved, "transfer");
  person.region = target;
  take(person.residue, gone.values, all);
  gone.notes = std::move(person.old_notes);
  person.old_notes.clear();
  erased_.push_back(std::move(gone));
}

void World::merge() {
  Person* const into = anyone_free();
  Person* from = nullptr;
  for (int attempt = 0; attempt < 60 && into != nullptr && from == nullptr; ++attempt) {
    Person* const other = anyone_free();
    if (other == nullptr || other == into || other->tenant != into->tenant) continue;
    if (other->region != into->region || into->ids().size() + other->ids().size() > 12) continue;
    if (other->consent != into->consent && other->consent != Consent::never_asked &&
        into->consent != Consent::never_asked)
      continue;
    from = other;
  }
  if (from == nullptr) return;
  Erased gone{Reason::merged, tenants_[into->tenant].name};
  gone.rows = rows_of(*from, [](std::uint16_t) { return true; });
  std::set<std::uint16_t> joined;
  std::set<std::uint16_t> theirs;
  for (const Row& row : gone.rows)
    if (row.label == kept || row.label == expiring || row.label == consented)
      theirs.insert(row.label);
  for (Row& own : rows_of(*into, [&](std::uint16_t label) { return theirs.contains(label); })) {
    joined.insert(own.label);
    gone.rows.push_back(std::move(own));
  }
  const auto merged = tenants_[into->tenant].handle->merge(subject_of(*into), subject_of(*from));
  require(merged, "merge");
  take(from->residue, gone.values, all);
  take(into->residue, gone.values,
       [&](const Written& written) { return joined.contains(written.purpose); });
  gone.notes = from->old_notes;
  erased_.push_back(std::move(gone));
  take_over(*into, *from);
}

// Of two records of one name the one of `into` stays; the other is overwritten.
void World::take_over(Person& into, Person& from) {
  for (auto& [record, written] : from.records) {
    if (into.records.contains(record))
      into.residue.push_back(std::move(written));
    else
      into.records.emplace(record, std::move(written));
  }
  into.notes.insert(into.notes.end(), from.notes.begin(), from.notes.end());
  for (const std::string& id : from.ids()) into.further_ids.push_back(id);
  if (into.consent == Consent::never_asked) into.consent = from.consent;
  const std::string gone = from.id;
  std::erase(order_, gone);
  living_.erase(gone);
}

void World::suppress() {
  const Person* const chosen = anyone_free();
  if (chosen == nullptr) return;
  const Person& person = *chosen;
  Erased gone = snapshot(person);
  const std::vector<std::string> ids = person.ids();
  const auto done =
      tenants_[person.tenant].handle->suppress(efface::SubjectId(ids[below(ids.size())]));
  require(done, "suppress");
  require(done->erased == 1, "who was suppressed was not erased");
  for (const std::string& id : ids) suppressed_[id] = person.tenant;
  note_erased(std::string(person.id), std::move(gone));
}

void World::reinstate() {
  if (suppressed_.empty()) return;
  const auto chosen =
      std::next(suppressed_.begin(), static_cast<std::ptrdiff_t>(below(suppressed_.size())));
  const auto [id, tenant] = *chosen;
  Erased gone{Reason::reinstated, tenants_[tenant].name, {id}};
  gone.rows =
      rows_of(Person{tenant, 0, id}, [](std::uint16_t label) { return label == label_tombstone; });
  require(gone.rows.size() == options_.regions.size(), "a region has no tombstone");
  require(tenants_[tenant].handle->reinstate(efface::SubjectId(id), "asked for"), "reinstate");
  suppressed_.erase(chosen);
  erased_.push_back(std::move(gone));
}

void World::add_identifier() {
  Person& person = anyone();
  if (person.further_ids.size() >= 4) return;
  const std::string further = new_id();
  require(tenants_[person.tenant].handle->add_identifier(subject_of(person),
                                                         efface::SubjectId(further)),
          "add an identifier");
  person.further_ids.push_back(further);
  ids_in_use_.insert(further);
}

void World::remove_now() {
  Person& person = anyone();
  const std::string record_name = any_name(person);
  const std::uint16_t purpose = purpose_of_name(record_name);
  Erased gone{Reason::rekeyed, tenants_[person.tenant].name};
  gone.rows = rows_of(person, [&](std::uint16_t label) { return label == purpose; });
  const auto removed =
      activity(person, record_name)
          .remove(subject_of(person), efface::RecordName(record_name), efface::Shred::now);
  require(removed, "remove at once");
  require(*removed == note_removed(person, record_name), "another record was there");
  take(person.residue, gone.values, of_purpose(purpose));
  erased_.push_back(std::move(gone));
}

void World::rekey_all() {
  std::size_t scopes = 0;
  for (auto& [id, person] : living_) {
    std::set<std::uint16_t> purposes;
    for (const Written& written : person.residue) purposes.insert(written.purpose);
    if (purposes.empty()) continue;
    Erased gone{Reason::rekeyed, tenants_[person.tenant].name};
    gone.rows = rows_of(person, [&](std::uint16_t label) { return purposes.contains(label); });
    require(gone.rows.size() == purposes.size(), "a scope with residue is not there");
    scopes += purposes.size();
    take(person.residue, gone.values, all);
    erased_.push_back(std::move(gone));
  }
  efface::MaintainOptions options;
  options.residue_window = std::chrono::hours(0);
  const auto done = store_->maintain(options);
  require(done, "re-key");
  require(done->scopes_rekeyed >= scopes, "a scope with residue was not re-keyed");
}

void World::pass_days(std::uint32_t days) {
  const std::uint32_t before = today();
  clock_ += std::chrono::days(days);
  Erased gone{Reason::expired, {}};
  for (const auto& [region, tree] : live_trees())
    for (const TenantHere& here : tenants_) {
      const auto tenant = tree.tenant(here.name);
      require(tenant.has_value(), "a tenant is not there");
      for (std::uint32_t day = before; day < today(); ++day)
        for (Row& row : tree.bucket(*tenant, day)) gone.rows.push_back(std::move(row));
    }
  maintain();
  const std::uint32_t last = today() - 1;
  const auto is_over = [&](const Written& written) { return written.day <= last; };
  for (auto& [id, person] : living_) {
    take(person.residue, gone.values, is_over);
    if (person.hold) {
      for (const auto& [record, written] : person.records)
        if (is_over(written))
          person.past_day[record] = {written.value, written.purpose, never, true};
      std::erase_if(person.records, [&](const auto& each) { return is_over(each.second); });
    } else {
      take(person.records, gone.values, is_over);
    }
  }
  erased_.push_back(std::move(gone));
}

void World::step_of_rights(std::uint64_t dice) {
  if (dice < 30) return grant();
  if (dice < 45) return withdraw();
  if (dice < 60) return hold();
  if (dice < 72) return release();
  if (dice < 87) return transfer();
  if (dice < 102) return merge();
  if (dice < 112) return suppress();
  if (dice < 117) return reinstate();
  if (dice < 132) return add_identifier();
  if (dice < 154) return remove_now();
  if (dice < 160) return pass_days(5 + static_cast<std::uint32_t>(below(20)));
  return rekey_all();
}

}  // namespace disclosure
