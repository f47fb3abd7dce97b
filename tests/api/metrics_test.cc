// What a monitor reads: every number of the store, in the text format of Prometheus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "efface/stats.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Stats sample() {
  RegionStats region;
  region.name = "eu-west";
  region.open = true;
  region.epoch = 7;
  region.assurance.level = AssuranceLevel::l2_overwrite_verified;
  region.erase_pending = true;
  region.reclaim_entries = 3;
  region.residue_oldest =
      std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  region.mirrors = {{MirrorState::in_step, 1}, {MirrorState::behind, 0}, {MirrorState::behind, 0}};
  region.keyring_file_bytes = 4096;
  region.records_used_bytes = 512;
  RegionStats shut;
  shut.name = "us";
  Stats stats;
  stats.regions = {region, shut};
  stats.tenants = 2;
  stats.locked_bytes = 65'536;
  return stats;
}

TEST(Metrics, HaveASampleForEachRegionThatIsOpen) {
  const std::string text = prometheus_text(sample());
  EXPECT_THAT(text, HasSubstr("efface_region_open{region=\"eu-west\"} 1\n"
                              "efface_region_open{region=\"us\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_epoch{region=\"eu-west\"} 7\n# HELP"));
  EXPECT_THAT(text, HasSubstr("\nefface_assurance_level{region=\"eu-west\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_erase_pending{region=\"eu-west\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_unswept_entries{region=\"eu-west\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_residue_oldest_timestamp_seconds{region=\"eu-west\"} "
                              "1700000000\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_mirrors{region=\"eu-west\",state=\"in_step\"} 1\n"
                              "efface_mirrors{region=\"eu-west\",state=\"behind\"} 2\n"
                              "efface_mirrors{region=\"eu-west\",state=\"absent\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_file_bytes{region=\"eu-west\",file=\"keyring\"} 4096\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_used_bytes{region=\"eu-west\",file=\"records\"} 512\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_tenants 2\n"));
  EXPECT_THAT(text, HasSubstr("\nefface_key_memory_bytes{locked=\"yes\"} 65536\n"));
}

// Each family is described once, before its samples, and every line ends.
TEST(Metrics, AreInTheTextFormatOfPrometheus) {
  static const std::regex comment("# (HELP|TYPE) (efface_[a-z_]+) .+");
  static const std::regex sample_line(
      R"((efface_[a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? \d+)");
  std::set<std::string> described;
  std::istringstream lines(prometheus_text(sample()));
  std::string line;
  std::string now;
  std::size_t samples = 0;
  while (std::getline(lines, line)) {
    std::smatch found;
    if (std::regex_match(line, found, comment)) {
      if (found[1] == "HELP") {
        now = found[2];
        EXPECT_TRUE(described.insert(now).second) << now << " is described twice";
      }
      EXPECT_EQ(found[2], now);
      EXPECT_TRUE(found[1] == "HELP" || line.ends_with(" gauge")) << line;
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, found, sample_line)) << line;
    EXPECT_EQ(found[1], now);
    ++samples;
  }
  EXPECT_GE(described.size(), 15u);
  EXPECT_GE(samples, described.size());
  EXPECT_TRUE(prometheus_text(sample()).ends_with("\n"));
}

using LiveMetrics = StoreTest;

TEST_F(LiveMetrics, CountWhatAStoreHoldsAndNameNobody) {
  ASSERT_TRUE(
      activity().put(enrol("canary-id"), RecordName("canary-name"), as_bytes("canary-value")));
  const std::string text = prometheus_text(store_->stats().value());
  EXPECT_THAT(text, HasSubstr("\nefface_tenants 1\n"));
  EXPECT_THAT(text, testing::ContainsRegex("\nefface_ciphertexts\\{region=\"[a-z]+\"\\} [1-9]"));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
  EXPECT_THAT(text, Not(HasSubstr("acme")));
}

}  // namespace
}  // namespace efface::test
