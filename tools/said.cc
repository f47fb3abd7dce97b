#include "tools/said.h"

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

}  // namespace efface::cli
