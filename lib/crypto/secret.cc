#include "crypto/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "crypto/random.h"

namespace efface::crypto {
namespace {

constexpr std::size_t slot_bytes_min = 32;
constexpr std::size_t chunk_bytes_min = 64 * 1024;
constexpr std::size_t chunk_bytes_max = 1024 * 1024;
constexpr std::size_t class_count = 12;
static_assert(slot_bytes_min << (class_count - 1) == SecretBuffer::size_max);
static_assert(SecretBuffer::size_max <= chunk_bytes_min);

std::atomic<bool> lock_required{false};

std::size_t class_of(std::size_t size) noexcept {
  return size <= slot_bytes_min ? 0 : static_cast<std::size_t>(std::bit_width((size - 1) >> 5));
}

// Pages for secrets between two inaccessible ones. Never unmapped once it is in use.
struct Chunk {
  std::byte* base = nullptr;
  std::size_t size = 0;
  bool locked = false;
  std::vector<bool> in_use;  // per slot: a slot that is released twice is a broken invariant
};

// All three are asked for whatever the others answer: memory that may not be locked is still kept
// from dumps. mlock2 without flags is mlock, except that sanitizers do not turn it into nothing.
bool protect(const Chunk& chunk) noexcept {
  const bool locked = mlock2(chunk.base, chunk.size, 0) == 0;
  const bool dumped = madvise(chunk.base, chunk.size, MADV_DONTDUMP) != 0;
  const bool inherited = madvise(chunk.base, chunk.size, MADV_WIPEONFORK) != 0;
  return locked && !dumped && !inherited;
}

std::size_t page_bytes() noexcept {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// base is null when the system gives no memory.
Chunk map_chunk(std::size_t size) noexcept {
  const std::size_t guard = page_bytes();
  void* const all = mmap(nullptr, size + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return {};
  Chunk chunk;
  chunk.base = static_cast<std::byte*>(all) + guard;
  chunk.size = size;
  if (mprotect(chunk.base, size, PROT_READ | PROT_WRITE) != 0) {
    munmap(all, size + 2 * guard);
    return {};
  }
  chunk.locked = protect(chunk);
  return chunk;
}

void unmap_chunk(const Chunk& chunk) noexcept {
  munmap(chunk.base - page_bytes(), chunk.size + 2 * page_bytes());
}

struct Slot {
  std::byte* data;
  std::uint32_t chunk;
};

// All slots of one size. What is free is kept in ordinary memory, outside of the slots: they are
// wiped in a forked child, and a list inside them would be too.
class SizeClass {
 public:
  void set_slot_bytes(std::size_t bytes) noexcept { slot_bytes_ = bytes; }

  Slot take() {
    const std::scoped_lock lock(mutex_);
    const bool required = lock_required.load(std::memory_order_relaxed);
    if (unlocked_bytes_ != 0 && (relock_ || required)) lock_again(required);
    if (free_.empty() && fresh_ == 0) grow(required);
    Slot slot;
    if (free_.empty()) {
      const Chunk& newest = chunks_.back();
      slot = {newest.base + newest.size - fresh_ * slot_bytes_,
              static_cast<std::uint32_t>(chunks_.size() - 1)};
      --fresh_;
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    chunks_[slot.chunk].in_use[index_of(slot)] = true;
    ++slots_in_use_;
    return slot;
  }

  void give_back(Slot slot) noexcept {
    const std::scoped_lock lock(mutex_);
    EFFACE_CHECK(slot.chunk < chunks_.size());
    const std::size_t index = index_of(slot);
    const Chunk& chunk = chunks_[slot.chunk];
    EFFACE_CHECK(index < chunk.in_use.size() && chunk.base + index * slot_bytes_ == slot.data);
    auto in_use = chunks_[slot.chunk].in_use[index];
    EFFACE_CHECK(in_use);
    in_use = false;
    sodium_memzero(slot.data, slot_bytes_);
    free_.push_back(slot);  // Never allocates: grow() reserved for every slot there is.
    --slots_in_use_;
  }

  void add_to(ArenaStats& stats) noexcept {
    const std::scoped_lock lock(mutex_);
    stats.chunk_bytes += chunk_bytes_;
    stats.unlocked_bytes += unlocked_bytes_;
    stats.slots_in_use += slots_in_use_;
  }

  void before_fork() noexcept { mutex_.lock(); }
  void after_fork_in_parent() noexcept { mutex_.unlock(); }
  void after_fork_in_child() noexcept {
    for (Chunk& chunk : chunks_) chunk.locked = false;
    unlocked_bytes_ = chunk_bytes_;
    relock_ = true;
    mutex_.unlock();
  }

 private:
  std::size_t index_of(Slot slot) const noexcept {
    return static_cast<std::size_t>(slot.data - chunks_[slot.chunk].base) / slot_bytes_;
  }

  void lock_again(bool required) {
    for (Chunk& chunk : chunks_) {
      if (chunk.locked || !protect(chunk)) continue;
      chunk.locked = true;
      unlocked_bytes_ -= chunk.size;
    }
    relock_ = false;
    if (required && unlocked_bytes_ != 0) throw memory_lock_refused();
  }

  // Each chunk is twice the last. Near the limit of what may be locked, or had, a smaller one will
  // do.
  void grow(bool required) {
    std::size_t size = chunk_bytes_min;
    if (!chunks_.empty() && slot_bytes_ < SecretBuffer::size_max)
      size = std::min(chunks_.back().size * 2, chunk_bytes_max);
    Chunk chunk;
    for (;; size /= 2) {
      chunk = map_chunk(size);
      const bool mapped = chunk.base != nullptr;
      if (mapped && (chunk.locked || !required)) break;
      if (mapped) unmap_chunk(chunk);
      if (size > chunk_bytes_min) continue;
      if (mapped) throw memory_lock_refused();
      throw std::bad_alloc();
    }
    try {
      const std::size_t slots = chunk.size / slot_bytes_;
      chunk.in_use.resize(slots);
      free_.reserve((chunk_bytes_ + chunk.size) / slot_bytes_);
      chunks_.push_back(std::move(chunk));
      fresh_ = slots;
    } catch (...) {
      unmap_chunk(chunk);
      throw;
    }
    chunk_bytes_ += chunks_.back().size;
    if (!chunks_.back().locked) unlocked_bytes_ += chunks_.back().size;
  }

  std::mutex mutex_;
  std::size_t slot_bytes_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<Slot> free_;
  std::size_t fresh_ = 0;  // slots at the end of the newest chunk that were never used
  std::size_t chunk_bytes_ = 0;
  std::size_t unlocked_bytes_ = 0;
  std::size_t slots_in_use_ = 0;
  bool relock_ = false;  // in a forked child: locks are not inherited
};

class Arena {
 public:
  Arena() {
    for (std::size_t i = 0; i < class_count; ++i) classes_[i].set_slot_bytes(slot_bytes_min << i);
  }
  SizeClass& of(std::size_t size) noexcept { return classes_[class_of(size)]; }
  std::array<SizeClass, class_count>& classes() noexcept { return classes_; }

 private:
  std::array<SizeClass, class_count> classes_;
};

Arena* the_arena() noexcept;

void before_fork() noexcept {
  for (SizeClass& each : the_arena()->classes()) each.before_fork();
}
void after_fork_in_parent() noexcept {
  for (SizeClass& each : the_arena()->classes()) each.after_fork_in_parent();
}
void after_fork_in_child() noexcept {
  for (SizeClass& each : the_arena()->classes()) each.after_fork_in_child();
}

// Never destroyed: keys in objects of static lifetime may outlive any order of destruction. The
// handler is registered after the pointer is set, so that a fork never finds half of it.
Arena* the_arena() noexcept {
  alignas(Arena) static std::byte place[sizeof(Arena)];
  static Arena* const arena = new (place) Arena;
  return arena;
}

// Whether forks are known of from now on. Not, when the system has no memory for it.
bool watch_forks() noexcept {
  static std::atomic<bool> watching{false};
  static std::mutex mutex;
  if (watching.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(mutex);
  if (watching.load(std::memory_order_relaxed)) return true;
  the_arena();
  if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) return false;
  watching.store(true, std::memory_order_release);
  return true;
}

Arena& arena() noexcept {
  EFFACE_CHECK(watch_forks());
  return *the_arena();
}

}  // namespace

const char* memory_lock_refused::what() const noexcept {
  return "the system refused to lock memory for keys";
}

Status initialise() noexcept {
  if (sodium_init() < 0) return Error(Errc::io, "libsodium has no randomness");
  if (!watch_forks() || !watch_forks_for_random())
    return Error(Errc::out_of_memory, "the system has no memory to watch for forks");
  return {};
}

void require_locked_memory() noexcept { lock_required.store(true, std::memory_order_relaxed); }

ArenaStats arena_stats() noexcept {
  ArenaStats stats{};
  for (SizeClass& each : arena().classes()) each.add_to(stats);
  return stats;
}

Status probe_locked_memory() noexcept {
  const Chunk chunk = map_chunk(chunk_bytes_min);
  if (chunk.base == nullptr) return Error(Errc::out_of_memory, "no memory for keys", errno);
  unmap_chunk(chunk);
  if (!chunk.locked) return Error(Errc::memory_not_locked, "the system refused to lock memory");
  return {};
}

void wipe(MutableBytes bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

bool equal(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

SecretBuffer::SecretBuffer(std::size_t size) {
  EFFACE_CHECK(size <= size_max);
  if (size == 0) return;
  const Slot slot = arena().of(size).take();
  data_ = slot.data;
  size_ = static_cast<std::uint32_t>(size);
  chunk_ = slot.chunk;
}

SecretBuffer::SecretBuffer(SecretBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      chunk_(std::exchange(other.chunk_, 0)) {}

SecretBuffer& SecretBuffer::operator=(SecretBuffer&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    chunk_ = std::exchange(other.chunk_, 0);
  }
  return *this;
}

SecretBuffer::~SecretBuffer() { release(); }

void SecretBuffer::release() noexcept {
  if (data_ == nullptr) return;
  arena().of(size_).give_back({data_, chunk_});
  data_ = nullptr;
  size_ = chunk_ = 0;
}

SecretKey SecretKey::zeroed() {
  SecretKey key;
  key.buffer_ = SecretBuffer(key_bytes);
  return key;
}

SecretKey SecretKey::random() {
  SecretKey key = zeroed();
  randombytes_buf(key.buffer_.data(), key_bytes);
  return key;
}

SecretKey SecretKey::copy_of(KeyView from) {
  SecretKey key = zeroed();
  std::memcpy(key.buffer_.data(), from.data(), key_bytes);
  return key;
}

KeyView SecretKey::bytes() const noexcept {
  EFFACE_CHECK(!empty());
  return KeyView(buffer_.data(), key_bytes);
}

KeySpan SecretKey::bytes() noexcept {
  EFFACE_CHECK(!empty());
  return KeySpan(buffer_.data(), key_bytes);
}

}  // namespace efface::crypto
