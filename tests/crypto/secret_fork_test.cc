#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "crypto/child.h"
#include "crypto/own_memory.h"
#include "crypto/secret.h"
#include "crypto/zeros.h"

namespace efface::crypto {
namespace {

using test::all_zero;
using test::ended_well;
using test::in_child;

TEST(ForkedChild, ReadsEveryKeyOfItsParentAsZeros) {
  const SecretKey key = SecretKey::random();
  EXPECT_TRUE(ended_well(in_child([&] { return all_zero(key.bytes()) ? 0 : 1; })));
  EXPECT_FALSE(all_zero(key.bytes()));
}

TEST(ForkedChild, MakesAndReleasesKeysOfItsOwn) {
  std::vector<SecretKey> inherited;
  for (int i = 0; i < 100; ++i) inherited.push_back(SecretKey::random());
  const auto child = [&] {
    inherited.clear();
    std::vector<SecretKey> own;
    for (int i = 0; i < 5000; ++i) own.push_back(SecretKey::zeroed());
    for (const SecretKey& key : own)
      if (!all_zero(key.bytes())) return 1;
    const SecretKey a = SecretKey::random();
    return all_zero(a.bytes()) ? 2 : 0;
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(ForkedChild, LocksItsMemoryAgainBeforeItsFirstKey) {
  const SecretKey inherited = SecretKey::random();
  const bool lockable = static_cast<bool>(probe_locked_memory());
  const auto child = [&] {
    if (test::locked_bytes() != 0) return 1;
    if (arena_stats().unlocked_bytes != arena_stats().chunk_bytes) return 2;
    const SecretKey key = SecretKey::random();
    if (lockable && !test::has_flag(test::mapping_of(key.bytes().data()), "lo")) return 3;
    return 0;
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(ForkedChild, FindsTheArenaUsableWhileOtherThreadsWereAtIt) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      while (!stop) const SecretKey key = SecretKey::zeroed();
    });
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(ended_well(in_child([] { return SecretKey::zeroed().empty() ? 1 : 0; })));
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// To the child only: a process that may lock anything gives that up with its user id.
void forbid_locking() {
  if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(65'534) != 0 || setuid(65'534) != 0))
    std::perror("giving up root");
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) std::perror("setrlimit");
}

TEST(LockPolicy, BestEffortCountsWhatTheSystemRefusedToLock) {
  const auto child = [] {
    forbid_locking();
    if (probe_locked_memory()) return 1;
    if (probe_locked_memory().error().code() != Errc::memory_not_locked) return 2;
    const std::size_t before = arena_stats().chunk_bytes;
    std::vector<SecretBuffer> held;
    while (arena_stats().chunk_bytes == before) held.emplace_back(60'000);
    return arena_stats().unlocked_bytes == arena_stats().chunk_bytes ? 0 : 3;
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(LockPolicy, MemoryThatIsNotLockedIsStillKeptFromDumpsAndForks) {
  const auto child = [] {
    forbid_locking();
    const std::size_t before = arena_stats().chunk_bytes;
    std::vector<SecretBuffer> held;
    while (arena_stats().chunk_bytes == before) held.emplace_back(60'000);
    const test::Mapping mapping = test::mapping_of(held.back().data());
    if (test::has_flag(mapping, "lo")) return 1;
    if (!test::has_flag(mapping, "dd") || !test::has_flag(mapping, "wf")) return 2;
    std::ranges::fill(held.back().bytes(), std::byte{7});
    return ended_well(in_child([&] { return all_zero(held.back().bytes()) ? 0 : 1; })) ? 0 : 3;
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(LockPolicy, RequiredThrowsWhereMemoryCannotBeLocked) {
  const auto child = [] {
    forbid_locking();
    require_locked_memory();
    std::vector<SecretBuffer> held;
    const std::size_t before = arena_stats().chunk_bytes;
    for (const std::size_t size : {32U, 3000U, 60'000U}) {
      try {
        held.emplace_back(size);
        return 1;
      } catch (const memory_lock_refused&) {
      }
    }
    return arena_stats().chunk_bytes == before ? 0 : 2;
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(LockPolicy, RequiredAlsoRefusesMemoryThatWasLeftUnlockedBefore) {
  const auto child = [] {
    forbid_locking();
    {
      const SecretBuffer allowed(32);
    }
    require_locked_memory();
    try {
      const SecretBuffer refused(32);
      return 1;
    } catch (const std::bad_alloc&) {
      return 0;
    }
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(LockPolicy, RequiredIsKeptWhereMemoryCanBeLocked) {
  const bool lockable = static_cast<bool>(probe_locked_memory());
  const auto child = [&] {
    require_locked_memory();
    try {
      const SecretKey key = SecretKey::random();
      return lockable ? 0 : 1;
    } catch (const memory_lock_refused&) {
      return lockable ? 2 : 0;
    }
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

TEST(LockPolicy, SmallerChunksAreTriedNearTheLimit) {
  const auto child = [] {
    if (geteuid() == 0 && setuid(65'534) != 0) std::perror("giving up root");
    require_locked_memory();
    rlimit some{};
    getrlimit(RLIMIT_MEMLOCK, &some);
    some.rlim_max = std::min<rlim_t>(some.rlim_max, 320 * 1024) / (64 * 1024) * (64 * 1024);
    some.rlim_cur = some.rlim_max;
    if (setrlimit(RLIMIT_MEMLOCK, &some) != 0) return 1;
    std::size_t got = 0;
    std::vector<SecretBuffer> held;
    try {
      // Slots of 8 KiB: no other test of this program leaves a chunk for them.
      for (;; ++got) held.emplace_back(8192);
    } catch (const memory_lock_refused&) {
    }
    // 64 KiB and 128 KiB fit; of the next 256 KiB only two chunks of 64 KiB do.
    return got * 8192 == some.rlim_max ? 0 : 2;
  };
  EXPECT_TRUE(ended_well(in_child(child)));
}

}  // namespace
}  // namespace efface::crypto
