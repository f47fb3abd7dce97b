#include "crypto/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <new>
#include <thread>
#include <vector>

#include "crypto/child.h"
#include "crypto/own_memory.h"
#include "crypto/zeros.h"

namespace efface::crypto {
namespace {

using test::all_zero;
using test::died_of;
using test::in_child;

void fill(MutableBytes bytes, std::byte with) { std::ranges::fill(bytes, with); }

TEST(SecretBuffer, StartsZeroedEvenWhereAnotherStood) {
  for (const std::size_t size : {1U, 32U, 33U, 500U, 4096U, 65'536U}) {
    const std::byte* before = nullptr;
    {
      SecretBuffer first(size);
      before = first.data();
      fill(first.bytes(), std::byte{0xa5});
    }
    SecretBuffer second(size);
    EXPECT_EQ(second.data(), before);
    EXPECT_EQ(second.size(), size);
    EXPECT_TRUE(all_zero(second.bytes()));
  }
}

TEST(SecretBuffer, OfNoBytesTakesNoSlot) {
  const std::size_t before = arena_stats().slots_in_use;
  const SecretBuffer empty(0);
  EXPECT_EQ(empty.size(), 0U);
  EXPECT_EQ(arena_stats().slots_in_use, before);
}

TEST(SecretBuffer, IsWipedWhenItEnds) {
  for (const std::size_t size : {32U, 100U, 65'536U}) {
    const std::byte* at = nullptr;
    {
      SecretBuffer buffer(size);
      at = buffer.data();
      fill(buffer.bytes(), std::byte{0x5a});
    }
    EXPECT_TRUE(all_zero({at, size}));  // The arena never unmaps, so it may be looked at.
  }
}

TEST(SecretBuffer, IsWipedWhenAnotherIsMovedOverIt) {
  SecretBuffer target(64);
  fill(target.bytes(), std::byte{0x5a});
  const std::byte* const old = target.data();
  SecretBuffer source(64);
  fill(source.bytes(), std::byte{0x77});
  const std::byte* const moved = source.data();
  target = std::move(source);
  EXPECT_TRUE(all_zero({old, 64}));
  EXPECT_EQ(target.data(), moved);
  EXPECT_EQ(target.bytes()[63], std::byte{0x77});
}

TEST(SecretBuffer, SurvivesBeingMovedIntoItself) {
  SecretBuffer buffer(40);
  fill(buffer.bytes(), std::byte{3});
  SecretBuffer& same = buffer;
  buffer = std::move(same);
  EXPECT_EQ(buffer.size(), 40U);
  EXPECT_EQ(buffer.bytes()[39], std::byte{3});
}

TEST(SecretBuffer, OverTheLargestSizeIsABrokenInvariant) {
  EXPECT_TRUE(died_of(in_child([] {
                        const SecretBuffer buffer(SecretBuffer::size_max + 1);
                        return 0;
                      }),
                      SIGABRT));
}

// A SecretBuffer cannot be released twice by its own means; a copy of its bytes can.
TEST(SecretBuffer, ReleasedTwiceIsABrokenInvariant) {
  const auto release_twice = [] {
    alignas(SecretBuffer) std::byte original[sizeof(SecretBuffer)];
    alignas(SecretBuffer) std::byte twin[sizeof(SecretBuffer)];
    auto* const first = new (original) SecretBuffer(32);
    std::memcpy(twin, original, sizeof twin);
    first->~SecretBuffer();
    std::launder(reinterpret_cast<SecretBuffer*>(twin))->~SecretBuffer();
    return 0;
  };
  EXPECT_TRUE(died_of(in_child(release_twice), SIGABRT));
}

TEST(SecretKey, IsEmptyAfterAMove) {
  SecretKey key = SecretKey::random();
  const SecretKey other = std::move(key);
  EXPECT_TRUE(key.empty());
  EXPECT_FALSE(other.empty());
}

TEST(SecretKey, EmptyHasNoBytesToGive) {
  EXPECT_TRUE(died_of(in_child([] {
                        const SecretKey key;
                        return static_cast<int>(key.bytes().size());
                      }),
                      SIGABRT));
}

TEST(SecretKey, IsRandomEachTime) {
  const SecretKey a = SecretKey::random();
  const SecretKey b = SecretKey::random();
  EXPECT_FALSE(equal(a.bytes(), b.bytes()));
  EXPECT_FALSE(all_zero(a.bytes()));
}

TEST(SecretKey, CloneIsEqualAndOutlivesTheOriginal) {
  SecretKey original = SecretKey::random();
  const SecretKey witness = original.clone();
  const SecretKey clone = original.clone();
  EXPECT_NE(clone.bytes().data(), original.bytes().data());
  original = SecretKey();
  EXPECT_TRUE(equal(clone.bytes(), witness.bytes()));
}

TEST(Equal, ComparesSizesAndEveryByte) {
  const SecretKey a = SecretKey::random();
  for (std::size_t i = 0; i < key_bytes; ++i) {
    SecretKey b = a.clone();
    b.bytes()[i] ^= std::byte{1};
    EXPECT_FALSE(equal(a.bytes(), b.bytes()));
  }
  EXPECT_FALSE(equal(a.bytes(), a.bytes().first(31)));
  EXPECT_TRUE(equal({}, {}));
}

TEST(Arena, SlotsThatLiveAtOnceNeverOverlap) {
  std::vector<SecretBuffer> live;
  for (std::size_t i = 0; i < 4000; ++i) {
    live.emplace_back(1 + (i * 37) % 3000);
    fill(live.back().bytes(), static_cast<std::byte>(i % 251));
  }
  for (std::size_t i = 0; i < live.size(); ++i)
    EXPECT_TRUE(std::ranges::all_of(
        live[i].bytes(), [&](std::byte b) { return b == static_cast<std::byte>(i % 251); }));
}

TEST(Arena, UsesFreedSlotsAgainInsteadOfGrowing) {
  {
    const SecretBuffer warm(48);
  }
  const ArenaStats before = arena_stats();
  for (int i = 0; i < 100'000; ++i) const SecretBuffer buffer(48);
  const ArenaStats after = arena_stats();
  EXPECT_EQ(after.chunk_bytes, before.chunk_bytes);
  EXPECT_EQ(after.slots_in_use, before.slots_in_use);
}

TEST(Arena, CountsTheSlotsInUse) {
  const std::size_t before = arena_stats().slots_in_use;
  std::vector<SecretKey> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(SecretKey::random());
  EXPECT_EQ(arena_stats().slots_in_use, before + 1000);
  keys.clear();
  EXPECT_EQ(arena_stats().slots_in_use, before);
}

TEST(Arena, HoldsAHundredThousandKeysInFewChunks) {
  // Nobody else has memory that is wiped on fork.
  const auto chunks = [] {
    return std::ranges::count_if(test::own_mappings(), [](const test::Mapping& mapping) {
      return test::has_flag(mapping, "wf");
    });
  };
  const auto before = chunks();
  std::vector<SecretKey> keys;
  keys.reserve(100'000);
  for (int i = 0; i < 100'000; ++i) keys.push_back(SecretKey::zeroed());
  EXPECT_LT(chunks(), before + 30);
}

TEST(Arena, IsKeptFromCoreDumpsAndFromChildrenAndLocked) {
  const SecretKey key = SecretKey::random();
  const test::Mapping mapping = test::mapping_of(key.bytes().data());
  EXPECT_TRUE(test::has_flag(mapping, "dd"));
  EXPECT_TRUE(test::has_flag(mapping, "wf"));
  EXPECT_EQ(test::has_flag(mapping, "lo"), arena_stats().unlocked_bytes == 0);
}

TEST(Arena, LocksAChunkAsItMapsIt) {
  const ArenaStats before = arena_stats();
  const std::size_t locked_before = test::locked_bytes();
  std::vector<SecretBuffer> held;
  while (arena_stats().chunk_bytes == before.chunk_bytes) held.emplace_back(60'000);
  const ArenaStats after = arena_stats();
  const std::size_t refused = after.unlocked_bytes - before.unlocked_bytes;
  EXPECT_EQ(test::locked_bytes() - locked_before, after.chunk_bytes - before.chunk_bytes - refused);
  EXPECT_EQ(refused == 0, static_cast<bool>(probe_locked_memory()));
}

TEST(Arena, LiesBetweenPagesThatFault) {
  const SecretBuffer buffer(60'000);
  const test::Mapping mapping = test::mapping_of(buffer.data());
  auto* const begin = reinterpret_cast<volatile std::byte*>(mapping.begin);
  auto* const end = reinterpret_cast<volatile std::byte*>(mapping.end);
  ASSERT_NE(mapping.begin, 0U);
  const auto read = [](const volatile std::byte* at) { return std::to_integer<int>(*at) & 0; };
  EXPECT_TRUE(test::ended_well(in_child([&] { return read(begin) + read(end - 1); })));
  EXPECT_EQ(test::mapping_of(reinterpret_cast<void*>(mapping.begin - 1)).access, "---p");
  EXPECT_EQ(test::mapping_of(reinterpret_cast<void*>(mapping.end)).access, "---p");
  EXPECT_TRUE(died_of(in_child([&] { return read(begin - 1); }), SIGSEGV));
  EXPECT_TRUE(died_of(in_child([&] { return read(end); }), SIGSEGV));
}

TEST(Arena, ServesManyThreadsAtOnce) {
  const std::size_t before = arena_stats().slots_in_use;
  std::vector<std::thread> threads;
  std::atomic<int> mixed_up{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const auto mine = static_cast<std::byte>(t + 1);
      std::vector<SecretBuffer> held(16);
      for (std::size_t i = 0; i < 20'000; ++i) {
        SecretBuffer& buffer = held[i % held.size()];
        if (!std::ranges::all_of(buffer.bytes(), [&](std::byte b) { return b == mine; }))
          ++mixed_up;
        buffer = SecretBuffer(16 + i % 200);
        if (!all_zero(buffer.bytes())) ++mixed_up;
        fill(buffer.bytes(), mine);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mixed_up, 0);
  EXPECT_EQ(arena_stats().slots_in_use, before);
}

}  // namespace
}  // namespace efface::crypto
