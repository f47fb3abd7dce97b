// Ids, names and values of people hold a canary (support/canary.h): no file, no path and nothing
// that is no answer about a person holds it, whatever was done.
#include <gtest/gtest.h>

#include <concepts>
#include <span>

#include "efface/doctor.h"
#include "faults/operations.h"
#include "support/canary.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

TEST(Canary, IsFoundAsItIsInHexadecimalAndInBase64) {
  for (const char* text :
       {"ann~7Qz3Vw9K", "x37517a335677394bx", "N1F6M1Z3OUs=", "ADdRejNWdzlL", "//83UXozVnc5Sw=="})
    EXPECT_TRUE(holds_canary(text));
  EXPECT_FALSE(holds_canary("ann"));
}

// All that is handed to the hooks of a store, byte by byte.
class Overheard {
 public:
  void add(const LogEntry& entry) {
    const Bytes numbers = std::as_bytes(entry.numbers);
    add(to_text(entry), entry.region, entry.database.text, as_text(numbers));
    for (const LogNumber& number : entry.numbers) add(number.what.text);
    if (entry.error) add(name(entry.error->code()), entry.error->note());
    ++entries_;
  }
  void add(const TraceSpan& span) {
    const std::int64_t numbers[] = {static_cast<std::int64_t>(span.id),
                                    static_cast<std::int64_t>(span.parent),
                                    span.depth,
                                    span.thread,
                                    span.began.count(),
                                    span.took.count()};
    add(span.name.text, span.region, as_text(std::as_bytes(std::span(numbers))));
    if (span.error) add(name(span.error->code()), span.error->note());
    ++spans_;
  }
  void listen(OpenOptions& options) {
    options.on_log = [this](const LogEntry& entry) { add(entry); };
    options.trace.begin = options.trace.end = [this](const TraceSpan& span) { add(span); };
  }
  const std::string& said() const { return said_; }
  std::size_t entries() const { return entries_; }
  std::size_t spans() const { return spans_; }

 private:
  void add(std::convertible_to<std::string_view> auto... texts) {
    (said_.append(texts).append("\n"), ...);
  }
  std::string said_;
  std::size_t entries_ = 0;
  std::size_t spans_ = 0;
};

TEST(Canary, IsInNoFileNoPathAndNothingThatAHookIsToldAfterAnyOperation) {
  std::size_t looked_at = 0;
  Overheard overheard;
  for (const Operation& operation : operations()) {
    if (operation.kind == Operation::Kind::creates || operation.kind == Operation::Kind::opens ||
        operation.manner == Manner::shared)
      continue;
    const TempDirectory home("canary");
    World world(home.path(), operation.two_regions);
    world.also = [&](OpenOptions& options) { overheard.listen(options); };
    ASSERT_TRUE(world.make());
    if (operation.before) {
      ASSERT_TRUE(operation.before(world));
    }
    if (!world.is_open()) continue;  // What it does is looked at by the trials alone.
    ASSERT_TRUE(operation.prepare(world)(world)) << operation.name;
    world.close();
    EXPECT_FALSE(canary_below(home.path())) << operation.name;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 45u);
  EXPECT_GE(overheard.entries(), 60u);
  EXPECT_GE(overheard.spans(), 3'000u);
  EXPECT_FALSE(holds_canary(overheard.said()));
  // A tenant, an actor and a purpose are not told of either.
  for (const char* const label : {"acme", "desk", "orders", "news", "request-1"})
    EXPECT_EQ(overheard.said().find(label), std::string::npos) << label;
}

// Of what could be told of, an error's note and a region are: there it would be found.
TEST(Canary, WouldBeFoundInWhatAHookIsTold) {
  const std::string region = std::string("eu-") + std::string(canary);
  Overheard one;
  one.add(LogEntry{LogEvent::opened, LogLevel::info, region});
  EXPECT_TRUE(holds_canary(one.said()));
  Overheard other;
  LogNumber number{"bytes"};
  std::copy_n(canary.data(), sizeof number.value, reinterpret_cast<char*>(&number.value));
  LogEntry entry{LogEvent::opened, LogLevel::info, "eu"};
  entry.numbers = {&number, 1};
  other.add(entry);
  EXPECT_TRUE(holds_canary(other.said()));
}

TEST(Canary, IsInNothingThatIsSaidOfAStore) {
  const TempDirectory home("canary");
  World world(home.path());
  ASSERT_TRUE(world.make());
  std::string said;
  const auto stats = world.store().stats();
  ASSERT_TRUE(stats);
  for (const RegionStats& region : stats->regions) said += region.name;
  const auto findings = world.store().diagnose();
  ASSERT_TRUE(findings);
  for (const Finding& finding : *findings)
    said += finding.region + finding.check + finding.says + finding.remedy;
  const auto checked = world.store().check();
  ASSERT_TRUE(checked);
  for (const Damage& damage : checked->damage) said += damage.what;
  const auto receipt = world.tenant().receipt(as_bytes("request-1"));
  const auto checkpoint = world.store().checkpoint(world.region());
  ASSERT_TRUE(receipt && checkpoint);
  said += *receipt + *checkpoint;
  EXPECT_GT(said.size(), 500u);
  EXPECT_FALSE(holds_canary(said));
}

}  // namespace
}  // namespace efface::test
