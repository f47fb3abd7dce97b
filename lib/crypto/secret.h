// crypto/secret.h -- where keys live: locked, dump-excluded, wiped memory.
//
// One guarded arena for the process, in chunks between inaccessible pages, mlocked, MADV_DONTDUMP
// and MADV_WIPEONFORK, cut into slots of a few size classes (32 B to 64 KiB). sodium_malloc is not
// used: it costs 20 microseconds and four pages an object, stops at 16,377 of them, and is silently
// unlocked past RLIMIT_MEMLOCK.
//
// Threads  SecretKey and SecretBuffer are values; the arena behind them is shared and thread-safe.
// Forks    In a child every existing key reads as zeros. New ones can be made; as locks are not
//          inherited, the arena locks its memory again before the first of them.
// Errors   std::bad_alloc when the system gives no memory, or refuses to lock it and the policy is
//          required. The public API turns that into Errc::out_of_memory or Errc::memory_not_locked.
// Cost     A slot is about 30 ns; a new chunk (64 KiB or more) is a few system calls.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include "base/bytes.h"
#include "efface/result.h"

namespace efface::crypto {

inline constexpr std::size_t key_bytes = 32;
using KeySpan = std::span<std::byte, key_bytes>;
using KeyView = std::span<const std::byte, key_bytes>;

// Once per process, before anything else of this layer: libsodium, and the fork handler.
// Errors: io when libsodium has no randomness.
Status initialise() noexcept;

// Whether secrets may live in memory that the system refused to lock. Process-wide; the strictest
// caller wins. required: allocation throws memory_lock_refused.
enum class LockPolicy : bool { best_effort, required };
void require_locked_memory() noexcept;

// Thrown instead of plain std::bad_alloc, so that the two can be told apart.
class memory_lock_refused : public std::bad_alloc {
 public:
  const char* what() const noexcept override;
};

struct ArenaStats {
  std::size_t chunk_bytes;     // mapped for secrets
  std::size_t unlocked_bytes;  // of these, not locked, or not kept from core dumps and from forks
  std::size_t slots_in_use;
};
ArenaStats arena_stats() noexcept;

// Tries to map and lock one chunk now. Errors: memory_not_locked, out_of_memory.
Status probe_locked_memory() noexcept;

// Overwrites memory in a way that the compiler keeps (sodium_memzero).
void wipe(MutableBytes bytes) noexcept;

// In constant time.
bool equal(Bytes a, Bytes b) noexcept;

// Secret bytes of a size chosen at run time, at most 64 KiB. Move-only; wiped when it ends.
class SecretBuffer {
 public:
  SecretBuffer() noexcept = default;
  explicit SecretBuffer(std::size_t size);  // Zeroed. Throws std::bad_alloc.
  SecretBuffer(SecretBuffer&& other) noexcept;
  SecretBuffer& operator=(SecretBuffer&& other) noexcept;
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer();

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  MutableBytes bytes() noexcept { return {data_, size_}; }
  Bytes bytes() const noexcept { return {data_, size_}; }

  static constexpr std::size_t size_max = 64 * 1024;

 private:
  void release() noexcept;
  std::byte* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t chunk_ = 0;  // which chunk of its size class
};

// A 32-byte key. Move-only; empty after a move; wiped when it ends.
class SecretKey {
 public:
  SecretKey() noexcept = default;         // Empty: bytes() must not be called.
  static SecretKey random();              // Fresh from the system, never from a buffer.
  static SecretKey copy_of(KeyView key);  // The original stays with its owner.
  static SecretKey zeroed();              // For an output parameter.
  SecretKey clone() const { return copy_of(bytes()); }

  bool empty() const noexcept { return buffer_.size() == 0; }
  KeyView bytes() const noexcept;
  KeySpan bytes() noexcept;

 private:
  SecretBuffer buffer_;
};

}  // namespace efface::crypto
