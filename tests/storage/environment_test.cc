#include "storage/environment.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/child.h"
#include "storage/environment_fixture.h"
#include "storage/gate.h"
#include "storage/pages.h"

namespace efface::storage {
namespace {

using namespace std::chrono_literals;

using Transactions = EnvironmentTest;
using Scans = EnvironmentTest;
using Environments = EnvironmentTest;

TEST_F(Transactions, CommittedOutliveTheEnvironment) {
  {
    const Environment environment = create_and_open();
    ASSERT_TRUE(put(environment, "key", "value"));
    EXPECT_EQ(get(environment, "key"), "value");
  }
  const auto again = reopen();
  ASSERT_TRUE(again);
  EXPECT_EQ(get(*again, "key"), "value");
}

TEST_F(Transactions, NotCommittedLeaveNothing) {
  {
    const Environment environment = create_and_open();
    ASSERT_TRUE(put(environment, "kept", "value"));
    auto txn = environment.write(Space::ordinary);
    ASSERT_TRUE(txn->put(as_bytes("lost"), as_bytes("value")));
    ASSERT_TRUE(*txn->remove(as_bytes("kept")));
  }
  const auto again = reopen();
  EXPECT_EQ(get(*again, "kept"), "value");
  EXPECT_EQ(get(*again, "lost"), std::nullopt);
  EXPECT_EQ(again->stats()->entries, 1U);
}

TEST_F(Transactions, SeeTheirOwnChangesAndNobodyElseDoes) {
  const Environment environment = create_and_open();
  auto txn = environment.write(Space::ordinary);
  ASSERT_TRUE(txn->put(as_bytes("key"), as_bytes("value")));
  EXPECT_EQ(as_text(**txn->get(as_bytes("key"))), "value");
  EXPECT_EQ(get(environment, "key"), std::nullopt);
  EXPECT_TRUE(*txn->remove(as_bytes("key")));
  EXPECT_FALSE(*txn->remove(as_bytes("key")));
  EXPECT_EQ(*txn->get(as_bytes("key")), std::nullopt);
}

TEST_F(Transactions, ReadTheSnapshotThatTheyBegan) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "key", "before"));
  const auto old = environment.read();
  const auto id = old->transaction_id();
  ASSERT_TRUE(put(environment, "key", "after"));
  EXPECT_EQ(as_text(**old->get(as_bytes("key"))), "before");
  EXPECT_EQ(old->transaction_id(), id);
  const auto fresh = environment.read();
  EXPECT_EQ(as_text(**fresh->get(as_bytes("key"))), "after");
  EXPECT_EQ(fresh->transaction_id(), id + 1);
}

TEST_F(Transactions, ReusedFromThePoolSeeWhatIsNew) {
  const Environment environment = create_and_open();
  for (int round = 0; round < 5; ++round) {
    const std::string value = std::to_string(round);
    ASSERT_TRUE(put(environment, "key", value));
    EXPECT_EQ(get(environment, "key"), value);
  }
  EXPECT_EQ(environment.stats()->readers, 1U);
}

TEST_F(Transactions, OfReadersMoveBetweenThreads) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "key", "value"));
  auto txn = environment.read();
  std::thread([&environment, moved = std::move(*txn)] {
    EXPECT_EQ(as_text(**moved.get(as_bytes("key"))), "value");
    EXPECT_EQ(get(environment, "key"), "value");
  }).join();
  EXPECT_EQ(get(environment, "key"), "value");
}

TEST_F(Transactions, AssignedOverEndTheirOldOnes) {
  const Environment environment = create_and_open();
  auto reader = environment.read();
  *reader = environment.read().value();
  EXPECT_TRUE(reader->get(as_bytes("key")));
  {
    auto writer = environment.write(Space::ordinary);
    ASSERT_TRUE(writer->put(as_bytes("key"), as_bytes("value")));
    WriteTxn taken = std::move(*writer);
    ASSERT_TRUE(std::move(taken).commit());
  }
  EXPECT_EQ(get(environment, "key"), "value");
}

TEST_F(Transactions, TakeKeysOf1To511Bytes) {
  const Environment environment = create_and_open();
  const std::string longest(511, 'k');
  const std::string longer(512, 'k');
  auto txn = environment.write(Space::ordinary);
  EXPECT_TRUE(txn->put(as_bytes("k"), as_bytes("one")));
  EXPECT_TRUE(txn->put(as_bytes(longest), as_bytes("most")));
  for (std::string_view bad : {std::string_view(), std::string_view(longer)}) {
    EXPECT_EQ(code_of(txn->put(as_bytes(bad), as_bytes("value"))), "invalid_argument");
    EXPECT_EQ(code_of(txn->remove(as_bytes(bad))), "invalid_argument");
    EXPECT_EQ(code_of(txn->get(as_bytes(bad))), "invalid_argument");
    EXPECT_EQ(code_of(environment.read()->get(as_bytes(bad))), "invalid_argument");
  }
  ASSERT_TRUE(std::move(*txn).commit());
  EXPECT_EQ(get(environment, "k"), "one");
  EXPECT_EQ(get(environment, longest), "most");
}

TEST_F(Transactions, TakeEmptyAndLargeValues) {
  const Environment environment = create_and_open();
  const std::string large(std::size_t{3} << 20, 'v');
  ASSERT_TRUE(put(environment, "empty", ""));
  ASSERT_TRUE(put_growing(environment, "large", large));
  EXPECT_EQ(get(environment, "empty"), "");
  EXPECT_EQ(get(environment, "large"), large);
  auto txn = environment.write(Space::ordinary);
  const std::string larger((std::size_t{64} << 20) + 1, 'v');
  EXPECT_EQ(code_of(txn->put(as_bytes("larger"), as_bytes(larger))), "too_large");
  EXPECT_TRUE(txn->put(as_bytes("small"), as_bytes("value")));
  EXPECT_TRUE(std::move(*txn).commit());
}

TEST_F(Transactions, WriteOneAtATime) {
  options_.deadline = 30ms;
  const Environment environment = create_and_open();
  std::optional<WriteTxn> first = environment.write(Space::ordinary).value();
  EXPECT_EQ(code_of(environment.write(Space::removal)), "busy");
  std::thread([&] { EXPECT_EQ(code_of(environment.write(Space::ordinary)), "busy"); }).join();
  EXPECT_TRUE(environment.read());
  first.reset();
  EXPECT_TRUE(environment.write(Space::ordinary));
}

TEST_F(Transactions, OfOneThreadNeverWaitForThemselves) {
  options_.deadline = std::chrono::hours(24);
  const Environment environment = create_and_open();
  const auto first = environment.write(Space::ordinary);
  ASSERT_TRUE(first);
  EXPECT_EQ(code_of(environment.write(Space::ordinary)), "busy");
}

TEST_F(Transactions, WaitForTheWriterBeforeThem) {
  const Environment environment = create_and_open();
  std::optional<WriteTxn> first = environment.write(Space::ordinary).value();
  ASSERT_TRUE(first->put(as_bytes("one"), as_bytes("value")));
  std::thread second([&] { EXPECT_TRUE(put(environment, "two", "value")); });
  ASSERT_TRUE(std::move(*first).commit());
  second.join();
  EXPECT_EQ(environment.stats()->entries, 2U);
}

TEST_F(Transactions, OfWritersEndOnTheirOwnThread) {
  const Environment environment = create_and_open();
  const int status = test::in_child([&] {
    const Environment own = reopen().value();
    auto txn = own.write(Space::ordinary);
    std::thread([&] { const WriteTxn elsewhere = std::move(*txn); }).join();
    return 0;
  });
  EXPECT_TRUE(test::died_of(status, SIGABRT));
}

TEST_F(Scans, YieldThePrefixInKeyOrder) {
  const Environment environment = create_and_open();
  for (const char* key : {"a", "ab", "ab0", "ab1", "ab12", "ac", "b"})
    ASSERT_TRUE(put(environment, key, key));
  const auto seen = [&](std::string_view prefix, std::string_view first) {
    std::vector<std::string> out;
    const auto txn = environment.read();
    EXPECT_TRUE(txn->scan(as_bytes(prefix), as_bytes(first), [&](ReadTxn::Entry entry) {
      EXPECT_EQ(as_text(entry.key), as_text(entry.value));
      out.emplace_back(as_text(entry.key));
      return Result<Flow>(Flow::more);
    }));
    return out;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(seen("ab", ""), (Keys{"ab", "ab0", "ab1", "ab12"}));
  EXPECT_EQ(seen("ab", "ab1"), (Keys{"ab1", "ab12"}));
  EXPECT_EQ(seen("ab", "ab00"), (Keys{"ab1", "ab12"}));
  EXPECT_EQ(seen("ab", "a"), (Keys{"ab", "ab0", "ab1", "ab12"}));
  EXPECT_EQ(seen("ab", "b"), Keys{});
  EXPECT_EQ(seen("", "ac"), (Keys{"ac", "b"}));
  EXPECT_EQ(seen("", ""), (Keys{"a", "ab", "ab0", "ab1", "ab12", "ac", "b"}));
  EXPECT_EQ(seen("c", ""), Keys{});
}

TEST_F(Scans, EndWhereTheCallerSays) {
  const Environment environment = create_and_open();
  for (const char* key : {"1", "2", "3"}) ASSERT_TRUE(put(environment, key, "value"));
  const auto txn = environment.read();
  int calls = 0;
  EXPECT_TRUE(txn->scan({}, {}, [&](ReadTxn::Entry) {
    return Result<Flow>(++calls == 2 ? Flow::stop : Flow::more);
  }));
  EXPECT_EQ(calls, 2);
  const Status failed = txn->scan({}, {}, [&](ReadTxn::Entry) -> Result<Flow> {
    return Error(Errc::conflict, "the caller's own");
  });
  EXPECT_EQ(code_of(failed), "conflict");
}

TEST_F(Scans, BeginNowhereBeyondTheLongestKey) {
  const Environment environment = create_and_open();
  const auto txn = environment.read();
  const std::string longest(511, 'k');
  const auto scan = [&](std::string_view prefix, std::string_view first) {
    return code_of(
        txn->scan(as_bytes(prefix), as_bytes(first), [](ReadTxn::Entry) { return Flow::more; }));
  };
  EXPECT_EQ(scan(longest, longest), "");
  EXPECT_EQ(scan(longest + "k", ""), "invalid_argument");
  EXPECT_EQ(scan("", longest + "k"), "invalid_argument");
}

TEST_F(Scans, MayBeNested) {
  const Environment environment = create_and_open();
  for (const char* key : {"1", "2", "3"}) ASSERT_TRUE(put(environment, key, "value"));
  const auto txn = environment.read();
  int inner = 0;
  EXPECT_TRUE(txn->scan({}, {}, [&](ReadTxn::Entry) -> Result<Flow> {
    if (auto scanned = txn->scan({}, {},
                                 [&](ReadTxn::Entry) {
                                   ++inner;
                                   return Result<Flow>(Flow::more);
                                 });
        !scanned)
      return scanned.error();
    return Flow::more;
  }));
  EXPECT_EQ(inner, 9);
}

TEST_F(Scans, RefuseChangesWhileTheyRun) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "key", "value"));
  auto txn = environment.write(Space::ordinary);
  EXPECT_TRUE(txn->scan({}, {}, [&](ReadTxn::Entry) {
    EXPECT_EQ(code_of(txn->put(as_bytes("new"), as_bytes("value"))), "invalid_argument");
    EXPECT_EQ(code_of(txn->remove(as_bytes("key"))), "invalid_argument");
    return Result<Flow>(Flow::more);
  }));
  EXPECT_TRUE(*txn->remove(as_bytes("key")));
  EXPECT_TRUE(std::move(*txn).commit());
}

TEST(Gates, KeepOutAtTheDeadlineWhoComesWhileTheyAreShut) {
  Gate gate;
  ASSERT_TRUE(gate.shut(1ms));
  EXPECT_FALSE(gate.enter(1ms));
  EXPECT_FALSE(gate.shut(1ms));
  gate.reopen();
  const auto lane = gate.enter(1ms);
  ASSERT_TRUE(lane);
  EXPECT_FALSE(gate.shut(1ms));  // Somebody is in.
  gate.leave(*lane);
  EXPECT_TRUE(gate.shut(1ms));
}

TEST(PieceOfAPage, ThatIsShorterThanItsHeaderHasNoNumber) {
  std::vector<std::byte> piece(data_page_header_bytes, std::byte{1});
  EXPECT_EQ(page_number(piece), 0x0101010101010101U);
  piece.pop_back();
  EXPECT_EQ(page_number(piece), 0u);
}

TEST_F(Environments, AnswerBusyWhenAllReaderSlotsAreTaken) {
  options_.readers_max = 3;
  const Environment environment = create_and_open();
  std::vector<ReadTxn> held;
  std::string_view last;
  while (held.size() < 1000) {
    auto txn = environment.read();
    last = code_of(txn);
    if (!txn) break;
    held.push_back(std::move(*txn));
  }
  EXPECT_EQ(last, "busy");
  EXPECT_GE(held.size(), 3U);
  held.pop_back();
  EXPECT_TRUE(environment.read());
}

TEST_F(Environments, SayWhatTheyHold) {
  const Environment environment = create_and_open();
  const auto empty = environment.stats();
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->entries, 0U);
  const std::string value(100'000, 'v');
  ASSERT_TRUE(put(environment, "key", value));
  const auto stats = environment.stats();
  EXPECT_EQ(stats->entries, 1U);
  EXPECT_GE(stats->used_bytes, empty->used_bytes + value.size());
  EXPECT_GE(stats->file_bytes, stats->used_bytes);
  EXPECT_EQ(stats->map_bytes, options_.map_bytes);
  EXPECT_EQ(stats->last_transaction, empty->last_transaction + 1);
  EXPECT_FALSE(environment.latched());
}

TEST_F(Environments, RefuseOptionsOutOfRange) {
  const auto with = [&](auto&& change) {
    EnvironmentOptions options = options_;
    change(options);
    EXPECT_EQ(code_of(Environment::open(directory(), options)), "invalid_argument");
    return code_of(Environment::create(directory(), options));
  };
  EXPECT_EQ(with([](auto& options) { options.map_bytes = 0; }), "invalid_argument");
  EXPECT_EQ(with([](auto& options) { options.map_bytes_max = options.map_bytes - 1; }),
            "invalid_argument");
  EXPECT_EQ(with([](auto& options) { options.map_bytes_max = std::size_t{1} << 60; }),
            "invalid_argument");
  EXPECT_EQ(with([](auto& options) { options.readers_max = 0; }), "invalid_argument");
  EXPECT_EQ(with([](auto& options) { options.deadline = -1ms; }), "invalid_argument");
}

TEST_F(Environments, MustOutliveTheirTransactions) {
  create();
  const int status = test::in_child([&] {
    std::optional<Environment> environment = reopen().value();
    const auto txn = environment->read();
    environment.reset();
    return 0;
  });
  EXPECT_TRUE(test::died_of(status, SIGABRT));
}

}  // namespace
}  // namespace efface::storage
