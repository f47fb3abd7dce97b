#include "ledger/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace efface::ledger {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<std::byte>;

Octets octets(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

// RFC 4648, section 10.
TEST(Base64, IsThatOfTheRfc) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(base64(as_bytes(plain)), text);
    EXPECT_EQ(from_base64(text), octets(plain));
  }
}

TEST(Base64, IsReadInOneWayOnly) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=", "==", "====", "Z===", "Zm9v\n", "Zm 9v",
        "Zm9v====", "Zg==Zg==", "Zm-v", "Zm_v", " Zg=="})
    EXPECT_FALSE(from_base64(text)) << text;
}

RC_GTEST_PROP(Base64, ReadsWhatItWrote, (const std::string& bytes)) {
  const std::string text = base64(as_bytes(bytes));
  RC_ASSERT(from_base64(text) == octets(bytes));
}

TEST(Hexadecimal, IsLowerCaseAndOfOneLength) {
  std::array<std::byte, 2> out;
  EXPECT_TRUE(read_hex("0fa9", out));
  EXPECT_EQ(hex(out), "0fa9");
  for (const std::string_view text : {"0fA9", "0fa", "0fa90", "0fa9 ", "xxxx", ""})
    EXPECT_FALSE(read_hex(text, out)) << text;
}

TEST(Decimal, HasNoSignAndNoLeadingZero) {
  EXPECT_EQ(from_decimal("0"), 0U);
  EXPECT_EQ(from_decimal("18446744073709551615"), UINT64_MAX);
  for (const std::string_view text :
       {"", "00", "01", "+1", "-1", " 1", "1 ", "1.", "0x1", "1e3", "18446744073709551616"})
    EXPECT_FALSE(from_decimal(text)) << text;
}

TEST(DayText, GoesFrom1970To9999) {
  EXPECT_EQ(text_of(std::chrono::sys_days{}), "1970-01-01");
  EXPECT_EQ(day_of("1970-01-01"), std::chrono::sys_days{});
  EXPECT_EQ(text_of(*day_of("2028-02-29")), "2028-02-29");
  EXPECT_EQ(text_of(*day_of("9999-12-31")), "9999-12-31");
  EXPECT_FALSE(text_of(*day_of("9999-12-31") + std::chrono::days(1)));
  EXPECT_FALSE(text_of(std::chrono::sys_days{} - std::chrono::days(1)));
  for (const std::string_view text :
       {"1969-12-31", "2027-02-29", "2027-2-01", "2027-13-01", "2027-00-01", "2027-01-00",
        "2027-01-32", "2027/01/01", "+027-01-01", "2027-01-01 ", "10000-01-01", ""})
    EXPECT_FALSE(day_of(text)) << text;
}

TEST(TimeText, IsOfMilliseconds) {
  const Milliseconds time(1'767'225'600'125ms);
  EXPECT_EQ(text_of(time), "2026-01-01T00:00:00.125Z");
  EXPECT_EQ(time_of("2026-01-01T00:00:00.125Z"), time);
  EXPECT_EQ(text_of(time + 86'399'874ms), "2026-01-01T23:59:59.999Z");
  EXPECT_FALSE(text_of(Milliseconds(-1ms)));
  EXPECT_FALSE(text_of(Milliseconds(253'402'300'800'000ms)));
  for (const std::string_view text :
       {"2026-01-01T00:00:00.125", "2026-01-01 00:00:00.125Z", "2026-01-01T24:00:00.000Z",
        "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01T00:00:00,125Z",
        "2026-01-01T00:00:00.125z", "2026-01-01T00-00-00.125Z", "2026-01-01T0 :00:00.125Z"})
    EXPECT_FALSE(time_of(text)) << text;
}

RC_GTEST_PROP(TimeText, ReadsWhatItWrote, ()) {
  const Milliseconds time(
      std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, 253'402'300'800'000)));
  const auto text = text_of(time);
  RC_ASSERT(text.has_value());
  RC_ASSERT(time_of(*text) == time);
}

}  // namespace
}  // namespace efface::ledger
