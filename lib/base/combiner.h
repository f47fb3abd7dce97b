// base/combiner.h -- jobs that wait at the same time are done as one: leader and followers.
//
// A caller either becomes the leader and does everybody's work, its own first, or waits until a
// leader has done its. No background thread. Jobs are taken in the order they came.
//
// Threads  run() from any number of threads at once; work runs in one thread at a time.
// Cost     Uncontended: two uncontended locks.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
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
    Waiting mine{&job, weight, false};
    waiting_.push_back(&mine);
    while (!mine.done) {
      if (leading_) {
        changed_.wait(lock);
        continue;
      }
      std::vector<Waiting*> taken;
      std::vector<Job*> jobs;
      try {
        taken.reserve(std::min(waiting_.size(), jobs_max_));
        jobs.reserve(taken.capacity());
      } catch (...) {  // Nobody may find what is gone with this call.
        std::erase(waiting_, &mine);
        throw;
      }
      leading_ = true;
      for (std::size_t total = 0; !waiting_.empty() && taken.size() < jobs_max_;) {
        total += waiting_.front()->weight;
        if (total > weight_max_ && !taken.empty()) break;
        taken.push_back(waiting_.front());
        jobs.push_back(waiting_.front()->job);
        waiting_.pop_front();
      }
      lock.unlock();
      work(jobs);
      lock.lock();
      for (Waiting* done : taken) done->done = true;
      leading_ = false;
      changed_.notify_all();
    }
  }

 private:
  struct Waiting {
    Job* job;
    std::size_t weight;
    bool done;
  };
  const std::size_t jobs_max_;
  const std::size_t weight_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting*> waiting_;
  bool leading_ = false;
};

}  // namespace efface::base
