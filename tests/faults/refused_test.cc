// Of a store that an earlier failure has latched, and of one that the parent process has opened,
// every operation answers that.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "crypto/child.h"
#include "faults/sweep.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Kind = Operation::Kind;

bool is_of_a_plain_store(const Operation& one) {
  return one.kind != Kind::opens && one.kind != Kind::creates && !one.before && !one.two_regions &&
         one.manner == Manner::alone;
}

int number(const Status& answer) { return answer ? 0 : static_cast<int>(answer.error().code()); }

// What a child ends with; 255: it did not end by itself.
template <class Body>
int answer_of(Body&& body) {
  const int status = in_child(std::forward<Body>(body));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

class Refused : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(home_ / "base");
    fs::permissions(home_ / "base", fs::perms::owner_all);
    ASSERT_EQ(answer_of([&] { return number(World(home_ / "base").make()); }), 0);
  }
  // A copy of the store, open in a child.
  template <class Body>
  int with_store(const Operation& one, Body&& body) {
    fs::remove_all(home_ / "work");
    fs::copy(home_ / "base", home_ / "work", fs::copy_options::recursive);
    return answer_of([&] {
      World world(home_ / "work", false, one.later);
      if (const Status opened = world.open(); !opened) return number(opened);
      return body(world);
    });
  }
  TempDirectory home_{"refused"};
};

// The first sync of a change fails, and every later one.
int latch(World& world, const char* id) {
  const auto change = [&](const char* whom) {
    return world.tenant().enrol(SubjectId(whom), world.region());
  };
  arm({});
  const auto rehearsed = change("hugo");
  disarm();
  if (!rehearsed) return 1;
  const std::vector<Call>& calls = calls_seen();
  const auto sync = std::ranges::find(calls, Call::sync);
  if (sync == calls.end()) return 2;
  arm({.at = static_cast<std::size_t>(sync - calls.begin()) + 1, .error = EIO, .for_ever = true});
  const auto failed = change(id);
  disarm();
  return failed ? 3 : 0;
}

TEST_F(Refused, ALatchedKeyringTakesNoChangeMore) {
  std::size_t refused = 0;
  for (const Operation& one : operations()) {
    if (!is_of_a_plain_store(one)) continue;
    const int answer = with_store(one, [&](World& world) {
      const auto run = one.prepare(world);
      if (const int wrong = latch(world, "ida"); wrong != 0) return 200 + wrong;
      return number(run(world));
    });
    if (one.kind == Kind::reads || one.kind == Kind::takes_a_copy) {
      EXPECT_TRUE(answer == 0 || answer == static_cast<int>(Errc::closed)) << one.name << answer;
    } else {
      EXPECT_EQ(answer, static_cast<int>(Errc::closed)) << one.name;
    }
    refused += answer != 0 ? 1 : 0;
  }
  EXPECT_GE(refused, 30u);
}

bool is_of_one_tenant(const Operation& one) {
  return is_of_a_plain_store(one) && one.kind != Kind::takes_a_copy;
}

// What was obtained before of a tenant, or of people, who are gone since: a typed answer.
template <class Away>
std::size_t refused_after(const Operation& one, World& world, Away&& away) {
  const auto run = one.prepare(world);
  const Status gone = away(world);
  if (!gone) return 200;
  const Status answer = run(world);
  if (answer) return 0;
  switch (answer.error().code()) {
    case Errc::tenant_unknown:
    case Errc::subject_unknown:
    case Errc::subject_erased:
    case Errc::suppressed:
    case Errc::restricted:
    case Errc::transfer_pending:
      return 1;
    default:
      return 100;
  }
}

Status offboard(World& world) {
  for (const char* held : {"cat~7Qz3Vw9K"}) {
    const auto released = world.tenant().release(world.subject(held), 1);
    if (!released && released.error().code() != Errc::subject_unknown) return released.error();
  }
  const auto plan = world.store().prepare_offboard(world.tenant());
  if (!plan) return plan.error();
  return status_of(
      world.store().offboard(world.store().tenant("acme", Actor("other")).value(), plan->token));
}

Status erase_everyone(World& world) {
  for (const char* id : {"ann~7Qz3Vw9K", "bob~7Qz3Vw9K", "dan~7Qz3Vw9K", "fay~7Qz3Vw9K"}) {
    auto who = world.tenant().subject(SubjectId(id));
    if (!who) return who.error();
    const auto erased = world.tenant().erase(*std::move(who));
    if (!erased) return erased.error();
  }
  return {};
}

Status restrict_everyone(World& world) {
  for (const char* id : {"ann~7Qz3Vw9K", "bob~7Qz3Vw9K", "fay~7Qz3Vw9K"})
    if (const Status done = world.tenant().restrict(world.subject(id)); !done) return done;
  return {};
}

TEST_F(Refused, ATenantOrPeopleWhoAreGoneAreSaidToBe) {
  std::size_t refused = 0;
  for (const Operation& one : operations()) {
    if (!is_of_one_tenant(one)) continue;
    for (const auto away : {offboard, erase_everyone, restrict_everyone}) {
      const int answer = with_store(
          one, [&](World& world) { return static_cast<int>(refused_after(one, world, away)); });
      EXPECT_LE(answer, 1) << one.name;
      refused += answer == 1 ? 1 : 0;
    }
  }
  EXPECT_GE(refused, 50u);
}

// As another process did, while this one had the store open.
TEST_F(Refused, ATenantOrPeopleWhoAreGoneElsewhereAreSaidToBe) {
  std::size_t refused = 0;
  for (const Operation& one : operations()) {
    if (!is_of_one_tenant(one) || one.name == "migrate_root") continue;
    for (const auto away : {offboard, erase_everyone, restrict_everyone}) {
      fs::remove_all(home_ / "work");
      fs::copy(home_ / "base", home_ / "work", fs::copy_options::recursive);
      const auto elsewhere = [&](World&) -> Status {
        const int done = answer_of([&] {
          World other(home_ / "work", false, one.later, Manner::shared);
          if (const Status opened = other.open(); !opened) return number(opened);
          return number(away(other));
        });
        if (done == 0) return {};
        return Error(Errc::conflict, "it cannot be done");
      };
      const int answer = answer_of([&] {
        World world(home_ / "work", false, one.later, Manner::shared);
        if (const Status opened = world.open(); !opened) return 150;
        return static_cast<int>(refused_after(one, world, elsewhere));
      });
      EXPECT_LE(answer, 1) << one.name;
      refused += answer == 1 ? 1 : 0;
    }
  }
  EXPECT_GE(refused, 50u);
}

TEST_F(Refused, AChildProcessHasNoStore) {
  std::size_t tried = 0;
  for (const Operation& one : operations()) {
    if (!is_of_a_plain_store(one)) continue;
    const int answer = with_store(one, [&](World& world) {
      const auto run = one.prepare(world);
      return answer_of([&] { return number(run(world)); });
    });
    EXPECT_EQ(answer, static_cast<int>(Errc::forked)) << one.name;
    ++tried;
  }
  EXPECT_GE(tried, 40u);
}

}  // namespace
}  // namespace efface::test
