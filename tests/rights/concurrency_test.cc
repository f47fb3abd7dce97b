// What the living have is found, and what is refused is refused, also while something moves.
#include <atomic>
#include <functional>
#include <thread>

#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class Concurrently : public RightsTest {
 protected:
  // Runs work to its end while look runs again and again.
  static void while_doing(const std::function<void()>& work, const std::function<void()>& look) {
    std::atomic<bool> done{false};
    std::atomic<int> looks{0};
    std::thread looking([&] {
      while (!done) {
        look();
        ++looks;
      }
    });
    work();
    while (looks < 10) std::this_thread::yield();
    done = true;
    looking.join();
  }
};

TEST_F(Concurrently, ARecordIsFoundWhileItsScopeIsReKeyed) {
  const Subject alice = enrol("alice");
  for (int i = 0; i < 30; ++i) put(alice, "ratings", "r" + std::to_string(i), "stays");
  std::atomic<int> missed{0};
  const Activity reading = ratings();
  while_doing(
      [&] {
        for (int round = 0; round < 20; ++round) {
          put(alice, "ratings", "passing", "x");
          EXPECT_TRUE(*ratings().remove(alice, RecordName("passing"), Shred::now));
        }
      },
      [&] {
        if (text_of(reading.get(alice, RecordName("r17"))) != "stays") ++missed;
        std::size_t listed = 0;
        const auto end = reading.list(alice, {}, [&](std::string_view name) {
          listed += name != "passing" ? 1 : 0;
          return Flow::more;
        });
        if (!end || listed != 30) ++missed;
      });
  EXPECT_EQ(missed, 0);
}

TEST_F(Concurrently, NothingThatIsWrittenIsLostWhileItsScopeIsReKeyed) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "first", "x");
  const Activity writing = ratings();
  int written = 0;
  while_doing(
      [&] {
        for (int round = 0; round < 20; ++round) {
          put(alice, "ratings", "passing", "x");
          EXPECT_TRUE(*ratings().remove(alice, RecordName("passing"), Shred::now));
        }
      },
      [&] {
        const std::string name = "w" + std::to_string(written);
        if (writing.put(alice, RecordName(name), as_bytes(name))) ++written;
      });
  EXPECT_GT(written, 9);
  for (int i = 0; i < written; ++i) {
    const std::string name = "w" + std::to_string(i);
    EXPECT_EQ(get(alice, "ratings", name), name);
  }
}

// Who gets a further identifier after she was found is looked at again, and goes with it.
TEST_F(Concurrently, IdentifiersThatAreAddedWhileManyAreErasedLeadToNobody) {
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back("p" + std::to_string(i));
  const std::vector<SubjectId> ids(names.begin(), names.end());
  std::size_t added = 0;
  for (int round = 0; round < 20; ++round) {
    // Nor to who comes under the same ids later.
    ASSERT_TRUE(tenant_->find_or_enrol(ids, *eu_));
    for (const std::string& name : names)
      ASSERT_EQ(code_of(tenant_->subject(SubjectId("also " + name))), Errc::subject_unknown);
    std::atomic<std::size_t> next{names.size()};
    while_doing(
        [&] {
          while (next > names.size() - 3) std::this_thread::yield();
          const auto erased = tenant_->erase(ids);
          ASSERT_TRUE(erased);
          EXPECT_EQ(erased->erased, names.size());
        },
        [&] {
          if (next == 0) return;
          const std::string& name = names[--next];
          const auto subject = tenant_->subject(SubjectId(name));
          const std::string also = "also " + name;
          if (subject && tenant_->add_identifier(*subject, SubjectId(also))) ++added;
        });
  }
  EXPECT_GT(added, 20u);
  const auto report = store_->check();
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->clean());
}

TEST_F(Concurrently, WhatWasRestrictedIsReadByNobodyOnceItHasAnswered) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  std::atomic<int> phase{0};  // Odd: restricted, and that has answered.
  std::atomic<int> leaked{0};
  const Activity reading = ratings();
  while_doing(
      [&] {
        for (int round = 0; round < 50; ++round) {
          ASSERT_TRUE(tenant_->restrict(alice));
          ++phase;
          std::this_thread::yield();
          ++phase;
          ASSERT_TRUE(tenant_->lift_restriction(alice));
        }
      },
      [&] {
        const int before = phase;
        const std::string found = text_of(reading.get(alice, RecordName("a")));
        if (before % 2 == 1 && phase == before && found == "x") ++leaked;
        if (found != "x" && found != "error: restricted") ++leaked;
      });
  EXPECT_EQ(leaked, 0);
}

TEST_F(Concurrently, APersonIsReadInOneRegionOrTheOtherWhileSheMoves) {
  put(enrol("alice"), "ratings", "a", "x");
  std::atomic<int> missed{0};
  while_doing(
      [&] {
        for (const Region& to : {*us_, *eu_, *us_, *eu_, *us_, *eu_, *us_, *eu_, *us_, *eu_})
          EXPECT_TRUE(tenant_->transfer(find("alice"), to, TransferBasis::adequacy));
      },
      [&] {
        // Between looking her up and reading she may have moved: then she is looked up anew.
        const auto subject = tenant_->subject(SubjectId("alice"));
        if (!subject) {
          ++missed;
          return;
        }
        const std::string found = get(*subject, "ratings", "a");
        if (found != "x" && found != "error: subject_erased") ++missed;
      });
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace efface::test
