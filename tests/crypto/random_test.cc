#include "crypto/random.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "crypto/child.h"
#include "crypto/own_memory.h"
#include "crypto/secret.h"

namespace efface::crypto {
namespace {

using Nonce = std::array<std::byte, 24>;

bool repeats(std::vector<Nonce>& nonces) {
  std::ranges::sort(nonces);
  return std::ranges::adjacent_find(nonces) != nonces.end();
}

TEST(Random, RepeatsNoNonceAmongAMillion) {
  std::vector<Nonce> nonces(1'000'000);
  for (Nonce& nonce : nonces) fill_random(nonce);
  EXPECT_FALSE(repeats(nonces));
}

TEST(Random, RepeatsNoNonceAmongThreads) {
  std::vector<std::vector<Nonce>> drawn(4, std::vector<Nonce>(10'000));
  std::vector<std::thread> threads;
  for (auto& mine : drawn)
    threads.emplace_back([&mine] {
      for (Nonce& nonce : mine) fill_random(nonce);
    });
  for (std::thread& thread : threads) thread.join();
  std::vector<Nonce> all;
  for (const auto& mine : drawn) all.insert(all.end(), mine.begin(), mine.end());
  EXPECT_FALSE(repeats(all));
}

TEST(Random, DrawsOtherBytesInEachForkedChild) {
  random_id();  // There is a filled buffer to inherit.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto child = [&] {
    const Id16 id = random_id();
    return write(ends[1], id.data(), id.size()) == 16 ? 0 : 1;
  };
  std::set<Id16> drawn;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(test::ended_well(test::in_child(child)));
    Id16 id{};
    ASSERT_EQ(read(ends[0], id.data(), id.size()), 16);
    drawn.insert(id);
  }
  drawn.insert(random_id());
  EXPECT_EQ(drawn.size(), 3U);
  close(ends[0]);
  close(ends[1]);
}

TEST(Random, FillsExactlyWhatItIsGiven) {
  for (std::size_t size = 0; size < 5000; size += size < 64 ? 1 : 61) {
    std::vector<std::byte> bytes(size + 32, std::byte{0});
    fill_random(MutableBytes(bytes).subspan(16, size));
    const auto zero = [](std::byte b) { return b == std::byte{0}; };
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.begin() + 16, zero));
    EXPECT_TRUE(std::all_of(bytes.end() - 16, bytes.end(), zero));
    if (size < 16) continue;
    EXPECT_FALSE(std::all_of(bytes.begin() + 16, bytes.end() - 16, zero));
  }
}

TEST(Random, KeepsNoCopyOfWhatItHandedOut) {
  std::array<std::byte, 32> drawn{};
  fill_random(drawn);
  wipe(drawn);
  fill_random(drawn);
  const test::Needle needle(drawn);
  EXPECT_GE(needle.count_in_own_memory(), 1U);  // Here it is; so the search finds things.
  wipe(drawn);
  EXPECT_EQ(needle.count_in_own_memory(), 0U);
}

}  // namespace
}  // namespace efface::crypto
