// tools/said.h -- how verbs say what was destroyed, what keeps a person, and a region's numbers.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "efface/efface.h"
#include "tools/output.h"

namespace efface::cli {

class Timer {
 public:
  std::chrono::nanoseconds passed() const noexcept {
    return std::chrono::steady_clock::now() - start_;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// In text the first line as given, then a line a region; in JSON what is given, then the erasure's
// own numbers.
void say_erasure(Output& out, const std::string& text, Json object, const Erasure& erasure,
                 std::chrono::nanoseconds time);

// With the place, from 1, of the person among those asked for, where there are several. The reason
// is a text about her, and said only where one asks for it.
enum class Reason : bool { left_out, said };
void say_hold(Output& out, const Hold& hold, Reason reason, std::optional<std::uint64_t> place);

// The numbers of a region.
Json json_of(const RegionStats& region);
std::size_t mirrors_in_step(const RegionStats& region);

}  // namespace efface::cli
