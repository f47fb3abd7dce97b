// A few seconds of the soak in every run, so that it does not rot; and as long as
// EFFACE_SOAK_SECONDS says. See soak.h, and docs/reliability.md for a long one.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "soak/soak.h"

namespace efface::test {
namespace {

constexpr std::uint64_t long_enough_to_settle_s = 120;

class SoakTest : public SharedStore {
 protected:
  void SetUp() override {
    SharedStore::SetUp();
    void* shared =
        ::mmap(nullptr, sizeof(Soak), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    soak_ = new (shared) Soak;
  }
  void TearDown() override { ::munmap(soak_, sizeof(Soak)); }

  SoakPlan plan(std::uint64_t seconds) const { return {seconds, 20261124, home_.path()}; }
  Soak& soak() { return *soak_; }

 private:
  Soak* soak_ = nullptr;
};

std::uint64_t seconds_told() {
  const char* told = std::getenv("EFFACE_SOAK_SECONDS");
  return told == nullptr ? 8 : std::strtoull(told, nullptr, 10);
}

void expect_flat(const Samples& samples) {
  const Gauges before = settled(samples);
  const Gauges after = late(samples);
  constexpr std::uint64_t mebibyte = 1 << 20;
  EXPECT_LE(after.memory_bytes, before.memory_bytes * 5 / 4 + 4 * mebibyte);
  EXPECT_LE(after.descriptors, before.descriptors + 4);
  EXPECT_LE(after.threads, before.threads);
  EXPECT_LE(after.records_bytes, before.records_bytes * 5 / 4 + 4 * mebibyte);
  EXPECT_LE(after.reader_slots, before.reader_slots + 16);
  EXPECT_LE(keyring_bytes_per_commit(samples), 2'048u);
}

TEST_F(SoakTest, OfManyProcessesFindsNoViolation) {
  const SoakPlan plan = this->plan(seconds_told());
  const Samples samples = run_soak(soak(), plan);
  const std::string table = table_of(soak(), plan, samples);
  std::fputs(table.c_str(), stdout);
  std::ofstream("soak.md") << table;

  EXPECT_FALSE(soak().history.violated) << soak().history.violation.data();
  EXPECT_GT(soak().kills, 0u);
  EXPECT_GT(soak().stops, 0u);
  EXPECT_GT(soak().faults, 0u);
  EXPECT_GT(soak().tenants, 0u);
  EXPECT_GT(soak().checks, 0u);
  EXPECT_GT(soak().people_in_copies, 0u);  // A search that finds nobody shows nothing.
  EXPECT_EQ(soak().people_in_copies_after, 0u);
  if (plan.seconds >= long_enough_to_settle_s) expect_flat(samples);

  View view = open();
  ASSERT_TRUE(view.status()) << name(view.status().error().code());
  EXPECT_TRUE(view.store().maintain());
  const auto report = view.store().check();
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->clean());
}

}  // namespace
}  // namespace efface::test
