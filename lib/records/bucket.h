// records/bucket.h -- retention buckets: the days on which records expire.
//
// Shape  A bucket is a day since 1970-01-01 UTC, or `never`. Its key is a row of the tenant's
//        retention tree, so that destroying it shreds whatever expires that day.
#pragma once
#include <chrono>
#include <cstdint>

#include "crypto/prf.h"
#include "keyring/row.h"

namespace efface::records {

using Bucket = std::uint32_t;
inline constexpr Bucket never = 0xffff'ffff;
inline constexpr Bucket kept_by_hold = 0xffff'fffe;  // Its key is the person's hold row's.
inline constexpr Bucket last_day = 0xffff'0000;      // Greater ones are no days.

using TimePoint = std::chrono::system_clock::time_point;
using DayNumber = std::chrono::duration<std::int64_t, std::ratio<86'400>>;

// The bucket of what expires `days` after now: at the end of that UTC day.
inline Bucket bucket_after(TimePoint now, std::uint32_t days) noexcept {
  const auto day = std::chrono::floor<DayNumber>(now.time_since_epoch()).count();
  return static_cast<Bucket>(day + days);
}

// The first moment at which the bucket is over, in milliseconds since 1970; 0 for never.
inline std::int64_t expiry_ms(Bucket bucket) noexcept {
  if (bucket == never) return 0;
  return std::chrono::milliseconds(DayNumber(std::int64_t{bucket} + 1)).count();
}

inline std::int64_t to_ms(TimePoint when) noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count();
}

inline keyring::Tag bucket_tag(Bucket bucket) noexcept {
  const auto hashed = [](Bucket of) {
    std::array<std::byte, 4> day;
    store_be<std::uint32_t>(day, of);
    return crypto::hash128({as_bytes("efface.bucket"), Bytes(day)});
  };
  static const keyring::Tag of_never = hashed(never);  // Every read of most stores asks for it.
  return bucket == never ? of_never : hashed(bucket);
}

}  // namespace efface::records
