// support/plot.h -- a plot on two logarithmic axes, as SVG that reads well on a light and on a dark
// page.
#pragma once
#include <string>
#include <vector>

namespace efface::bench {

struct Point {
  double x;
  double y;
  bool operator<(const Point& other) const noexcept { return x < other.x; }
};

struct Series {
  std::string label;
  std::vector<Point> line;    // In order of x; the label stands at its end.
  std::vector<Point> single;  // What the line is the median of.
};

struct Plot {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;  // At most three: as many colours are set.
};

// Values are above 0. The axes reach the powers of ten around them.
std::string to_svg(const Plot& plot);

}  // namespace efface::bench
