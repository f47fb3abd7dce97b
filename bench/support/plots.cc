#include "support/plots.h"

#include <algorithm>
#include <cstdlib>

#include "support/plot.h"
#include "support/tables.h"

namespace efface::bench {
namespace {

// Every "bench/<x>": its times, times the factor; or turned round, how many a second.
Series series_of(const Measured& measured, const std::string& bench, const std::string& label,
                 double factor = 1) {
  Series series{label, {}, {}};
  for (const std::string& name : measured.names()) {
    if (!name.starts_with(bench + "/")) continue;
    char* end = nullptr;
    const double x = std::strtod(name.c_str() + bench.size() + 1, &end);
    if (*end != '\0') continue;
    series.line.push_back({x, factor * measured.median(name)});
    for (const double y : measured.times(name)) series.single.push_back({x, factor * y});
  }
  std::sort(series.line.begin(), series.line.end());
  return series;
}

Picture picture(const char* name, const Plot& plot) { return {name, plot.title, to_svg(plot)}; }

Picture erase(const Measured& measured) {
  Plot plot{
      "Erasing a person, until no file has her bytes", "records of the person", "time (us)", {}};
  for (const std::string& name : peer_names(measured))
    plot.series.push_back(series_of(measured, name + "/erase", name));
  if (plot.series.empty()) {
    plot.title = "One durable erasure, against records of the person";
    plot.series = {series_of(measured, "erase", "efface: erase"),
                   series_of(measured, "lmdb_delete", "LMDB: delete")};
  }
  return picture("erase.svg", plot);
}

Picture erase_rate(const Measured& measured) {
  const auto to_rates = [](Series series) {
    for (Point& point : series.line) point.y = point.x * 1e6 / point.y;
    for (Point& point : series.single) point.y = point.x * 1e6 / point.y;
    return series;
  };
  Series threads{"one each by threads", {}, {}};
  for (const int n : {1, 2, 4, 8, 16, 32, 64}) {
    std::string name = "erase_threads";
    if (n > 1) name += " threads:" + std::to_string(n);
    if (!measured.has(name)) continue;
    threads.line.push_back({static_cast<double>(n), 1e6 / measured.median(name)});
    for (const double us : measured.times(name))
      threads.single.push_back({static_cast<double>(n), 1e6 / us});
  }
  Plot plot{"Erasures a second",
            "people in one call, or threads",
            "people a second",
            {to_rates(series_of(measured, "erase_bulk", "in one call")), threads}};
  return picture("erase-rate.svg", plot);
}

Picture operations(const Measured& measured) {
  BarGroup reading{"Gets of 200 B a second, one thread", {}};
  BarGroup writing{"Puts of 200 B a second, 1,000 in each durable commit", {}};
  for (const std::string& name : peer_names(measured)) {
    const bool is_ours = name == "efface";
    const bool seals = is_ours || name == "sqlcipher";
    const std::string label = seals ? name + " (encrypted)" : name;
    reading.bars.push_back({label, 1e6 / measured.median(name + "/get"), is_ours});
    writing.bars.push_back({label, 1e9 / measured.median(name + "/put_1000"), is_ours});
  }
  const auto faster = [](const Bar& a, const Bar& b) { return a.value > b.value; };
  std::sort(reading.bars.begin(), reading.bars.end(), faster);
  std::sort(writing.bars.begin(), writing.bars.end(), faster);
  const char* const title = "Reading and writing";
  return {"operations.svg", title, to_svg(title, {reading, writing})};
}

Picture scale(const Measured& measured) {
  Plot plot{"What grows with the number of people",
            "people",
            "time (us)",
            {series_of(measured, "scale_erase", "erase one"),
             series_of(measured, "scale_open", "open the store"),
             series_of(measured, "scale_read", "find and read one"),
             series_of(measured, "scale_enrol", "enrol one of many"),
             series_of(measured, "scale_count", "count a purpose")}};
  return picture("scale.svg", plot);
}

}  // namespace

std::vector<Picture> pictures(const Measured& measured) {
  std::vector<Picture> all = {erase(measured), erase_rate(measured)};
  if (!peer_names(measured).empty()) all.push_back(operations(measured));
  all.push_back(scale(measured));
  return all;
}

}  // namespace efface::bench
