// support/plots.h -- what was measured, as pictures.
#pragma once
#include <string>
#include <vector>

#include "support/measured.h"

namespace efface::bench {

struct Picture {
  std::string name;  // Of its file.
  std::string title;
  std::string svg;
};

// Those of what was measured.
std::vector<Picture> pictures(const Measured& measured);

}  // namespace efface::bench
