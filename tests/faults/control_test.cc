// The harness sees what it says it sees.
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "faults/sweep.h"

namespace efface::test {
namespace {

// The call of that kind that comes last.
std::size_t last_of(const Room& room, Call kind) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < room.calls().size(); ++i)
    if (room.calls()[i] == kind) found = i + 1;
  return found;
}

bool is_found(const Room::Trial& trial, std::string_view what) {
  for (const std::string& finding : trial.findings)
    if (finding.find(what) != std::string::npos) return true;
  return false;
}

TEST(FaultHarness, FindsAWriteThatIsAcknowledgedAndLost) {
  Room room(operation("put"));
  const std::size_t meta_page = last_of(room, Call::write);
  ASSERT_NE(meta_page, 0u);
  const Room::Trial trial = room.run({.at = meta_page, .swallowed = true});
  ASSERT_TRUE(trial.reached);
  EXPECT_FALSE(trial.findings.empty());
}

TEST(FaultHarness, FindsThatWhatWasAcknowledgedIsGone) {
  Room room(operation("enrol"));
  room.puts_base_back = true;
  EXPECT_TRUE(is_found(room.run({}), "what was acknowledged is not there"));
}

TEST(FaultHarness, FindsAnErasureThatIsAcknowledgedWhileItsRootKeyStands) {
  Room room(operation("erase"));
  room.puts_base_back = true;
  EXPECT_TRUE(
      is_found(room.run({}), "a destruction is acknowledged and the root key stands in its file"));
}

TEST(FaultHarness, FindsAnErrorThatCarriesAnId) {
  Operation telling = operation("get");
  telling.prepare = [run = telling.prepare](World& world) {
    return [honest = run(world)](World& now) -> Status {
      Status answer = honest(now);
      if (answer) return answer;
      return Error(Errc::io, "nobody is called ann~7Qz3Vw9K");  // The canary of support/canary.h.
    };
  };
  EXPECT_TRUE(is_found(Room(telling).run({.at = 1, .allocation = true, .error = ENOMEM}),
                       "an error carries an id"));
}

TEST(FaultHarness, FindsAnIdInAFileInBase64) {
  Operation writing = operation("get");
  writing.prepare = [](World&) {
    return [](World& world) -> Status {
      std::ofstream(world.home() / "store" / "notes") << "N1F6M1Z3OUs=";
      return {};
    };
  };
  Room room(writing);
  bool found = false;
  for (int i = 0; i < 8; ++i) found = found || is_found(room.run({}), "a file, or its path, holds");
  EXPECT_TRUE(found);
}

TEST(FaultHarness, FindsALeakAndAHandleThatStaysOpen) {
  Operation leaking = operation("get");
  leaking.prepare = [run = leaking.prepare](World& world) {
    return [honest = run(world)](World& now) -> Status {
      // Only when it fails, as leaks do.
      Status answer = honest(now);
      if (answer) return answer;
      std::vector<void*>& lost = *new std::vector<void*>;
      for (int i = 0; i < 64; ++i) lost.push_back(::operator new(100));
      static_cast<void>(std::fopen("/dev/null", "r"));
      return answer;
    };
  };
  Room room(leaking);
  const Room::Trial trial = room.run({.at = 1, .allocation = true, .error = ENOMEM});
  ASSERT_TRUE(trial.reached);
  EXPECT_TRUE(is_found(trial, "it leaks"));
  EXPECT_TRUE(is_found(trial, "it leaks descriptors"));
}

}  // namespace
}  // namespace efface::test
