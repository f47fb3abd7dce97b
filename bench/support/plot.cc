#include "support/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace efface::bench {
namespace {

constexpr double width = 760;
constexpr double height = 440;
constexpr double left = 88;
constexpr double right = 600;
constexpr double top = 48;
constexpr double bar_left = 24;
constexpr double bottom = 372;

constexpr const char* style = R"(<style>
text { font: 13px sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: bold; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.other { fill: #8c959f; }
.s0 { stroke: #0969da; fill: #0969da; }
.s1 { stroke: #cf222e; fill: #cf222e; }
.s2 { stroke: #8250df; fill: #8250df; }
.s3 { stroke: #bf8700; fill: #bf8700; }
.s4 { stroke: #1a7f37; fill: #1a7f37; }
.s5 { stroke: #d15704; fill: #d15704; }
.s6 { stroke: #bf3989; fill: #bf3989; }
.s7 { stroke: #57606a; fill: #57606a; }
.s8 { stroke: #0a7d91; fill: #0a7d91; }
polyline { fill: none !important; stroke-width: 1.5; }
polyline.s0 { stroke-width: 3; }
circle.one { stroke: none; opacity: 0.3; }
text { stroke: none !important; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .grid { stroke: #373e47; }
  .other { fill: #6e7781; }
  .s0 { stroke: #58a6ff; fill: #58a6ff; }
  .s1 { stroke: #ff7b72; fill: #ff7b72; }
  .s2 { stroke: #d2a8ff; fill: #d2a8ff; }
  .s3 { stroke: #e3b341; fill: #e3b341; }
  .s4 { stroke: #56d364; fill: #56d364; }
  .s5 { stroke: #ffa657; fill: #ffa657; }
  .s6 { stroke: #f778ba; fill: #f778ba; }
  .s7 { stroke: #9da7b3; fill: #9da7b3; }
  .s8 { stroke: #39c5cf; fill: #39c5cf; }
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
  return std::string("1e").append(std::to_string(exponent));
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

std::string class_of(std::size_t index) { return std::string("s").append(std::to_string(index)); }

std::string drawn(const Series& series, std::size_t index, const Axis& x, const Axis& y) {
  const std::string of = class_of(index);
  std::string out;
  for (const Point& point : series.single) out += circle(point, x, y, of + " one", 2.5);
  out += "<polyline class=\"" + of + "\" points=\"";
  for (const Point& point : series.line)
    out += number(x.at(point.x)) + "," + number(y.at(point.y)) + " ";
  out.back() = '"';
  out += "/>\n";
  for (const Point& point : series.line) out += circle(point, x, y, of, index == 0 ? 4 : 3);
  return out;
}

// At the ends of their lines, as far apart as they have to be.
std::string labels(const std::vector<Series>& series, const Axis& x, const Axis& y) {
  constexpr double line_height = 16;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < series.size(); ++i) order.push_back(i);
  const auto height_of = [&](std::size_t i) { return y.at(series[i].line.back().y); };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return height_of(a) < height_of(b); });
  std::vector<double> at;
  for (const std::size_t i : order)
    at.push_back(at.empty() ? height_of(i) : std::max(height_of(i), at.back() + line_height));
  double limit = bottom;
  for (std::size_t i = at.size(); i-- > 0; limit = at[i] - line_height)
    at[i] = std::min(at[i], limit);
  std::string out;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Series& each = series[order[i]];
    out += text(x.at(each.line.back().x) + 10, at[i] + 4, "start", each.label,
                " class=\"" + class_of(order[i]) + "\"");
  }
  return out;
}

std::string opening(const std::string& title, double of_height) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " +
         number(of_height) + "\" role=\"img\" aria-label=\"" + title + "\">\n" + style +
         text(bar_left, 26, "start", title, " class=\"title\"");
}

// "310,000", "4.2 M"
std::string rounded(double value) {
  if (value >= 1e6) return number(value / 1e6) + " M";
  const std::string digits = std::to_string(static_cast<long long>(value + 0.5));
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
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

  std::string out = opening(plot.title, height);
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
  for (std::size_t i = plot.series.size(); i-- > 0;) out += drawn(plot.series[i], i, x, y);
  return out + labels(plot.series, x, y) + "</svg>\n";
}

std::string to_svg(const std::string& title, const std::vector<BarGroup>& groups) {
  constexpr double row = 24;
  constexpr double thick = 16;
  constexpr double labelled = 170;
  constexpr double longest = 460;
  double at = 40;
  std::string out;
  for (const BarGroup& group : groups) {
    out += text(bar_left, at + 24, "start", group.title);
    at += 34;
    double most = 0;
    for (const Bar& bar : group.bars) most = std::max(most, bar.value);
    for (const Bar& bar : group.bars) {
      const double length = std::max(1.0, longest * bar.value / most);
      out += text(labelled - 8, at + 13, "end", bar.label);
      out += "<rect class=\"" + std::string(bar.stands_out ? "s0" : "other") + "\" x=\"" +
             number(labelled) + "\" y=\"" + number(at) + "\" width=\"" + number(length) +
             "\" height=\"" + number(thick) + "\" rx=\"2\"/>\n";
      out += text(labelled + length + 8, at + 13, "start", rounded(bar.value));
      at += row;
    }
    at += 8;
  }
  return opening(title, at + 8) + out + "</svg>\n";
}

}  // namespace efface::bench
