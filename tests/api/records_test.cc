// What can be done with records, and what happens at the edges.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support/two_regions.h"

namespace efface::test {
namespace {

using Records = StoreTest;

std::vector<std::string> names_of(const Activity& activity, const Subject& subject,
                                  const ScanOptions& options = {}) {
  std::vector<std::string> names;
  EXPECT_TRUE(activity.list(subject, options, [&](std::string_view listed) {
    names.emplace_back(listed);
    return Flow::more;
  }));
  return names;
}

TEST_F(Records, AreListedInTheOrderOfTheirNames) {
  const Subject alice = enrol("alice");
  for (const char* text : {"b", "a/2", "a/10", "c", "a/1"})
    ASSERT_TRUE(activity().put(alice, RecordName(text), as_bytes(text)));
  EXPECT_EQ(names_of(activity(), alice),
            (std::vector<std::string>{"a/1", "a/10", "a/2", "b", "c"}));
  ScanOptions some;
  some.prefix = "a/";
  some.after = "a/1";
  some.limit = 1;
  EXPECT_EQ(names_of(activity(), alice, some), std::vector<std::string>{"a/10"});
  std::vector<std::string> values;
  const auto end = activity().scan(alice, {}, [&](std::string_view, Bytes value) {
    values.emplace_back(as_text(value));
    return values.size() < 2 ? Flow::more : Flow::stop;
  });
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, ScanEnd::stopped);
  EXPECT_EQ(values, (std::vector<std::string>{"a/1", "a/10"}));
}

TEST_F(Records, VisitShowsTheBytesAndSaysWhetherThereWereAny) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("one")));
  std::string seen;
  const auto look = [&](Bytes value) { seen = as_text(value); };
  EXPECT_TRUE(*activity().visit(alice, RecordName("a"), look));
  EXPECT_EQ(seen, "one");
  EXPECT_FALSE(*activity().visit(alice, RecordName("b"), look));
}

TEST_F(Records, APutReplacesAndARemoveSaysWhetherItWasThere) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("one")));
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("two")));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "two");
  EXPECT_TRUE(*activity().remove(alice, RecordName("a")));
  EXPECT_FALSE(*activity().remove(alice, RecordName("a")));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "absent");
}

TEST_F(Records, AnEmptyValueIsAValue) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(activity().put(alice, RecordName("a"), {}));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "");
}

TEST_F(Records, TheLargestValueComesBackAndOneByteMoreIsRefused) {
  const Subject alice = enrol("alice");
  std::string large(limits::value_bytes_max, 'x');
  for (std::size_t i = 0; i < large.size(); i += 97) large[i] = static_cast<char>('a' + i % 26);
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes(large)));
  EXPECT_TRUE(text_of(activity().get(alice, RecordName("a"))) == large);
  large.push_back('x');
  EXPECT_EQ(code_of(activity().put(alice, RecordName("b"), as_bytes(large))), Errc::too_large);
  EXPECT_EQ(text_of(activity().get(alice, RecordName("b"))), "absent");
}

TEST_F(Records, BadIdsAndNamesAreRefused) {
  const std::string long_id(limits::subject_id_bytes_max + 1, 'i');
  const std::string long_name(limits::record_name_bytes_max + 1, 'n');
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId(""), region())), Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId(long_id), region())), Errc::too_large);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("\xc3\x28"), region())), Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId(""))), Errc::invalid_argument);
  const Subject alice = enrol(std::string(limits::subject_id_bytes_max, 'i'));
  EXPECT_EQ(code_of(activity().put(alice, RecordName(""), {})), Errc::invalid_argument);
  EXPECT_EQ(code_of(activity().put(alice, RecordName(long_name), {})), Errc::too_large);
  EXPECT_EQ(code_of(activity().put(alice, RecordName("\xff"), {})), Errc::invalid_argument);
  EXPECT_EQ(code_of(activity().get(alice, RecordName(""))), Errc::invalid_argument);
  ASSERT_TRUE(activity().put(alice, RecordName(long_name.substr(1)), as_bytes("x")));
  EXPECT_EQ(text_of(activity().get(alice, RecordName(long_name.substr(1)))), "x");
}

TEST_F(Records, UnknownNamesOfThingsAreRefused) {
  EXPECT_EQ(code_of(store_->region("mars")), Errc::region_unknown);
  EXPECT_EQ(code_of(store_->tenant("nobody", Actor("test"))), Errc::tenant_unknown);
  EXPECT_EQ(code_of(tenant_->purpose("none")), Errc::purpose_unknown);
  const Region regions[] = {region()};
  EXPECT_EQ(code_of(store_->declare_tenant("acme", regions, Actor("test"))), Errc::exists);
  EXPECT_EQ(code_of(store_->declare_tenant("Acme", regions, Actor("test"))),
            Errc::invalid_argument);
  EXPECT_EQ(code_of(store_->declare_tenant("new", {}, Actor("test"))), Errc::invalid_argument);
  EXPECT_EQ(code_of(store_->declare_tenant("new", regions, Actor("A Person"))),
            Errc::invalid_argument);
}

TEST_F(Records, ABatchIsAllOrNothing) {
  const Subject alice = enrol("alice");
  Subject bob = enrol("bob");
  Batch batch = activity().batch(region());
  ASSERT_TRUE(batch.put(alice, RecordName("a"), as_bytes("1")));
  ASSERT_TRUE(batch.put(bob, RecordName("b"), as_bytes("2")));
  EXPECT_EQ(batch.records(), 2u);
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "absent");
  ASSERT_TRUE(tenant_->erase(std::move(bob)));
  EXPECT_EQ(code_of(activity().commit(std::move(batch))), Errc::subject_erased);
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "absent");
  Batch again = activity().batch(region());
  ASSERT_TRUE(again.put(alice, RecordName("a"), as_bytes("1")));
  ASSERT_TRUE(activity().commit(std::move(again)));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "1");
}

TEST_F(Records, ABatchSealedBeforeAnErasureIsNotWrittenForWhoIsEnrolledAfterIt) {
  Batch batch = activity().batch(region());
  {
    Subject alice = enrol("alice");
    ASSERT_TRUE(batch.put(alice, RecordName("a"), as_bytes("old")));
    ASSERT_TRUE(tenant_->erase(std::move(alice)));
  }
  const Subject again = enrol("alice");
  EXPECT_EQ(code_of(activity().commit(std::move(batch))), Errc::subject_erased);
  EXPECT_EQ(text_of(activity().get(again, RecordName("a"))), "absent");
}

TEST_F(Records, TheSealedIdDoesNotShowAmongThem) {
  const Subject alice = enrol("alice");
  EXPECT_TRUE(names_of(activity(), alice).empty());
}

TEST_F(Records, AnUpdateSeesWhatIsThereAndWritesWhatItSays) {
  const Subject alice = enrol("alice");
  const auto append = [](std::optional<Bytes> present) -> Result<Update> {
    std::string text = present ? std::string(as_text(*present)) : "";
    text += "+";
    return Update::put(as_bytes(text));
  };
  ASSERT_TRUE(activity().update(alice, RecordName("a"), append));
  ASSERT_TRUE(activity().update(alice, RecordName("a"), append));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "++");
  ASSERT_TRUE(activity().update(alice, RecordName("a"),
                                [](auto) -> Result<Update> { return Update::keep(); }));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "++");
  EXPECT_EQ(code_of(activity().update(
                alice, RecordName("a"),
                [](auto) -> Result<Update> { return Error(Errc::conflict, "the caller's own"); })),
            Errc::conflict);
  ASSERT_TRUE(activity().update(alice, RecordName("a"),
                                [](auto) -> Result<Update> { return Update::remove(); }));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "absent");
}

TEST_F(Records, UpdatesByManyThreadsLoseNothing) {
  const Subject counter = enrol("counter");
  const Activity counting = activity();
  constexpr int threads = 4;
  constexpr int each = 50;
  {
    std::vector<std::jthread> running;
    for (int t = 0; t < threads; ++t)
      running.emplace_back([&] {
        for (int i = 0; i < each; ++i)
          EXPECT_TRUE(counting.update(
              counter, RecordName("n"), [](std::optional<Bytes> present) -> Result<Update> {
                const int n = present ? std::stoi(std::string(as_text(*present))) : 0;
                return Update::put(as_bytes(std::to_string(n + 1)));
              }));
      });
  }
  EXPECT_EQ(text_of(counting.get(counter, RecordName("n"))), std::to_string(threads * each));
}

TEST_F(Records, AnUpdateWritesOverNothingThatCameInBetween) {
  const Subject alice = enrol("alice");
  int calls = 0;
  ASSERT_TRUE(activity().update(
      alice, RecordName("a"), [&](std::optional<Bytes> present) -> Result<Update> {
        if (++calls == 1) {
          EXPECT_TRUE(activity().put(alice, RecordName("a"), as_bytes("theirs")));
        }
        return Update::put(present ? as_bytes("after theirs") : as_bytes("lost theirs"));
      }));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "after theirs");
}

TEST_F(Records, WritersReadersAndErasersGoOnAtTheSameTime) {
  const Activity shared = activity();
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0};
  const Subject stays = enrol("stays");
  ASSERT_TRUE(shared.put(stays, RecordName("a"), as_bytes("here")));
  {
    std::vector<std::jthread> running;
    for (int t = 0; t < 2; ++t)
      running.emplace_back([&] {
        while (!stop) {
          EXPECT_EQ(text_of(shared.get(stays, RecordName("a"))), "here");
          ++reads;
        }
      });
    for (int t = 0; t < 2; ++t)
      running.emplace_back([&, t] {
        for (int i = 0; i < 40; ++i) {
          const std::string id = "w" + std::to_string(t) + "-" + std::to_string(i);
          EXPECT_TRUE(shared.put(SubjectId(id), region(), RecordName("a"), as_bytes(id)));
          auto person = tenant_->subject(SubjectId(id));
          EXPECT_TRUE(person);
          EXPECT_EQ(text_of(shared.get(*person, RecordName("a"))), id);
          if (i % 2 == 1) continue;
          EXPECT_TRUE(tenant_->erase(*std::move(person)));
        }
      });
    running[2].join();
    running[3].join();
    stop = true;
  }
  EXPECT_GT(reads, 0);
  for (int i = 0; i < 40; ++i) {
    const std::string id = "w1-" + std::to_string(i);
    EXPECT_EQ(static_cast<bool>(tenant_->subject(SubjectId(id))), i % 2 == 1);
  }
}

TEST_F(Records, WhatCompressesTakesLessRoom) {
  const Subject alice = enrol("alice");
  PurposeTerms plain;
  plain.name = "plain";
  plain.compress = false;
  const Activity loose = tenant_->activity(tenant_->declare_purpose(plain).value()).value();
  const std::string text(100'000, 'z');
  Batch packed = activity().batch(region());
  ASSERT_TRUE(packed.put(alice, RecordName("a"), as_bytes(text)));
  Batch unpacked = loose.batch(region());
  ASSERT_TRUE(unpacked.put(alice, RecordName("a"), as_bytes(text)));
  EXPECT_LT(packed.sealed_bytes(), 1'000u);
  EXPECT_GT(unpacked.sealed_bytes(), text.size());
  ASSERT_TRUE(activity().commit(std::move(packed)));
  EXPECT_TRUE(text_of(activity().get(alice, RecordName("a"))) == text);
}

TEST_F(Records, AChildOfForkIsRefused) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("x")));
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = code_of(activity().put(alice, RecordName("b"), {})).has_value() &&
                         code_of(tenant_->enrol(SubjectId("bob"), region())) == Errc::forked;
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "x");
}

}  // namespace
}  // namespace efface::test
