#include "support/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace efface::bench {
namespace {

constexpr double width = 760;
constexpr double height = 440;
constexpr double left = 88;
constexpr double right = 640;
constexpr double top = 48;
constexpr double bottom = 372;

constexpr const char* style = R"(<style>
text { font: 13px sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: bold; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.s0 { stroke: #0969da; fill: #0969da; }
.s1 { stroke: #cf222e; fill: #cf222e; }
.s2 { stroke: #6e7781; fill: #6e7781; }
polyline.s0, polyline.s1, polyline.s2 { fill: none; stroke-width: 2; }
circle.one { stroke: none; opacity: 0.35; }
text.s0, text.s1, text.s2 { stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .grid { stroke: #373e47; }
  .s0 { stroke: #58a6ff; fill: #58a6ff; }
  .s1 { stroke: #ff7b72; fill: #ff7b72; }
  .s2 { stroke: #9da7b3; fill: #9da7b3; }
}
</style>
)";

// A logarithmic axis over whole powers of ten.
class Axis {
 public:
  Axis(double least, double most, double from, double to)
      : first(static_cast<int>(std::floor(std::log10(least)))),
        last(std::max(first + 1, static_cast<int>(std::ceil(std::log10(most))))),
        from_(from),
        to_(to) {}
  double at(double value) const {
    return from_ + (to_ - from_) * (std::log10(value) - first) / (last - first);
  }
  const int first;
  const int last;

 private:
  double from_;
  double to_;
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string power_of_ten(int exponent) {
  static constexpr const char* names[] = {"1",       "10",  "100",  "1,000", "10,000",
                                          "100,000", "1 M", "10 M", "100 M", "1 G"};
  if (exponent >= 0 && exponent < 10) return names[exponent];
  return "1e" + std::to_string(exponent);
}

std::string text(double x, double y, const char* anchor, const std::string& what,
                 const std::string& attributes = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" +
         attributes + ">" + what + "</text>\n";
}

std::string grid_line(double x1, double y1, double x2, double y2) {
  return "<line class=\"grid\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
         number(x2) + "\" y2=\"" + number(y2) + "\"/>\n";
}

std::string circle(const Point& point, const Axis& x, const Axis& y, const std::string& of,
                   double radius) {
  return "<circle class=\"" + of + "\" cx=\"" + number(x.at(point.x)) + "\" cy=\"" +
         number(y.at(point.y)) + "\" r=\"" + number(radius) + "\"/>\n";
}

std::string drawn(const Series& series, std::size_t index, const Axis& x, const Axis& y) {
  static constexpr const char* classes[] = {"s0", "s1", "s2"};
  const std::string of = classes[index];
  std::string out;
  for (const Point& point : series.single) out += circle(point, x, y, of + " one", 2.5);
  out += "<polyline class=\"" + of + "\" points=\"";
  for (const Point& point : series.line)
    out += number(x.at(point.x)) + "," + number(y.at(point.y)) + " ";
  out.back() = '"';
  out += "/>\n";
  for (const Point& point : series.line) out += circle(point, x, y, of, 3.5);
  const Point& end = series.line.back();
  return out +
         text(x.at(end.x) + 10, y.at(end.y) + 4, "start", series.label, " class=\"" + of + "\"");
}

}  // namespace

std::string to_svg(const Plot& plot) {
  std::vector<Point> all;
  for (const Series& series : plot.series) {
    all.insert(all.end(), series.line.begin(), series.line.end());
    all.insert(all.end(), series.single.begin(), series.single.end());
  }
  const auto by_y = [](const Point& a, const Point& b) { return a.y < b.y; };
  const auto [least_x, most_x] = std::minmax_element(all.begin(), all.end());
  const auto [least_y, most_y] = std::minmax_element(all.begin(), all.end(), by_y);
  const Axis x(least_x->x, most_x->x, left, right);
  const Axis y(least_y->y, most_y->y, bottom, top);

  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) +
                    " " + number(height) + "\" role=\"img\" aria-label=\"" + plot.title + "\">\n" +
                    style;
  out += text(left, 26, "start", plot.title, " class=\"title\"");
  for (int power = x.first; power <= x.last; ++power) {
    const double at = x.at(std::pow(10, power));
    out += grid_line(at, top, at, bottom) + text(at, bottom + 20, "middle", power_of_ten(power));
  }
  for (int power = y.first; power <= y.last; ++power) {
    const double at = y.at(std::pow(10, power));
    out += grid_line(left, at, right, at) + text(left - 8, at + 4, "end", power_of_ten(power));
  }
  out += text((left + right) / 2, bottom + 46, "middle", plot.x_label);
  out += text(0, 0, "middle", plot.y_label,
              " transform=\"translate(18 " + number((top + bottom) / 2) + ") rotate(-90)\"");
  for (std::size_t i = 0; i < plot.series.size(); ++i) out += drawn(plot.series[i], i, x, y);
  return out + "</svg>\n";
}

}  // namespace efface::bench
