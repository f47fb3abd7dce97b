#include "records/bucket.h"

#include <gtest/gtest.h>

namespace efface::records {
namespace {

using std::chrono::hours;

TEST(Bucket, IsTheUtcDayOnWhichTheLastDayEnds) {
  const TimePoint noon{hours(24 * 100 + 12)};
  EXPECT_EQ(bucket_after(noon, 1), 101u);
  EXPECT_EQ(bucket_after(noon, 365), 465u);
  EXPECT_EQ(bucket_after(TimePoint{hours(24 * 100)}, 1), 101u);
  EXPECT_EQ(bucket_after(TimePoint{hours(24 * 100) - std::chrono::milliseconds(1)}, 1), 100u);
}

TEST(Bucket, IsOverWhenItsDayIs) {
  EXPECT_EQ(expiry_ms(101), std::int64_t{102} * 86'400'000);
  EXPECT_EQ(expiry_ms(never), 0);
}

TEST(Bucket, EachHasATagOfItsOwn) {
  EXPECT_NE(bucket_tag(1), bucket_tag(2));
  EXPECT_NE(bucket_tag(1), bucket_tag(never));
  EXPECT_EQ(bucket_tag(7), bucket_tag(7));
}

}  // namespace
}  // namespace efface::records
