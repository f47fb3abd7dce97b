#include <array>
#include <cstdio>

#include "efface/stats.h"

namespace efface {
namespace {

// One metric: its description, then a sample for each region that has one, or for several labels.
class Family {
 public:
  Family(std::string& out, const char* name, const char* help) : out_(out), name_(name) {
    out_.append("# HELP ").append(name).append(" ").append(help);
    out_.append("\n# TYPE ").append(name).append(" gauge\n");
  }
  void add(std::string_view labels, std::uint64_t value) {
    out_.append(name_);
    if (!labels.empty()) out_.append("{").append(labels).append("}");
    out_.append(" ").append(std::to_string(value)).append("\n");
  }

 private:
  std::string& out_;
  const char* name_;
};

// A region's name needs no escaping: it is a label of [a-z0-9_.-].
std::string of_region(const RegionStats& region) { return "region=\"" + region.name + "\""; }

void add_numbers(std::string& out, const Stats& stats) {
  struct Number {
    const char* name;
    const char* help;
    std::uint64_t (*of)(const RegionStats&);
  };
  static constexpr Number numbers[] = {
      {"efface_epoch", "Number of the epoch; each erasure ends one.",
       [](const RegionStats& r) { return r.epoch; }},
      {"efface_assurance_level", "What destroying a key rests on, 0 to 4.",
       [](const RegionStats& r) { return static_cast<std::uint64_t>(r.assurance.level); }},
      {"efface_erase_pending", "1 while a destruction waits for the root key store.",
       [](const RegionStats& r) { return std::uint64_t{r.erase_pending}; }},
      {"efface_unswept_entries", "Entries of the erased that wait for maintain.",
       [](const RegionStats& r) { return r.reclaim_entries; }},
      {"efface_ciphertexts", "Sealed objects in the records, those of the erased included.",
       [](const RegionStats& r) { return r.records; }},
      {"efface_residue_records", "Overwritten or removed, and not yet shredded by another key.",
       [](const RegionStats& r) { return r.residue_records; }},
      {"efface_residue_bytes", "Ciphertext of these.",
       [](const RegionStats& r) { return r.residue_bytes; }},
      {"efface_people_held", "People under a legal hold.",
       [](const RegionStats& r) { return r.people_held; }},
      {"efface_keyring_sequence", "Commits of the keyring so far.",
       [](const RegionStats& r) { return r.keyring_sequence; }},
      {"efface_cached_people", "People whose keys are in this process's cache.",
       [](const RegionStats& r) { return r.cached_people; }}};
  for (const Number& number : numbers) {
    Family family(out, number.name, number.help);
    for (const RegionStats& region : stats.regions)
      if (region.open) family.add(of_region(region), number.of(region));
  }
}

void add_files(std::string& out, const Stats& stats) {
  const auto add = [&](Family& family, std::uint64_t RegionStats::* keyring,
                       std::uint64_t RegionStats::* records) {
    for (const RegionStats& region : stats.regions) {
      if (!region.open) continue;
      family.add(of_region(region) + ",file=\"keyring\"", region.*keyring);
      family.add(of_region(region) + ",file=\"records\"", region.*records);
    }
  };
  Family whole(out, "efface_file_bytes", "Size of a database file.");
  add(whole, &RegionStats::keyring_file_bytes, &RegionStats::records_file_bytes);
  Family used(out, "efface_used_bytes", "Of these, in use.");
  add(used, &RegionStats::keyring_used_bytes, &RegionStats::records_used_bytes);
}

}  // namespace

std::string prometheus_text(const Stats& stats) {
  std::string out;
  {
    Family family(out, "efface_region_open", "1 when the region is open in this process.");
    for (const RegionStats& region : stats.regions) family.add(of_region(region), region.open);
  }
  add_numbers(out, stats);
  {
    Family family(out, "efface_residue_oldest_timestamp_seconds",
                  "Unix time at which the oldest residue became that.");
    for (const RegionStats& region : stats.regions)
      if (region.residue_oldest)
        family.add(of_region(region),
                   static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(
                                                  region.residue_oldest->time_since_epoch())
                                                  .count()));
  }
  {
    Family family(out, "efface_mirrors", "Mirrors of the keyring, by state.");
    for (const RegionStats& region : stats.regions) {
      if (!region.open) continue;
      std::array<std::uint64_t, 3> count{};
      for (const MirrorStats& mirror : region.mirrors)
        ++count[static_cast<std::size_t>(mirror.state)];
      for (std::size_t state = 0; state < count.size(); ++state)
        family.add(of_region(region) + ",state=\"" + name(static_cast<MirrorState>(state)) + "\"",
                   count[state]);
    }
  }
  add_files(out, stats);
  Family(out, "efface_tenants", "Tenants of the store.").add("", stats.tenants);
  Family memory(out, "efface_key_memory_bytes", "Memory for keys, by whether it is locked.");
  memory.add("locked=\"yes\"", stats.locked_bytes);
  memory.add("locked=\"no\"", stats.unlocked_bytes);
  return out;
}

}  // namespace efface
