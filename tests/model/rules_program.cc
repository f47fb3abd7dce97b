#include "model/rules_program.h"

#include <ostream>

namespace efface::test {
namespace {

constexpr const char* acts[] = {"enrol",
                                "put",
                                "put_by_id",
                                "get",
                                "scan",
                                "remove",
                                "shred",
                                "grant",
                                "withdraw",
                                "object",
                                "lift_objection",
                                "restrict",
                                "lift_restriction",
                                "hold",
                                "release",
                                "erase",
                                "erase_ids",
                                "suppress",
                                "reinstate",
                                "hours",
                                "days",
                                "maintain",
                                "plan_expiry",
                                "commit_expiry",
                                "reopen",
                                "permit_transfer",
                                "agree",
                                "keep_subject",
                                "transfer",
                                "dossier"};

// How often each act is drawn: what takes much away is rare, so that there is something to take.
std::vector<Act> bag_of(Theme theme) {
  using enum Act;
  std::vector<Act> bag;
  const auto add = [&](int times, std::initializer_list<Act> acts_of) {
    for (int i = 0; i < times; ++i) bag.insert(bag.end(), acts_of);
  };
  add(1, {suppress, erase, erase_ids, restrict, transfer, agree, permit_transfer, reopen});
  add(2,
      {withdraw, object, remove, shred, plan_expiry, commit_expiry, keep_subject, dossier, days});
  add(3, {hours, maintain, get, scan, lift_objection, hold});
  add(5, {reinstate, release, grant});
  add(6, {lift_restriction});
  add(8, {enrol, put_by_id});
  add(12, {put});
  if (theme == Theme::access) add(6, {get, scan, object, lift_objection, keep_subject});
  if (theme == Theme::access) add(3, {enrol, reopen, suppress, restrict, put});
  if (theme == Theme::consent) add(6, {grant, grant, withdraw, put, put, hold, release, get});
  if (theme == Theme::holds) add(4, {hold, release, release, grant, withdraw, maintain, enrol});
  if (theme == Theme::holds) add(2, {erase, erase_ids, suppress, reinstate, reinstate, put});
  if (theme == Theme::days) add(6, {put, put, days, hours, maintain, hold, release, release, get});
  if (theme == Theme::days) add(3, {plan_expiry, commit_expiry, remove, transfer});
  return bag;
}

}  // namespace

const char* name(Act act) noexcept { return acts[static_cast<int>(act)]; }

std::ostream& operator<<(std::ostream& out, const Operation& op) {
  return out << name(op.act) << " p" << op.person << " u" << op.purpose << " r" << op.record << " n"
             << op.number << " d" << op.days << (op.stale ? " stale" : "");
}

rc::Gen<std::vector<Operation>> program(Theme theme) {
  const auto operation = rc::gen::apply(
      [](Act act, int person, int purpose, int record, int number, int days, int stale) {
        return Operation{act, person, purpose, record, number, days, stale == 3};
      },
      rc::gen::elementOf(bag_of(theme)), rc::gen::inRange(0, people), rc::gen::inRange(0, purposes),
      rc::gen::inRange(0, records), rc::gen::inRange(0, 32), rc::gen::inRange(0, 16),
      rc::gen::inRange(0, 4));
  return rc::gen::container<std::vector<Operation>>(operation);
}

}  // namespace efface::test
