// What the parts of a store note, and how it comes to who is told.
#include <gmock/gmock.h>

#include <array>
#include <set>

#include "base/observer.h"
#include "crypto/random.h"
#include "observe/heard.h"
#include "records/some_change.h"
#include "storage/environment.h"
#include "support/temp_directory.h"

namespace efface::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Parts : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(crypto::initialise()); }
  base::Watch watch() {
    const auto observer = base::Observer::of(told_to(heard_), {});
    return {observer, observer->keep("eu")};
  }
  os::Directory directory() { return os::Directory::open(home_.path()).value(); }
  TempDirectory home_{"parts"};
  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

TEST_F(Parts, TellAtOnceWhereNoCallIsUnderWay) {
  watch().of("keyring").note(LogEvent::map_grown, {{"bytes", 5}}, Error(Errc::io, "a note", 7));
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::map_grown);
  EXPECT_EQ(told[0].level, LogLevel::info);
  EXPECT_EQ(told[0].region, "eu");
  EXPECT_EQ(told[0].database, "keyring");
  EXPECT_EQ(told[0].error, Errc::io);
  EXPECT_EQ(told[0].numbers.at("bytes"), 5u);
}

TEST_F(Parts, AreToldOfInOrderWhenTheOutermostCallHasEnded) {
  {
    const base::Telling outer;
    watch().note(LogEvent::opened);
    {
      const base::Telling inner;
      watch().note(LogEvent::latched);
    }
    EXPECT_THAT(heard_->take(), IsEmpty());
  }
  EXPECT_THAT(heard_->take(), ElementsAre("opened", "latched"));
}

TEST_F(Parts, AreCountedBeyondWhatIsKept) {
  {
    const base::Telling call;
    for (std::size_t i = 0; i < base::Telling::events_max + 3; ++i)
      watch().note(LogEvent::map_grown);
  }
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), base::Telling::events_max + 1);
  EXPECT_EQ(told.back().event, LogEvent::events_dropped);
  EXPECT_EQ(told.back().numbers.at("events"), 3u);
}

TEST_F(Parts, HaveNobodyToTellWithoutHooks) {
  EXPECT_EQ(base::Observer::of({}, {}), nullptr);
  const base::Watch nobody;
  EXPECT_FALSE(nobody);
  nobody.note(LogEvent::opened);
  TraceHooks ends;
  ends.end = [](const TraceSpan&) {};
  const base::Watch traced(base::Observer::of({}, ends), "eu");
  EXPECT_NE(traced.tracer(), nullptr);
  traced.note(LogEvent::opened);
  EXPECT_EQ(watch().tracer(), nullptr);
}

TEST_F(Parts, EveryEventHasAnOwnNameALevelAndASentence) {
  std::set<std::string> names;
  for (std::uint16_t number = 0; number < 100; ++number) {
    const auto event = static_cast<LogEvent>(number);
    if (std::string_view(name(event)) == "unknown") continue;
    EXPECT_TRUE(names.insert(name(event)).second) << number;
    const std::string_view sentence = says(event);
    EXPECT_TRUE(sentence.ends_with(".")) << number;
    EXPECT_EQ(sentence.find('"'), sentence.npos) << number;
    EXPECT_STRNE(name(base::terms_of(event).level), "unknown") << number;
  }
  EXPECT_EQ(names.size(), 28u);
  EXPECT_STREQ(name(LogLevel{}), "unknown");
}

TEST_F(Parts, AreALineOfText) {
  const LogNumber numbers[] = {{"mirror", 1}, {"sequence", 20}};
  LogEntry entry{LogEvent::mirror_behind, LogLevel::warning, "eu", "keyring", {}, numbers};
  entry.error = Error(Errc::io, "a note", 5);
  EXPECT_EQ(to_text(entry),
            "level=warning event=mirror_behind region=eu database=keyring mirror=1 sequence=20 "
            "error=io system=5 says=\"A mirror failed, and does not follow any more until it is "
            "written anew.\"");
  EXPECT_EQ(to_text({LogEvent::maintained, LogLevel::info}),
            "level=info event=maintained says=\"The upkeep is done.\"");
}

TEST_F(Parts, SayThatAMapHasGrown) {
  storage::EnvironmentOptions options;
  options.map_bytes = std::size_t{1} << 20;
  options.watch = watch().of("records");
  ASSERT_TRUE(storage::Environment::create(directory(), options));
  const auto environment = storage::Environment::open(directory(), options).value();
  std::vector<std::byte> value(200'000);
  for (std::uint8_t i = 0; i < 5; ++i) {
    auto txn = environment.write(storage::Space::ordinary);
    ASSERT_TRUE(txn);
    const std::array key{std::byte{i}};
    if (txn->put(key, value)) static_cast<void>(std::move(*txn).commit());
  }
  ASSERT_TRUE(environment.write(storage::Space::ordinary));  // Which makes room.
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::map_grown);
  EXPECT_EQ(told[0].database, "records");
  EXPECT_EQ(told[0].numbers.at("bytes"), std::uint64_t{2} << 20);
}

std::optional<Error> refusal_of_all;
Status failure;
Status prepare(std::span<records::Waiting* const> all, std::vector<records::Change>&) {
  for (records::Waiting* batch : all) batch->refused = refusal_of_all;
  return failure;
}

class WaitingParts : public Parts {
 protected:
  void SetUp() override {
    Parts::SetUp();
    refusal_of_all.reset();
    failure = {};
    options_.watch = watch().of("records");
    ASSERT_TRUE(records::Vault::create(directory(), region_, options_));
    vault_ = records::Vault::open(directory(), region_, options_).value();
    vault_->prepare_with(&prepare);
  }
  void wait() {
    auto batch = std::make_unique<records::Waiting>();
    batch->changes = {records::put(crypto::random_id(), 1)};
    batch->owner = this;
    ASSERT_TRUE(vault_->leave_waiting(batch, []() -> Status { return {}; }).value());
  }
  storage::EnvironmentOptions options_;
  const Id16 region_ = crypto::random_id();
  std::unique_ptr<records::Vault> vault_;
};

TEST_F(WaitingParts, SayWhatWasDroppedBecauseItIsRefusedNow) {
  wait();
  wait();
  refusal_of_all = Error(Errc::restricted, "told to refuse");
  EXPECT_FALSE(vault_->sync());
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::relaxed_dropped);
  EXPECT_EQ(told[0].error, Errc::restricted);
  EXPECT_EQ(told[0].numbers.at("batches"), 2u);
}

TEST_F(WaitingParts, SayWhatIsLostBecauseNobodyCouldCommitIt) {
  wait();
  failure = Error(Errc::io, "told to fail");
  vault_->let_go(this);
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::relaxed_lost);
  EXPECT_EQ(told[0].level, LogLevel::error);
  EXPECT_EQ(told[0].error, Errc::io);
  EXPECT_EQ(told[0].numbers.at("batches"), 1u);
}

TEST_F(WaitingParts, SayNothingOfWhatIsCommitted) {
  wait();
  EXPECT_TRUE(vault_->sync());
  wait();
  vault_->let_go(this);
  EXPECT_THAT(heard_->take(), IsEmpty());
}

}  // namespace
}  // namespace efface::test
