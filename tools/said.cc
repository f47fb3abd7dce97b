#include "tools/said.h"

#include <algorithm>
#include <utility>

#include "tools/text.h"
#include "tools/times.h"

namespace efface::cli {

void say_erasure(Output& out, const std::string& text, Json object, const Erasure& erasure,
                 std::chrono::nanoseconds time) {
  if (!out.json()) {
    out.line(text);
    for (const Erasure::InRegion& region : erasure.regions)
      out.line("region " + region.region + ": epoch " + std::to_string(region.epoch_before) +
               " is over, now " + std::to_string(region.epoch_after) + "; assurance " +
               name(region.assurance.level) + ": " + region.assurance.rests_on);
    return;
  }
  object["erased"] = erasure.erased;
  object["unknown"] = erasure.unknown;
  object["held"] = erasure.held;
  object["shared"] = erasure.shared;
  object["seconds"] = std::chrono::duration<double>(time).count();
  object["regions"] = Json::array();
  for (const Erasure::InRegion& region : erasure.regions)
    object["regions"].push_back({{"region", region.region},
                                 {"epoch_before", region.epoch_before},
                                 {"epoch_after", region.epoch_after},
                                 {"assurance", name(region.assurance.level)},
                                 {"rests_on", region.assurance.rests_on}});
  out.object(object);
}

void say_hold(Output& out, const Hold& hold, Reason reason, std::optional<std::uint64_t> place) {
  const std::string until = hold.until ? spell_time(*hold.until) : std::string();
  if (out.json()) {
    Json object = Json::object();
    if (place) object["person"] = *place;
    object["hold"] = hold.number;
    object["basis"] = hold.basis;
    if (reason == Reason::said) object["reason"] = hold.reason;
    object["since"] = spell_time(hold.since);
    object["until"] = hold.until ? Json(until) : Json();
    out.object(object);
    return;
  }
  std::string text = place ? "person " + std::to_string(*place) + ": " : std::string();
  text += "hold " + std::to_string(hold.number) + ": " + std::string(hold.basis) + ", since " +
          spell_time(hold.since) + ", until " + (hold.until ? until : "it is released");
  if (reason == Reason::said) text += ": " + on_one_line(hold.reason);
  out.line(text);
}

std::size_t mirrors_in_step(const RegionStats& region) {
  return static_cast<std::size_t>(std::count_if(
      region.mirrors.begin(), region.mirrors.end(),
      [](const MirrorStats& mirror) { return mirror.state == MirrorState::in_step; }));
}

Json json_of(const RegionStats& region) {
  Json object = {{"region", region.name}, {"open", region.open}};
  if (!region.open) return object;
  object["epoch"] = region.epoch;
  object["assurance"] = name(region.assurance.level);
  object["rests_on"] = region.assurance.rests_on;
  object["erase_pending"] = region.erase_pending;
  object["reclaim_entries"] = region.reclaim_entries;
  object["records"] = region.records;
  object["residue_records"] = region.residue_records;
  object["residue_bytes"] = region.residue_bytes;
  object["residue_oldest"] =
      region.residue_oldest ? Json(spell_time(*region.residue_oldest)) : Json();
  object["people_held"] = region.people_held;
  object["mirrors_in_step"] = mirrors_in_step(region);
  object["mirrors"] = region.mirrors.size();
  object["keyring_file_bytes"] = region.keyring_file_bytes;
  object["keyring_used_bytes"] = region.keyring_used_bytes;
  object["records_file_bytes"] = region.records_file_bytes;
  object["records_used_bytes"] = region.records_used_bytes;
  object["cached_people"] = region.cached_people;
  return object;
}

}  // namespace efface::cli
