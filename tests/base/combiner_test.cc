#include "base/combiner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace efface::base {
namespace {

struct Job {
  int number = 0;
  bool done = false;
};

TEST(Combiner, DoesAJobThatIsAlone) {
  Combiner<Job> combiner(10, 100);
  Job job;
  combiner.run(job, 1, [](std::span<Job* const> jobs) {
    ASSERT_EQ(jobs.size(), 1u);
    jobs[0]->done = true;
  });
  EXPECT_TRUE(job.done);
}

TEST(Combiner, DoesEveryJobOnceByOneThreadAtATime) {
  Combiner<Job> combiner(1000, 1'000'000);
  std::atomic<int> inside{0};
  std::atomic<int> done{0};
  std::atomic<int> calls{0};
  const auto work = [&](std::span<Job* const> jobs) {
    EXPECT_EQ(++inside, 1);
    ++calls;
    for (Job* job : jobs) {
      EXPECT_FALSE(job->done);
      job->done = true;
      ++done;
    }
    --inside;
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          Job job;
          combiner.run(job, 1, work);
          EXPECT_TRUE(job.done);
        }
      });
  }
  EXPECT_EQ(done, 8 * 500);
  EXPECT_LE(calls, done);
}

TEST(Combiner, WhatWaitsDuringOneCallIsTogetherInTheNext) {
  Combiner<Job> combiner(1000, 1'000'000);
  std::atomic<bool> leading{false};
  std::atomic<bool> go{false};
  std::atomic<std::size_t> largest{0};
  const auto work = [&](std::span<Job* const> jobs) {
    leading = true;
    while (!go) std::this_thread::yield();
    largest = std::max(largest.load(), jobs.size());
  };
  std::vector<std::jthread> threads;
  threads.emplace_back([&] {
    Job job;
    combiner.run(job, 1, work);
  });
  while (!leading) std::this_thread::yield();
  std::atomic<int> started{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      Job job;
      ++started;
      combiner.run(job, 1, work);
    });
  while (started < 8) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // Until they wait.
  go = true;
  threads.clear();
  EXPECT_GT(largest, 1u);
}

TEST(Combiner, TakesNoMoreWeightThanItMayButAlwaysOne) {
  Combiner<Job> combiner(1000, 10);
  Job heavy;
  std::size_t taken = 0;
  combiner.run(heavy, 500, [&](std::span<Job* const> jobs) { taken = jobs.size(); });
  EXPECT_EQ(taken, 1u);
}

}  // namespace
}  // namespace efface::base
