// What doctor says of facts that no test can bring about on the machine that it runs on.
#include <gtest/gtest.h>

#include <functional>

#include "rights/doctor.h"

namespace efface::rights {
namespace {

using namespace std::chrono_literals;

const TimePoint now = std::chrono::sys_days(std::chrono::days(20'000)) + 12h;

RegionFacts well() {
  RegionFacts facts;
  facts.region = "eu";
  facts.assurance = {AssuranceLevel::l2_overwrite_verified, "It was verified."};
  facts.volume = {1, os::FileSystem::in_place, std::uint64_t{1} << 40, std::uint64_t{1} << 39};
  facts.ledger_copy_device = 2;
  facts.mirrors = {{MirrorState::in_step, 1}, {MirrorState::in_step, 1}};
  facts.mirrors_on_volume = 1;
  facts.now = now;
  facts.last_entry = now - 1h;
  facts.high_water_day = 19'999;
  facts.used_bytes = 1 << 20;
  facts.map_bytes_max = std::uint64_t{1} << 40;
  return facts;
}

using Severities = std::map<std::string_view, Severity>;
template <class Facts>
Severities judged(const Facts& facts) {
  std::vector<Finding> findings;
  judge(facts, findings);
  Severities found;
  for (const Finding& finding : findings) found[finding.check] = finding.severity;
  return found;
}

struct Case {
  const char* check;
  Severity severity;
  std::function<void(RegionFacts&)> spoil;
};

TEST(DoctorsJudgement, FindsNothingInAHealthyRegion) {
  for (const auto& [check, severity] : judged(well())) EXPECT_EQ(severity, Severity::ok) << check;
}

TEST(DoctorsJudgement, FindsEachFaultAndNoOther) {
  using enum Severity;
  const Case cases[] = {
      {"root_keys_volume", warning, [](auto& f) { f.root_keys_on_volume = true; }},
      {"root_keys_clear", note, [](auto& f) { f.root_keys_in_clear = true; }},
      {"assurance", warning, [](auto& f) { f.assurance.level = AssuranceLevel::l0_logical; }},
      {"assurance", note, [](auto& f) { f.assurance.level = AssuranceLevel::l1_overwritten; }},
      {"replicas", danger, [](auto& f) { f.replicas = {1, 2}; }},
      {"retiring", danger, [](auto& f) { f.retiring = true; }},
      {"erase_pending", danger, [](auto& f) { f.erase_pending = true; }},
      {"modes", danger, [](auto& f) { f.open_to_others = true; }},
      {"file_system", warning, [](auto& f) { f.volume.file_system = os::FileSystem::memory; }},
      {"file_system", danger, [](auto& f) { f.volume.file_system = os::FileSystem::network; }},
      {"file_system", danger, [](auto& f) { f.volume.file_system = os::FileSystem::unknown; }},
      {"mirrors", warning, [](auto& f) { f.mirrors.clear(); }},
      {"mirrors", warning, [](auto& f) { f.mirrors[0].state = MirrorState::behind; }},
      {"mirrors", warning, [](auto& f) { f.mirrors_on_volume = 2; }},
      {"mirrors", danger,
       [](auto& f) {
         for (MirrorStats& mirror : f.mirrors) mirror.state = MirrorState::absent;
       }},
      {"ledger_copy", danger, [](auto& f) { f.ledger_copy_in_step = false; }},
      {"ledger_copy", danger, [](auto& f) { f.ledger_copy_device.reset(); }},
      {"ledger_copy", note, [](auto& f) { f.ledger_copy_device = 1; }},
      {"residue", note,
       [](auto& f) {
         f.residue_records = 3;
         f.residue_oldest = now - 24h;
       }},
      {"residue", warning,
       [](auto& f) {
         f.residue_records = 3;
         f.residue_oldest = now - 24h * 9;
       }},
      {"unswept", note, [](auto& f) { f.reclaim_entries = 1; }},
      {"unswept", warning, [](auto& f) { f.reclaim_entries = 1'000'000; }},
      {"expiry", note, [](auto& f) { f.expired_days = 1; }},
      {"expiry", warning, [](auto& f) { f.expired_days = 32; }},
      {"stale_readers", warning, [](auto& f) { f.stale_readers = 1; }},
      {"clock", danger, [](auto& f) { f.last_entry = now + 1h; }},
      {"clock", danger, [](auto& f) { f.high_water_day = 20'000; }},
      {"clock", warning, [](auto& f) { f.last_entry = now - 24h * 500; }},
      {"map", warning, [](auto& f) { f.map_bytes_max = 5 << 18; }},
      {"map", danger, [](auto& f) { f.map_bytes_max = 17 << 16; }},
      {"disk", warning, [](auto& f) { f.volume.free_bytes = 512 << 20; }},
      {"disk", danger, [](auto& f) { f.volume.free_bytes = 1 << 20; }},
  };
  for (const Case& spoilt : cases) {
    RegionFacts facts = well();
    spoilt.spoil(facts);
    for (const auto& [check, severity] : judged(facts))
      EXPECT_EQ(severity, check == spoilt.check ? spoilt.severity : ok)
          << check << " when spoiling " << spoilt.check;
  }
}

TEST(DoctorsJudgement, CallsRootKeysInClearOnTheVolumeOfTheDataADanger) {
  RegionFacts facts = well();
  facts.root_keys_on_volume = facts.root_keys_in_clear = true;
  EXPECT_EQ(judged(facts)["root_keys_volume"], Severity::danger);
}

TEST(DoctorsJudgement, TakesClocksThatDifferALittle) {
  RegionFacts facts = well();
  facts.last_entry = now + 1min;
  EXPECT_EQ(judged(facts)["clock"], Severity::ok);
}

TEST(DoctorsJudgement, KnowsTheMachine) {
  const HostFacts good{0, false, false};
  for (const auto& [check, severity] : judged(good)) EXPECT_EQ(severity, Severity::ok) << check;
  EXPECT_EQ(judged(HostFacts{4096, false, false})["locked_memory"], Severity::danger);
  EXPECT_EQ(judged(HostFacts{0, true, false})["core_dumps"], Severity::warning);
  EXPECT_EQ(judged(HostFacts{0, false, true})["swap"], Severity::note);
  EXPECT_EQ(judged(HostFacts{0, false, std::nullopt})["swap"], Severity::note);
}

}  // namespace
}  // namespace efface::rights
