// records/queue.h -- batches that were acknowledged ahead of their commit: they wait here, sealed
// and in order, until the next commit of the region's records takes all of them.
//
// Threads  Shared. Anybody adds and looks; who holds the records lock takes away.
// Errors   None of its own.
// Cost     A batch: a lock, and a search for each of its records.
#pragma once
#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "efface/result.h"
#include "records/change.h"

namespace efface::records {

// One batch. What its maker knows of it beside, he keeps in a class of his own.
struct Waiting {
  Waiting() = default;
  virtual ~Waiting() = default;
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  std::vector<Change> changes{};  // Which expect nothing.
  std::int64_t now_ms = 0;        // When it was acknowledged, since 1970.
  const void* owner = nullptr;    // Who must be there while it waits.
  // When it was decided again. Such a batch is dropped when the others are stored.
  std::optional<Error> refused{};
};

class Queue {
 public:
  // True: it waits now. False, and the caller still has it: there is no room, or nothing may wait.
  // still_valid runs in between, so that whoever changes what it asks, and looks at the queue
  // afterwards, finds every batch that it found valid before. Errors: its.
  Result<bool> add(std::unique_ptr<Waiting>& batch, FunctionRef<Status()> still_valid);

  bool empty() const noexcept { return waiting_.load(std::memory_order_acquire) == 0; }
  bool has(const keyring::Handle& handle) const;  // Anything of it.
  // The newest that waits for a key: its sealed bytes, or none where it is to be removed.
  std::optional<std::vector<std::byte>> find(const RecordKey& key) const;

  // ---- for who holds the records lock ----
  std::vector<Waiting*> all() const;                  // In their order. They stay.
  void remove_oldest(std::size_t n) noexcept;         // Notes the first that was refused.
  std::size_t remove_of(const void* owner) noexcept;  // Answers how many.
  std::optional<Error> take_refusal() noexcept;  // Of what was dropped since it was asked last.

  // While one is there nothing may wait.
  class Shut {
   public:
    explicit Shut(Queue& queue) noexcept;
    ~Shut();
    Shut(const Shut&) = delete;
    Shut& operator=(const Shut&) = delete;

   private:
    Queue& queue_;
  };

 private:
  void forget(const Waiting& batch) noexcept;  // By mutex_.

  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<Waiting>> batches_;
  std::map<RecordKey, const Change*> newest_;
  std::size_t records_ = 0;
  std::size_t bytes_ = 0;
  std::size_t shut_ = 0;
  std::optional<Error> refusal_;
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace efface::records
