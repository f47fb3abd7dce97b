#include "codec/compress.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "codec/sample.h"
#include "efface/limits.h"

namespace efface::codec {
namespace {

using test::copy_of;
using test::repetitive;
using test::unrepeated;
using Octets = std::vector<std::byte>;

bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }
Octets octets(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

bool refused(Bytes frame, std::size_t plain_bytes) {
  const auto plain = decompress(frame, plain_bytes);
  return !plain && plain.error().code() == Errc::corruption;
}

// A frame written by hand: magic, descriptor, content size of one byte, then one raw block.
Octets raw_frame(std::uint8_t descriptor, std::uint8_t content_bytes, std::uint8_t block_bytes) {
  Octets frame;
  for (const int each : {0x28, 0xb5, 0x2f, 0xfd, static_cast<int>(descriptor),
                         static_cast<int>(content_bytes), 1 | block_bytes << 3, 0, 0})
    frame.push_back(static_cast<std::byte>(each));
  frame.insert(frame.end(), block_bytes, std::byte{'x'});
  return frame;
}
constexpr std::uint8_t single_segment = 0x20;

Octets empty_skippable() {
  return octets(as_bytes(std::string_view("\x50\x2a\x4d\x18\0\0\0\0", 8)));
}

// Some hundred bytes that say and are as many equal bytes as wanted: blocks of one repeated byte.
Octets bomb(std::uint32_t content_bytes) {
  Octets frame;
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) frame.push_back(static_cast<std::byte>(value >> (8 * i)));
  };
  put(0xfd2fb528, 4);
  put(single_segment | 0x80, 1);  // The content size has four bytes.
  put(content_bytes, 4);
  while (content_bytes > 0) {
    const std::uint32_t block = std::min<std::uint32_t>(content_bytes, 128 * 1024);
    content_bytes -= block;
    put((content_bytes == 0 ? 1U : 0U) | 1U << 1 | block << 3, 3);
    put('x', 1);
  }
  return frame;
}

TEST(Compress, GivesBackWhatItWasGiven) {
  for (const std::size_t size : {256U, 257U, 1024U, 4096U, 4097U, 65'536U, 1'000'000U}) {
    const Plaintext plain = repetitive(size);
    const auto frame = compress(plain.bytes());
    ASSERT_TRUE(frame);
    EXPECT_LE(frame->size(), size - size / 8);
    const auto back = decompress(frame->bytes(), size);
    ASSERT_TRUE(back);
    EXPECT_TRUE(same(back->bytes(), plain.bytes()));
  }
}

TEST(Compress, TakesTheLargestValueAndNothingLarger) {
  const std::size_t largest = limits::value_bytes_max + 64 * 1024;
  const Plaintext plain = repetitive(largest + 1);
  const auto frame = compress(plain.bytes().first(largest));
  ASSERT_TRUE(frame);
  const auto back = decompress(frame->bytes(), largest);
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(back->bytes(), plain.bytes().first(largest)));
  EXPECT_FALSE(compress(plain.bytes()));
}

TEST(Compress, LeavesWhatIsUnderTheFloor) {
  EXPECT_FALSE(compress({}));
  EXPECT_FALSE(compress(repetitive(compress_floor_bytes - 1).bytes()));
  EXPECT_TRUE(compress(repetitive(compress_floor_bytes).bytes()));
}

TEST(Compress, LeavesWhatSavesLessThanAnEighth) {
  EXPECT_FALSE(compress(unrepeated(256).bytes()));
  EXPECT_FALSE(compress(unrepeated(100'000).bytes()));
  const auto partly_zero = [](std::size_t zeros) {
    Plaintext plain = unrepeated(4000);
    std::ranges::fill(plain.bytes().last(zeros), std::byte{0});
    return plain;
  };
  EXPECT_FALSE(compress(partly_zero(400).bytes()));
  EXPECT_TRUE(compress(partly_zero(700).bytes()));
}

TEST(Compress, WritesTheSameFrameForTheSameBytes) {
  const Plaintext plain = repetitive(3000);
  const auto first = compress(plain.bytes());
  compress(repetitive(900).bytes());  // Nothing of it is left to influence the next.
  const auto second = compress(plain.bytes());
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(same(first->bytes(), second->bytes()));
}

TEST(Compress, TakesEverySizeThatASmallWorkspaceServes) {
  const Plaintext plain = repetitive(4097);
  for (std::size_t size = compress_floor_bytes; size <= plain.size(); ++size) {
    const auto frame = compress(plain.bytes().first(size));
    ASSERT_TRUE(frame);
    const auto back = decompress(frame->bytes(), size);
    ASSERT_TRUE(back && same(back->bytes(), plain.bytes().first(size)));
  }
}

TEST(Compress, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      const Plaintext plain = repetitive(500 + t * 1500);
      for (int i = 0; i < 50; ++i) {
        const auto frame = compress(plain.bytes());
        const auto back = decompress(frame->bytes(), plain.size());
        EXPECT_TRUE(back && same(back->bytes(), plain.bytes()));
      }
    });
  for (std::thread& thread : threads) thread.join();
}

void compress_once(const Plaintext& plain) {
  const auto frame = compress(plain.bytes());
  if (!frame) return;
  EXPECT_TRUE(decompress(frame->bytes(), plain.size()));
}

TEST(Compress, LeavesNothingInItsWorkingMemory) {
  for (const std::size_t size : {1024U, 200'000U}) {
    compress_once(repetitive(size));
    Plaintext plain = repetitive(size);
    crypto::fill_random(plain.bytes().subspan(300, 32));
    const test::Needle needle(plain.bytes().subspan(300, 32));
    EXPECT_EQ(needle.count_in_own_memory(), 1U);
    auto frame = compress(plain.bytes());
    ASSERT_TRUE(frame);
    plain.clear();
    const std::size_t in_frame = needle.count_in_own_memory();  // As literals, where they stay raw.
    EXPECT_LE(in_frame, 1U);
    auto back = decompress(frame->bytes(), size);
    ASSERT_TRUE(back);
    EXPECT_EQ(needle.count_in_own_memory(), in_frame + 1);
    back->clear();
    frame->clear();
    EXPECT_EQ(needle.count_in_own_memory(), 0U);
  }
}

TEST(Compress, LeavesNothingInItsWorkingMemoryWhereItDidNotHelp) {
  for (const std::size_t size : {1024U, 200'000U}) {
    compress_once(unrepeated(size));
    Plaintext plain = unrepeated(size);
    const test::Needle needle(plain.bytes().subspan(300, 32));
    EXPECT_FALSE(compress(plain.bytes()));
    EXPECT_EQ(needle.count_in_own_memory(), 1U);
    plain.clear();
    EXPECT_EQ(needle.count_in_own_memory(), 0U);
  }
}

TEST(Decompress, TakesOneRawFrameWrittenByHand) {
  const auto plain = decompress(raw_frame(single_segment, 5, 5), 5);
  ASSERT_TRUE(plain);
  EXPECT_EQ(as_text(plain->bytes()), "xxxxx");
}

TEST(Decompress, RefusesAnotherSizeThanItWasTold) {
  const Plaintext plain = repetitive(2000);
  const auto frame = compress(plain.bytes());
  ASSERT_TRUE(frame);
  for (const std::size_t told : {0U, 1U, 1999U, 2001U, 4000U})
    EXPECT_TRUE(refused(frame->bytes(), told));
  EXPECT_TRUE(refused(raw_frame(single_segment, 6, 5), 6));  // It says six and holds five.
  EXPECT_TRUE(refused(raw_frame(single_segment, 4, 5), 4));
}

TEST(Decompress, RefusesEveryTruncationAndEveryTrail) {
  const Plaintext plain = repetitive(1000);
  const auto frame = compress(plain.bytes());
  ASSERT_TRUE(frame);
  for (std::size_t size = 0; size < frame->size(); ++size)
    EXPECT_TRUE(refused(frame->bytes().first(size), plain.size()));
  Octets longer = octets(frame->bytes());
  longer.push_back(std::byte{0});
  EXPECT_TRUE(refused(longer, plain.size()));
  Octets twice = octets(frame->bytes());
  twice.insert(twice.end(), frame->bytes().begin(), frame->bytes().end());
  EXPECT_TRUE(refused(twice, plain.size()));
  EXPECT_TRUE(refused(twice, 2 * plain.size()));
  for (const Octets& empty : {raw_frame(single_segment, 0, 0), empty_skippable()}) {
    Octets followed = octets(frame->bytes());
    followed.insert(followed.end(), empty.begin(), empty.end());
    EXPECT_TRUE(refused(followed, plain.size()));
    Octets preceded = empty;
    preceded.insert(preceded.end(), frame->bytes().begin(), frame->bytes().end());
    EXPECT_TRUE(refused(preceded, plain.size()));
  }
}

TEST(Decompress, RefusesFramesOfKindsThatAreNeverWritten) {
  const Octets skippable = octets(as_bytes(std::string_view("\x50\x2a\x4d\x18\x01\0\0\0x", 9)));
  EXPECT_TRUE(refused(skippable, 0));
  EXPECT_TRUE(refused(skippable, 1));
  constexpr std::uint8_t checksum = 0x04, dictionary = 0x01, no_content_size = 0x00;
  Octets checked = raw_frame(single_segment | checksum, 5, 5);
  for (const int each : {0xbd, 0xb0, 0x12, 0x6f}) checked.push_back(static_cast<std::byte>(each));
  EXPECT_TRUE(refused(checked, 5));
  EXPECT_TRUE(refused(empty_skippable(), 0));
  EXPECT_TRUE(refused(raw_frame(single_segment | dictionary, 5, 5), 5));
  EXPECT_TRUE(refused(raw_frame(no_content_size, 0, 5), 5));
}

TEST(Decompress, RefusesWhatIsLargerThanAnyRecordBeforeItAsksForMemory) {
  constexpr std::uint32_t largest = limits::value_bytes_max + 64 * 1024;
  EXPECT_TRUE(decompress(bomb(largest), largest));
  EXPECT_TRUE(refused(bomb(largest + 1), largest + 1));
  EXPECT_TRUE(refused(bomb(0xffffffff), 0xffffffff));
}

TEST(Decompress, SurvivesEveryFlippedBit) {
  const Plaintext plain = repetitive(700);
  const auto frame = compress(plain.bytes());
  ASSERT_TRUE(frame);
  for (std::size_t bit = 0; bit < 8 * frame->size(); ++bit) {
    Octets flipped = octets(frame->bytes());
    flipped[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto back = decompress(flipped, plain.size());
    if (!back) continue;
    EXPECT_EQ(back->size(), plain.size());
  }
}

RC_GTEST_PROP(Compress, RoundTripsAnything, (const std::string& text)) {
  const auto times = *rc::gen::inRange<std::size_t>(1, 200);
  std::string repeated;
  for (std::size_t i = 0; i < times; ++i) repeated += text;
  const auto frame = compress(as_bytes(repeated));
  if (!frame) return;
  const auto back = decompress(frame->bytes(), repeated.size());
  RC_ASSERT(back.has_value());
  RC_ASSERT(as_text(back->bytes()) == repeated);
}

RC_GTEST_PROP(Decompress, NeverCrashesOnRandomBytes, (std::vector<std::uint8_t> bytes)) {
  const auto told = *rc::gen::inRange<std::size_t>(0, 100'000);
  if (*rc::gen::arbitrary<bool>())  // Half of them start like a frame.
    for (const int each : {0xfd, 0x2f, 0xb5, 0x28})
      bytes.insert(bytes.begin(), static_cast<std::uint8_t>(each));
  const auto back = decompress(std::as_bytes(std::span(bytes)), told);
  if (back) RC_ASSERT(back->size() == told);
}

}  // namespace
}  // namespace efface::codec
