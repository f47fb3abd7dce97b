// model/rules_model.h -- the rules of access on plain maps: no keys, no files. Written from the
// words of DESIGN.md and the public headers, to be compared with the store. Answers what was found;
// a refusal is thrown, as its code.
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "efface/efface.h"

namespace efface::test {

struct RulesModel {
  static constexpr int never = 1 << 30;
  static constexpr LegalBasis bases[] = {LegalBasis::contract, LegalBasis::consent,
                                         LegalBasis::consent, LegalBasis::legitimate_interest,
                                         LegalBasis::public_task};
  static constexpr int retention_days[] = {never, never, 40, 5, never};  // By purpose.
  struct Entry {
    std::string value;
    std::set<int> permits;
    int last_day;
    bool kept = false;  // By a hold, past its day.
  };
  struct Scope {
    bool granted = false, objected = false, written = false;
    std::map<int, Entry> records;
  };
  struct Person {
    int incarnation = 0, home = 0;
    bool restricted = false, leaving = false;
    std::map<int, Scope> scopes;
    std::multimap<int, Scope> withdrawn;  // Until the release of the hold that keeps them.
    std::map<HoldNumber, int> holds;      // To the hour that each ends by itself.
    HoldNumber last_hold = 0;
  };
  struct Subject {  // Who had the id when it was obtained.
    int id, incarnation, home;
  };
  struct Expiry {
    std::optional<int> mark;  // All up to this day is destroyed. Nothing: nothing ever expired.
    std::set<int> days;       // On which something expires.
  };

  int hour = 0, incarnations = 0;
  std::optional<int> here;  // The region where the process says that it runs.
  bool needs_agreement = false, agreed = false;
  std::map<int, Person> people;
  std::set<int> suppressed;
  std::set<std::pair<int, int>> transfers;
  Expiry expiry[2];

  int today() const { return hour / 24; }
  bool over(const Entry& entry) const { return entry.last_day < today(); }
  static void refuse_if(bool refused, Errc code) { refused ? throw code : void(); }
  Person& person(const Subject& who) {
    const auto at = people.find(who.id);
    refuse_if(at == people.end() || at->second.incarnation != who.incarnation,
              Errc::subject_erased);
    return at->second;
  }
  void check_agreement() const { refuse_if(needs_agreement && !agreed, Errc::agreement_missing); }
  void check_suppressed(int id) const { refuse_if(suppressed.contains(id), Errc::suppressed); }

  Scope& admit(const Subject& who, int purpose, bool writes) {
    const bool away = here && *here != who.home && !transfers.contains({who.home, *here});
    refuse_if(!writes && away, Errc::transfer_not_permitted);
    if (writes) check_agreement();
    Person& her = person(who);
    check_suppressed(who.id);
    refuse_if(her.restricted || her.leaving, Errc::restricted);
    Scope& scope = her.scopes[purpose];
    refuse_if(bases[purpose] == LegalBasis::consent && !scope.granted, Errc::consent_missing);
    refuse_if(scope.objected, Errc::objected);
    return scope;
  }
  std::optional<std::string> get(const Subject& who, int purpose, int record) {
    const Scope& own = admit(who, purpose, false);
    if (const auto at = own.records.find(record); at != own.records.end()) {
      refuse_if(over(at->second), Errc::expired);
      return at->second.value;
    }
    std::set<int> came_to;  // The refusal that came furthest is told.
    for (const auto& [other, scope] : person(who).scopes) {
      const auto at = scope.records.find(record);
      if (at == scope.records.end()) continue;
      const bool permits = at->second.permits.contains(purpose);
      if (permits && !scope.objected && !over(at->second)) return at->second.value;
      came_to.insert(!permits ? 1 : scope.objected ? 2 : 3);
    }
    refuse_if(came_to.contains(3), Errc::expired);
    refuse_if(came_to.contains(2), Errc::objected);
    refuse_if(came_to.contains(1), Errc::purpose_not_permitted);
    return {};
  }
  void put(const Subject& who, int purpose, int record, Entry entry, std::optional<int> days) {
    Scope& scope = admit(who, purpose, true);
    const int longest = retention_days[purpose], chosen = days.value_or(longest);
    refuse_if(chosen < 1 || chosen > longest, Errc::invalid_argument);
    entry.last_day = chosen == never ? never : today() + chosen;
    expires_on(who.home, entry.last_day);
    scope.records[record] = std::move(entry);
    scope.written = true;
  }
  void expires_on(int region, int day) {
    if (day == never) return;
    expiry[region].days.insert(day);
    if (!expiry[region].mark) expiry[region].mark = today() - 1;
  }
  bool remove(const Subject& who, int purpose, int record) {
    return admit(who, purpose, true).records.erase(record) == 1;
  }
  std::map<int, std::string> scan(const Subject& who, int purpose) {
    std::map<int, std::string> all;
    for (const auto& [record, entry] : admit(who, purpose, false).records)
      if (!over(entry)) all.emplace(record, entry.value);
    return all;
  }
  void enrol(int id, int home, bool may_be_there = false) {
    check_agreement();
    check_suppressed(id);
    const auto [at, fresh] = people.try_emplace(id);
    refuse_if(!fresh && at->second.home != home, Errc::region_mismatch);
    refuse_if(!fresh && !may_be_there, Errc::exists);
    if (fresh) at->second.incarnation = ++incarnations, at->second.home = home;
  }
  Subject look_up(int id) const {
    const auto at = people.find(id);
    if (at == people.end()) check_suppressed(id);
    refuse_if(at == people.end(), Errc::subject_unknown);
    return {id, at->second.incarnation, at->second.home};
  }
  void enrol_for(int id, int home, int purpose) {  // The first half of a put by id.
    if (bases[purpose] != LegalBasis::consent) return enrol(id, home, true);
    if (!people.contains(id)) check_suppressed(id);
    refuse_if(!people.contains(id), Errc::consent_missing);
    refuse_if(people[id].home != home, Errc::region_mismatch);
  }
};

}  // namespace efface::test
