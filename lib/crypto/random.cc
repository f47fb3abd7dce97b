#include "crypto/random.h"

#include <pthread.h>
#include <sodium.h>

#include <atomic>
#include <mutex>

#include "base/check.h"

namespace efface::crypto {
namespace {

constexpr std::size_t buffer_bytes = 4096;
constexpr std::size_t direct_bytes = 1024;  // From here on a system call of its own.

std::atomic<std::uint32_t> fork_generation{1};

// Generation 0 is never current, so a fresh buffer is a used-up one.
struct Buffer {
  std::uint32_t generation = 0;
  std::size_t used = 0;
  std::array<std::byte, buffer_bytes> bytes;
};
thread_local constinit Buffer pool{.bytes = {}};

void refill() noexcept {
  EFFACE_CHECK(watch_forks_for_random());
  // ChaCha20 under a fresh seed of the system fills the buffer in a tenth of the time that the
  // system takes for it; the seed is gone before the first byte is handed out.
  unsigned char seed[randombytes_SEEDBYTES];
  randombytes_buf(seed, sizeof seed);
  randombytes_buf_deterministic(pool.bytes.data(), pool.bytes.size(), seed);
  sodium_memzero(seed, sizeof seed);
  pool.used = 0;
  pool.generation = fork_generation.load(std::memory_order_relaxed);
}

}  // namespace

bool watch_forks_for_random() noexcept {
  static std::atomic<bool> watching{false};
  static std::mutex mutex;
  if (watching.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(mutex);
  if (watching.load(std::memory_order_relaxed)) return true;
  const int rc = pthread_atfork(nullptr, nullptr,
                                [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });
  watching.store(rc == 0, std::memory_order_release);
  return rc == 0;
}

void fill_random(MutableBytes out) noexcept {
  if (out.empty()) return;
  if (out.size() >= direct_bytes) {
    randombytes_buf(out.data(), out.size());
    return;
  }
  if (pool.generation != fork_generation.load(std::memory_order_relaxed) ||
      buffer_bytes - pool.used < out.size())
    refill();
  std::byte* const next = pool.bytes.data() + pool.used;
  std::memcpy(out.data(), next, out.size());
  sodium_memzero(next, out.size());  // What was handed out cannot be read back later.
  pool.used += out.size();
}

}  // namespace efface::crypto
