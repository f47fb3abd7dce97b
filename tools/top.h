// tools/top.h -- what `efface top` shows: the numbers of a store, and how fast they change.
//
// Nothing of it says anything of a person or a tenant.
#pragma once
#include <chrono>
#include <string>

#include "efface/stats.h"
#include "tools/output.h"

namespace efface::cli {

// The numbers at one time.
struct Sample {
  Stats stats;
  std::chrono::system_clock::time_point at;
};

// before: null: there are no rates.
std::string top_frame(const Sample& now, const Sample* before);
Json top_object(const Sample& now, const Sample* before);

}  // namespace efface::cli
