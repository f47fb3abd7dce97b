// model/rules_session.h -- random operations, done to a store and to the model of its rules, and
// the first answer in which they differ.
#pragma once
#include <rapidcheck.h>

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace efface::test {

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
std::ostream& operator<<(std::ostream& out, const Operation& op);

// What a program does often, beside a little of everything.
enum class Theme { access, consent, holds, days };
rc::Gen<std::vector<Operation>> program(Theme theme);

class RulesSession {
 public:
  RulesSession();
  ~RulesSession();
  // Stops at the first difference, and tells it; nothing: there was none.
  std::string run(const std::vector<Operation>& program);
  std::size_t answers() const noexcept;  // That were compared.

 private:
  class Pair;
  std::unique_ptr<Pair> pair_;
};

}  // namespace efface::test
