// storage/gate.h -- who may be inside an environment: all its transactions, or the one that moves
// the map; and which thread may write.
//
// LMDB guards neither: a map that moves under a transaction is a crash, and its writer mutex waits
// for ever.
//
// Threads  All calls from any thread. Cost of enter and leave: one uncontended atomic each.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

namespace efface::storage {

// Any number inside, or one alone.
class Gate {
 public:
  using Lane = std::size_t;  // Where an entrance was counted: leave by the same.

  // Nothing when the gate stayed shut until the deadline.
  std::optional<Lane> enter(std::chrono::milliseconds deadline);
  void leave(Lane lane) noexcept;

  // Waits for everybody to leave, keeping new ones out. False, and open again, at the deadline.
  bool shut(std::chrono::milliseconds deadline);
  void reopen() noexcept;
  bool is_empty() const noexcept;

 private:
  // Threads count in lanes of their own, so that readers do not share a cache line.
  struct alignas(64) Count {
    std::atomic<std::uint32_t> inside{0};
  };
  std::array<Count, 16> lanes_;
  alignas(64) std::atomic<bool> shut_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

// A number for the calling thread, small and dense: the lane it prefers.
std::size_t thread_number() noexcept;

// One writer at a time, with a deadline. Released by the thread that took it.
class WriterTurn {
 public:
  // False at the deadline; at once where the calling thread has it already.
  bool take(std::chrono::milliseconds deadline);
  void give_back() noexcept;
  bool is_mine() noexcept;  // The calling thread's.

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool taken_ = false;
  std::size_t holder_ = 0;  // A thread_number.
};

}  // namespace efface::storage
