#include "tools/top.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "tools/said.h"
#include "tools/text.h"
#include "tools/times.h"

namespace efface::cli {
namespace {

// What changes, and is worth a rate.
struct Number {
  const char* label;
  const char* key;
  std::uint64_t RegionStats::* of;
};
constexpr std::array<Number, 5> numbers = {{
    {"keyring commits", "keyring_commits", &RegionStats::keyring_sequence},
    {"epoch", "epoch", &RegionStats::epoch},
    {"ciphertexts", "records", &RegionStats::records},
    {"residue", "residue_records", &RegionStats::residue_records},
    {"erased, not swept", "reclaim_entries", &RegionStats::reclaim_entries},
}};

const RegionStats* find(const Sample* sample, const std::string& name) {
  if (sample == nullptr) return nullptr;
  for (const RegionStats& region : sample->stats.regions)
    if (region.name == name && region.open) return &region;
  return nullptr;
}

std::optional<double> rate_of(std::uint64_t now, std::uint64_t before, double seconds) {
  if (seconds <= 0) return std::nullopt;
  return (static_cast<double>(now) - static_cast<double>(before)) / seconds;
}

double seconds_between(const Sample& now, const Sample* before) {
  if (before == nullptr) return 0;
  return std::chrono::duration<double>(now.at - before->at).count();
}

std::string line(const char* label, const std::string& value, const std::string& more = {}) {
  std::array<char, 128> text{};
  const int size = std::snprintf(text.data(), text.size(), "  %-19s%12s%s\n", label, value.c_str(),
                                 more.c_str());
  return {text.data(), std::min(static_cast<std::size_t>(std::max(size, 0)), text.size() - 1)};
}

std::string rate_text(std::optional<double> rate) {
  if (!rate) return {};
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%+11.1f/s", *rate);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

std::string region_text(const RegionStats& now, const RegionStats* before, double seconds,
                        std::chrono::system_clock::time_point at) {
  if (!now.open) return "region " + now.name + ": not open, for want of its root key\n";
  std::string text = "region " + now.name + ": assurance " + name(now.assurance.level) + '\n';
  if (now.erase_pending) text += "  an erasure waits for the root key store\n";
  for (const Number& number : numbers) {
    const auto rate =
        before == nullptr ? std::nullopt : rate_of(now.*number.of, before->*number.of, seconds);
    text += line(number.label, std::to_string(now.*number.of), rate_text(rate));
  }
  if (now.residue_oldest)
    text += line("  of", spell_bytes(now.residue_bytes),
                 ", the oldest " + spell_age(at - *now.residue_oldest) + " old");
  text += line("on legal hold", std::to_string(now.people_held));
  text += line("cached here", std::to_string(now.cached_people));
  text += line("keyring", spell_bytes(now.keyring_used_bytes),
               " of " + spell_bytes(now.keyring_file_bytes));
  text += line("records", spell_bytes(now.records_used_bytes),
               " of " + spell_bytes(now.records_file_bytes));
  if (!now.mirrors.empty())
    text += line("mirrors in step", std::to_string(mirrors_in_step(now)),
                 " of " + std::to_string(now.mirrors.size()));
  return text;
}

}  // namespace

std::string top_frame(const Sample& now, const Sample* before) {
  const Stats& stats = now.stats;
  std::string text = "efface top, " + spell_time(now.at) + ": " +
                     count_of(stats.tenants, "tenant", "tenants") +
                     "\nmemory for keys, here: " + spell_bytes(stats.locked_bytes) + " locked, " +
                     spell_bytes(stats.unlocked_bytes) + " not\n";
  for (const RegionStats& region : stats.regions)
    text +=
        '\n' + region_text(region, find(before, region.name), seconds_between(now, before), now.at);
  return text;
}

Json top_object(const Sample& now, const Sample* before) {
  const double seconds = seconds_between(now, before);
  Json regions = Json::array();
  for (const RegionStats& region : now.stats.regions) {
    Json object = json_of(region);
    if (region.open) object["keyring_sequence"] = region.keyring_sequence;
    if (const RegionStats* was = find(before, region.name); was != nullptr && region.open) {
      Json rates = Json::object();
      for (const Number& number : numbers)
        if (const auto rate = rate_of(region.*number.of, was->*number.of, seconds))
          rates[number.key] = *rate;
      object["per_second"] = rates;
    }
    regions.push_back(object);
  }
  return {{"at", spell_time(now.at)},
          {"regions", regions},
          {"tenants", now.stats.tenants},
          {"locked_bytes", now.stats.locked_bytes},
          {"unlocked_bytes", now.stats.unlocked_bytes}};
}

}  // namespace efface::cli
