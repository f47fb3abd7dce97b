// model/duties_model.h -- what changes who may read what: consent, objection, restriction, holds,
// erasure, suppression and the end of a day; on the maps of the rules' model.
#pragma once
#include <utility>

#include "model/rules_model.h"

namespace efface::test {

struct DutiesModel : RulesModel {
  static constexpr int days_at_once_max = 31;  // More at once: the clock may have jumped.
  struct Done {
    std::size_t holds_ended = 0, days_expired = 0, records_kept = 0;
    bool waits = false;
  };
  using Days = std::set<std::pair<int, int>>;  // Of regions.

  void grant(const Subject& who, int purpose) {
    refuse_if(bases[purpose] != LegalBasis::consent, Errc::basis_differs);
    Person& her = person(who);
    check_suppressed(who.id);
    refuse_if(her.restricted || her.leaving, Errc::restricted);
    refuse_if(!her.scopes[purpose].granted && her.withdrawn.count(purpose) > 14, Errc::too_large);
    her.scopes[purpose].granted = true;
  }
  bool withdraw(const Subject& who, int purpose) {  // Whether a hold keeps what was collected.
    refuse_if(bases[purpose] != LegalBasis::consent, Errc::basis_differs);
    Person& her = person(who);
    refuse_if(!her.scopes[purpose].granted, Errc::consent_missing);
    if (!her.holds.empty()) her.withdrawn.emplace(purpose, her.scopes[purpose]);
    her.scopes.erase(purpose);
    return !her.holds.empty();
  }
  void object(const Subject& who, int purpose, bool objects) {
    refuse_if(bases[purpose] != LegalBasis::legitimate_interest &&
                  bases[purpose] != LegalBasis::public_task,
              Errc::basis_differs);
    person(who).scopes[purpose].objected = objects;
  }
  HoldNumber hold(const Subject& who, int until) {
    refuse_if(until <= hour, Errc::invalid_argument);
    Person& her = person(who);
    refuse_if(her.holds.size() == 64, Errc::too_large);
    her.holds[++her.last_hold] = until;
    return her.last_hold;
  }
  bool end_holds(int id) {  // After the last: what was asked is done. Whether she is erased.
    Person& her = people[id];
    if (!her.holds.empty()) return false;
    if (her.leaving) return people.erase(id) == 1;
    her.withdrawn.clear();
    for (auto& [purpose, scope] : her.scopes)
      std::erase_if(scope.records, [](const auto& record) { return record.second.kept; });
    return false;
  }
  bool release(const Subject& who, HoldNumber number) {
    refuse_if(person(who).holds.erase(number) == 0, Errc::hold_unknown);
    return end_holds(who.id);
  }
  bool erase(const Subject& who) {  // Whether a hold keeps her.
    Person& her = person(who);
    her.leaving = !her.holds.empty();
    return her.leaving || people.erase(who.id) == 0;
  }
  bool suppress(int id) {  // Whether a hold keeps her.
    suppressed.insert(id);
    return people.contains(id) && erase(look_up(id));
  }
  void reinstate(int id, bool with_reason) {
    refuse_if(!with_reason, Errc::invalid_argument);
    refuse_if(suppressed.erase(id) == 0, Errc::subject_unknown);
  }

  void transfer(const Subject& who, int target) {
    refuse_if(who.home == target, Errc::invalid_argument);
    Person& her = person(who);
    refuse_if(!her.holds.empty(), Errc::legal_hold);
    her.home = target;
    her.incarnation = ++incarnations;  // Looked up anew.
    for (const auto& [purpose, scope] : her.scopes)
      for (const auto& [record, entry] : scope.records) expires_on(target, entry.last_day);
  }

  Days due() const {
    Days all;
    for (const int region : {0, 1})
      for (const int day : expiry[region].days)
        if (day < today()) all.insert({region, day});
    return all;
  }
  void expire(Done& done) {
    const Days gone = due();
    done.days_expired = gone.size();
    for (auto& [id, her] : people) {
      for (auto& [purpose, scope] : her.scopes) done.records_kept += expire(her, scope);
      for (auto& [purpose, scope] : her.withdrawn) done.records_kept += expire(her, scope);
    }
    for (const auto& [region, day] : gone) expiry[region].days.erase(day);
    for (Expiry& at : expiry)
      if (at.mark) at.mark = today() - 1;
  }
  std::size_t expire(const Person& her, Scope& scope) const {  // How many records a hold keeps.
    std::size_t kept = 0;
    if (her.holds.empty())
      std::erase_if(scope.records, [&](const auto& record) { return over(record.second); });
    for (auto& [name, entry] : scope.records)
      if (over(entry) && !std::exchange(entry.kept, true)) ++kept;
    return kept;
  }
  Done maintain() {
    Done done;
    std::set<int> ids;
    for (const auto& [id, her] : people) ids.insert(id);
    for (const int id : ids) {
      const std::size_t ended =
          std::erase_if(people[id].holds, [&](const auto& hold) { return hold.second <= hour; });
      done.holds_ended += ended;
      if (ended != 0) end_holds(id);
    }
    bool jumped = false;
    for (const Expiry& at : expiry) jumped |= at.mark && today() - 1 - *at.mark > days_at_once_max;
    if (jumped)
      done.waits = !due().empty();
    else
      expire(done);
    return done;
  }
  // Whether the days that were planned are those that are due.
  Done commit_expiry(const Days& planned) {
    refuse_if(planned != due(), Errc::conflict);
    Done done;
    expire(done);
    return done;
  }
  bool has_overdue(int id) const {
    const auto at = people.find(id);
    if (at == people.end()) return false;
    for (const auto& [purpose, scope] : at->second.scopes)
      for (const auto& [record, entry] : scope.records)
        if (over(entry)) return true;
    return false;
  }
  // What the store keeps: each person's id, what was collected, and a summary of each scope.
  std::size_t records_in(int region) const {
    std::size_t count = 0;
    for (const auto& [id, her] : people) {
      if (her.home != region) continue;
      ++count;
      for (const auto& [purpose, scope] : her.scopes) count += scope.records.size() + scope.written;
      for (const auto& [purpose, scope] : her.withdrawn)
        count += scope.records.size() + scope.written;
    }
    return count;
  }
};

}  // namespace efface::test
