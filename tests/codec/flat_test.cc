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

TEST(FlatBuilder, LeavesNothingBehindWhileItGrows) {
  Plaintext marked = test::unrepeated(32);
  const test::Needle needle(marked.bytes());
  Plaintext out;
  {
    FlatBuilder flat(16);
    const auto first = flat.bytes(marked.bytes());
    for (int i = 0; i < 200; ++i) flat.bytes(as_bytes("more and more, so that it moves"));
    out = flat.finish(first, "TEST");
  }
  EXPECT_GE(needle.count_in_own_memory(), 2U);  // Where it was built, too, until out is wiped.
  out.clear();
  EXPECT_EQ(needle.count_in_own_memory(), 1U);
}

TEST(FlatBuilder, LeavesNothingBehindWhenItIsGivenUp) {
  Plaintext marked = test::unrepeated(32);
  const test::Needle needle(marked.bytes());
  {
    FlatBuilder flat(1024);
    flat.bytes(marked.bytes());
    EXPECT_EQ(needle.count_in_own_memory(), 2U);
  }
  EXPECT_EQ(needle.count_in_own_memory(), 1U);
}

}  // namespace
}  // namespace efface::codec
