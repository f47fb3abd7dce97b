// The bytes of an incident.
#include "rights/incident_record.h"

#include <gtest/gtest.h>

#include "efface/bytes.h"

namespace efface::rights {
namespace {

TimePoint at(std::int64_t ms) { return TimePoint(std::chrono::milliseconds(ms)); }

IncidentRecord some_record() {
  IncidentRecord record;
  Incident& incident = record.incident;
  incident.terms = {.tenants = {"acme", "other"},
                    .regions = {"eu"},
                    .from = at(1'000),
                    .until = at(2'000),
                    .exposed = {.records = true, .keyring = false, .root_key = true},
                    .reference = "case",
                    .discovered = at(3'000)};
  incident.every_tenant = true;
  incident.opened = at(4'000);
  incident.opened_by = "dpo";
  incident.updates = {{at(5'000), "dpo", "more"}};
  incident.authority_notified = at(6'000);
  incident.closed = at(7'000);
  record.told = {true, false};
  return record;
}

TEST(IncidentRecord, IsReadAsItWasWritten) {
  const IncidentRecord record = some_record();
  const auto bytes = encode(record);
  const auto read = decode_incident(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->told, record.told);
  EXPECT_EQ(read->incident.terms.tenants, record.incident.terms.tenants);
  EXPECT_EQ(read->incident.terms.exposed, record.incident.terms.exposed);
  EXPECT_EQ(read->incident.updates, record.incident.updates);
  EXPECT_EQ(read->incident.authority_notified, record.incident.authority_notified);
  EXPECT_EQ(read->incident.people_notified, std::nullopt);
  EXPECT_EQ(encode(*read), bytes);
}

TEST(IncidentRecord, OfVersion1IsLaidOutAsTheFormatSays) {
  const auto bytes = encode(some_record());
  std::string hex;
  for (const std::byte b : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[std::to_integer<unsigned>(b) >> 4];
    hex += digits[std::to_integer<unsigned>(b) & 15];
  }
  EXPECT_EQ(hex,
            "01150000"
            "a00f000000000000b80b000000000000e803000000000000d007000000000000"
            "70170000000000000000000000000000581b000000000000"
            "030064706f040063617365"
            "0100000002006575"
            "02000000040061636d650105006f7468657200"
            "010000008813000000000000030064706f04006d6f7265");
}

TEST(IncidentRecord, CutAnywhereOrFollowedByAnythingIsCorrupt) {
  auto bytes = encode(some_record());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decode_incident(Bytes(bytes).first(size)).error().code(), Errc::corruption) << size;
  bytes.push_back(std::byte{0});
  EXPECT_EQ(decode_incident(bytes).error().code(), Errc::corruption);
}

TEST(IncidentRecord, WithOneByteChangedIsReadInOneWayOrNot) {
  const auto good = encode(some_record());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const unsigned change : {1u, 0x80u, 0xffu}) {
      auto bytes = good;
      bytes[i] ^= static_cast<std::byte>(change);
      const auto read = decode_incident(bytes);
      if (!read)
        ++refused;
      else
        EXPECT_EQ(encode(*read), bytes) << i;
    }
  }
  EXPECT_GT(refused, good.size());
  auto later = good;
  later[0] = std::byte{2};
  EXPECT_EQ(decode_incident(later).error().code(), Errc::format_new);
}

}  // namespace
}  // namespace efface::rights
