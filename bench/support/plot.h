// support/plot.h -- plots as SVG that read well on a light and on a dark page.
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

// On two logarithmic axes. Values are above 0. The axes reach the powers of ten around them.
struct Plot {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;  // At most plot_series_max, the first of them stands out.
};
inline constexpr std::size_t plot_series_max = 9;
std::string to_svg(const Plot& plot);

struct Bar {
  std::string label;
  double value;
  bool stands_out;
};
struct BarGroup {
  std::string title;
  std::vector<Bar> bars;  // Each group has a scale of its own.
};
std::string to_svg(const std::string& title, const std::vector<BarGroup>& groups);

}  // namespace efface::bench
