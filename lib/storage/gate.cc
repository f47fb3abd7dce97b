#include "storage/gate.h"

#include "base/check.h"

namespace efface::storage {

std::size_t thread_number() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

// Either the one who enters sees that the gate is shut, or the one who shuts it sees the count:
// both write first and read afterwards, in the one order of sequential consistency.
std::optional<Gate::Lane> Gate::enter(std::chrono::milliseconds deadline) {
  const Lane lane = thread_number() % lanes_.size();
  std::optional<std::chrono::steady_clock::time_point> until;
  for (;;) {
    lanes_[lane].inside.fetch_add(1);
    if (!shut_.load()) return lane;
    leave(lane);
    if (!until) until = std::chrono::steady_clock::now() + deadline;
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, *until, [this] { return !shut_.load(); })) return std::nullopt;
  }
}

void Gate::leave(Lane lane) noexcept {
  const std::uint32_t before = lanes_[lane].inside.fetch_sub(1);
  EFFACE_CHECK(before > 0);
  if (!shut_.load()) return;
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

bool Gate::shut(std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, until, [this] { return !shut_.load(); })) return false;
  shut_.store(true);
  if (changed_.wait_until(lock, until, [this] { return is_empty(); })) return true;
  shut_.store(false);
  changed_.notify_all();
  return false;
}

void Gate::reopen() noexcept {
  const std::lock_guard lock(mutex_);
  shut_.store(false);
  changed_.notify_all();
}

bool Gate::is_empty() const noexcept {
  for (const Count& count : lanes_)
    if (count.inside.load() != 0) return false;
  return true;
}

bool WriterTurn::take(std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  const std::size_t self = thread_number();
  std::unique_lock lock(mutex_);
  if (taken_ && holder_ == self) return false;
  if (!changed_.wait_until(lock, until, [this] { return !taken_; })) return false;
  taken_ = true;
  holder_ = self;
  return true;
}

bool WriterTurn::is_mine() noexcept {
  const std::lock_guard lock(mutex_);
  return taken_ && holder_ == thread_number();
}

void WriterTurn::give_back() noexcept {
  {
    const std::lock_guard lock(mutex_);
    EFFACE_CHECK(taken_ && holder_ == thread_number());
    taken_ = false;
  }
  changed_.notify_one();
}

}  // namespace efface::storage
