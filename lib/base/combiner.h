// base/combiner.h -- jobs that wait at the same time are done as one: leader and followers.
//
// A caller either becomes the leader and does everybody's work, its own among it, or waits until a
// leader has done its. No background thread. Jobs are taken in the order they came, and who has
// waited longest leads next.
//
// A leader waits for those of the last time, who were told a moment ago and are likely to come
// again: until as many are here, but no longer than half of what the last work took, and never over
// a millisecond. Who is alone waits for nobody.
//
// Threads  run() from any number of threads at once; work runs in one thread at a time.
// Cost     Uncontended: two uncontended locks and two looks at the clock.
// Source   Hendler et al., Flat Combining, SPAA 2010; PostgreSQL's commit_delay for the waiting.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "efface/bytes.h"

namespace efface::base {

template <class Job>
class Combiner {
 public:
  // At most so many jobs at once, and of so much weight together (one job may weigh more).
  Combiner(std::size_t jobs_max, std::size_t weight_max)
      : jobs_max_(jobs_max), weight_max_(weight_max) {}

  // Returns when `job` has been part of one call of somebody's work, which must not throw. Throws
  // std::bad_alloc, and then it has not been and will not be.
  void run(Job& job, std::size_t weight, FunctionRef<void(std::span<Job* const>)> work) {
    std::unique_lock lock(mutex_);
    Waiting mine{&job, weight};
    waiting_.push_back(&mine);
    mine.leads = !std::exchange(led_, true);
    if (waiting_.size() >= wanted_) arrived_.notify_one();
    while (!mine.done) {
      if (!mine.leads) {
        mine.changed.wait(lock);
        continue;
      }
      Group group;
      try {
        gather(lock);
        group = take();
      } catch (...) {  // Nobody may find what is gone with this call.
        std::erase(waiting_, &mine);
        pass_on();
        throw;
      }
      lock.unlock();
      const auto begun = Clock::now();
      work(group.jobs);
      last_work_ = Clock::now() - begun;
      lock.lock();
      last_size_ = group.jobs.size();
      mine.leads = false;
      for (Waiting* one : group.taken) {
        one->done = true;
        one->changed.notify_one();
      }
      pass_on();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::duration patience_max = std::chrono::milliseconds(1);

  struct Waiting {
    Job* job;
    std::size_t weight;
    bool done = false;
    bool leads = false;
    std::condition_variable changed{};
  };
  struct Group {
    std::vector<Waiting*> taken;
    std::vector<Job*> jobs;
  };

  void gather(std::unique_lock<std::mutex>& lock) {
    const std::size_t wanted = std::min(last_size_, jobs_max_);
    if (waiting_.size() >= wanted) return;
    wanted_ = wanted;
    arrived_.wait_for(lock, std::min(last_work_ / 2, patience_max),
                      [&] { return waiting_.size() >= wanted; });
    wanted_ = nobody;
  }

  Group take() {
    Group group;
    group.taken.reserve(std::min(waiting_.size(), jobs_max_));
    group.jobs.reserve(group.taken.capacity());
    for (std::size_t total = 0; !waiting_.empty() && group.taken.size() < jobs_max_;) {
      total += waiting_.front()->weight;
      if (total > weight_max_ && !group.taken.empty()) break;
      group.taken.push_back(waiting_.front());
      group.jobs.push_back(waiting_.front()->job);
      waiting_.pop_front();
    }
    return group;
  }

  // The leader itself may be among those that wait still, and then may lead again.
  void pass_on() noexcept {
    led_ = !waiting_.empty();
    if (!led_) return;
    waiting_.front()->leads = true;
    waiting_.front()->changed.notify_one();
  }

  static constexpr std::size_t nobody = ~std::size_t{0};
  const std::size_t jobs_max_;
  const std::size_t weight_max_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Waiting*> waiting_;
  bool led_ = false;             // Somebody leads, or was told to.
  std::size_t wanted_ = nobody;  // Of those that wait, until the leader goes on.
  std::size_t last_size_ = 0;
  Clock::duration last_work_{};  // The leader's.
};

}  // namespace efface::base
