// People who are enrolled at the same time: they share commits, and each is told what is hers.
#include <set>
#include <thread>

#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class EnrolledTogether : public RightsTest {
 protected:
  static constexpr int threads = 8;

  std::uint64_t keyring_commits() { return store_->stats()->regions[0].keyring_sequence; }
  static std::string id_of(int thread, int i) {
    return "t" + std::to_string(thread) + "-" + std::to_string(i);
  }
  template <class Work>
  static void by_threads(Work&& work) {
    std::atomic<int> ready{0};
    std::vector<std::jthread> running;
    for (int t = 0; t < threads; ++t)
      running.emplace_back([&, t] {
        ++ready;
        while (ready < threads) std::this_thread::yield();
        work(t);
      });
  }
};

// Whether threads meet is up to the scheduler: they try until they have.
TEST_F(EnrolledTogether, SharesCommitsOfTheKeyring) {
  constexpr int alone = 25, rounds_max = 200;
  enrol("first");  // With the bucket of what never expires.
  std::uint64_t before = keyring_commits();
  for (int i = 0; i < alone; ++i) enrol("alone" + std::to_string(i));
  EXPECT_EQ(keyring_commits(), before + alone);
  before = keyring_commits();
  int rounds = 0;
  std::uint64_t people = 0;
  do {
    by_threads(
        [&](int t) { EXPECT_TRUE(tenant_->enrol(SubjectId(id_of(t, rounds)), *eu_).has_value()); });
    people += threads;
  } while (keyring_commits() - before == people && ++rounds < rounds_max);
  EXPECT_LT(keyring_commits() - before, people);
  std::set<std::string> listed;
  ASSERT_TRUE(
      tenant_->query({}, {}, [&](std::string_view id, const Region&) { listed.emplace(id); }));
  EXPECT_EQ(listed.size(), 1 + alone + people);
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(EnrolledTogether, OfOneIdOneIsMadeAndTheOthersAreToldSo) {
  for (int round = 0; round < 10; ++round) {
    const std::string id = "p" + std::to_string(round);
    std::atomic<int> made{0};
    by_threads([&](int) {
      const auto enrolled = tenant_->enrol(SubjectId(id), *eu_);
      if (enrolled) {
        ++made;
      } else {
        EXPECT_EQ(enrolled.error().code(), Errc::exists);
      }
    });
    EXPECT_EQ(made, 1);
    EXPECT_TRUE(tenant_->subject(SubjectId(id)));
  }
}

TEST_F(EnrolledTogether, OfOneIdInTwoRegionsOneIsMade) {
  for (int round = 0; round < 10; ++round) {
    const std::string id = "p" + std::to_string(round);
    std::atomic<int> made{0};
    by_threads([&](int t) {
      const auto enrolled = tenant_->enrol(SubjectId(id), t % 2 == 0 ? *eu_ : *us_);
      if (enrolled) {
        ++made;
      } else {
        EXPECT_TRUE(enrolled.error().code() == Errc::exists ||
                    enrolled.error().code() == Errc::region_mismatch);
      }
    });
    EXPECT_EQ(made, 1);
  }
}

TEST_F(EnrolledTogether, BatchesThatOverlapFindTheSamePeople) {
  const Purpose scopes[] = {purpose("ratings")};
  std::array<std::vector<Subject>, threads> found;
  by_threads([&](int t) {
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) names.push_back("p" + std::to_string((t * 5 + i) % 60));
    std::vector<SubjectId> ids(names.begin(), names.end());
    auto people = tenant_->find_or_enrol(ids, *eu_, scopes);
    EXPECT_TRUE(people);
    if (people) found[static_cast<std::size_t>(t)] = *std::move(people);
  });
  std::size_t all = 0;
  ASSERT_TRUE(tenant_->query({}, {}, [&](std::string_view, const Region&) { ++all; }));
  EXPECT_EQ(all, 60u);
  for (int t = 0; t < threads; ++t) {
    const auto& mine = found[static_cast<std::size_t>(t)];
    ASSERT_EQ(mine.size(), 40u);
    put(mine[7], "ratings", "by", std::to_string(t));
    EXPECT_EQ(get(find("p" + std::to_string((t * 5 + 7) % 60)), "ratings", "by"),
              std::to_string(t));
  }
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(EnrolledTogether, WhoIsRefusedKeepsNobodyElseFromIt) {
  ASSERT_TRUE(tenant_->suppress(SubjectId("nobody")));
  enrol("there");
  std::atomic<int> made{0};
  by_threads([&](int t) {
    for (int i = 0; i < 10; ++i) {
      const auto enrolled = t == 0   ? tenant_->enrol(SubjectId("nobody"), *eu_)
                            : t == 1 ? tenant_->enrol(SubjectId("there"), *eu_)
                                     : tenant_->enrol(SubjectId(id_of(t, i)), *eu_);
      EXPECT_EQ(code_of(enrolled), t == 0   ? std::optional(Errc::suppressed)
                                   : t == 1 ? std::optional(Errc::exists)
                                            : std::nullopt);
      if (enrolled) ++made;
    }
  });
  EXPECT_EQ(made, 10 * (threads - 2));
}

TEST_F(EnrolledTogether, EachCallHasAnEntryOfTheLedgerWithItsOwnNumber) {
  by_threads([&](int t) {
    std::vector<std::string> names;
    for (int i = 0; i <= t; ++i) names.push_back(id_of(t, i));
    const std::vector<SubjectId> ids(names.begin(), names.end());
    EXPECT_TRUE(tenant_->find_or_enrol(ids, *eu_));
  });
  std::vector<std::uint64_t> counts;
  ASSERT_TRUE(store_->each_decision(*eu_, 0, [&](const Decision& decision) {
    if (decision.what == "enrolled") counts.push_back(decision.count.value_or(0));
    return Flow::more;
  }));
  std::sort(counts.begin(), counts.end());
  EXPECT_EQ(counts, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace efface::test
