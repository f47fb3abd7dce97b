#include "codec/flat.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/allocation_count.h"
#include "codec/sample.h"

namespace efface::codec {
namespace {

TEST(FlatBuilder, AllocatesOnceWhereTheExpectedSizeWasEnough) {
  const std::string text(500, 'x');
  const std::size_t before = test::allocation_count();
  FlatBuilder flat(1024);
  const Plaintext out = flat.finish(flat.text(text), "TEST");
  const std::size_t after = test::allocation_count();
  EXPECT_EQ(after - before, 1U);
  EXPECT_GT(out.size(), text.size());
}

TEST(FlatBuilder, FinishesIntoAlignedBytesThatStartAtTheRoot) {
  FlatBuilder flat(16);
  const Plaintext out = flat.finish(flat.text("some text that does not fit"), "TEST");
  EXPECT_TRUE(is_aligned(out.bytes()));
  EXPECT_EQ(as_text(out.bytes().subspan(4, 4)), "TEST");
  EXPECT_EQ(view(flatbuffers::GetRoot<flatbuffers::String>(out.data())),
            "some text that does not fit");
}

Plaintext grown(Bytes first_bytes) {
  FlatBuilder flat(16);
  const auto first = flat.bytes(first_bytes);
  for (int i = 0; i < 200; ++i) flat.bytes(as_bytes("more and more, so that it moves"));
  return flat.finish(first, "TEST");
}

TEST(FlatBuilder, LeavesNothingBehindWhileItGrows) {
  grown(test::unrepeated(32).bytes());
  const Plaintext marked = test::unrepeated(32);
  const test::Needle needle(marked.bytes());
  Plaintext out = grown(marked.bytes());
  EXPECT_GE(needle.count_in_own_memory(), 2U);  // Where it was built, too, until out is wiped.
  out.clear();
  EXPECT_EQ(needle.count_in_own_memory(), 1U);
}

void give_up(Bytes bytes, std::size_t& count, const test::Needle& needle) {
  FlatBuilder flat(1024);
  flat.bytes(bytes);
  count = needle.count_in_own_memory();
}

TEST(FlatBuilder, LeavesNothingBehindWhenItIsGivenUp) {
  const Plaintext marked = test::unrepeated(32);
  const test::Needle needle(marked.bytes());
  std::size_t while_built = 0;
  give_up(test::unrepeated(32).bytes(), while_built, needle);
  EXPECT_EQ(while_built, 1U);
  give_up(marked.bytes(), while_built, needle);
  EXPECT_EQ(while_built, 2U);
  EXPECT_EQ(needle.count_in_own_memory(), 1U);
}

}  // namespace
}  // namespace efface::codec
