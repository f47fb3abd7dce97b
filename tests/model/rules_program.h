// model/rules_program.h -- random operations on a store: what is drawn, and how often.
#pragma once
#include <rapidcheck.h>

#include <iosfwd>
#include <vector>

namespace efface::test {

inline constexpr int people = 3;
inline constexpr int records = 2;
inline constexpr int purposes = 5;

enum class Act : int {
  enrol,
  put,
  put_by_id,
  get,
  scan,
  remove,
  shred,
  grant,
  withdraw,
  object,
  lift_objection,
  restrict,
  lift_restriction,
  hold,
  release,
  erase,
  erase_ids,
  suppress,
  reinstate,
  hours,
  days,
  maintain,
  plan_expiry,
  commit_expiry,
  reopen,
  permit_transfer,
  agree,
  keep_subject,
  transfer,
  dossier,
};

struct Operation {
  Act act;
  int person;
  int purpose;
  int record;
  int number;  // 0 to 31: whatever else there is to choose.
  int days;    // 0 to 15: a retention, a span of time.
  bool stale;  // With a Subject from before, if one was kept.
};
const char* name(Act act) noexcept;
std::ostream& operator<<(std::ostream& out, const Operation& op);

// What a program does often, beside a little of everything.
enum class Theme { access, consent, holds, days };
rc::Gen<std::vector<Operation>> program(Theme theme);

}  // namespace efface::test
