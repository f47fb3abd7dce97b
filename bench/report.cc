// Reads what the benches measured and writes report.json (an object: goal and number), report.md
// (the table) and erase.svg; with --publish DIR also DIR/performance.md and DIR/erase.svg, for
// docs/.
//
// report OUTPUT_DIR COMMIT [--publish DIR] BENCH.json...
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "support/measured.h"
#include "support/must.h"
#include "support/plot.h"

namespace efface::bench {
namespace {

namespace fs = std::filesystem;

enum class Reach : bool { at_most, at_least };

struct Goal {
  const char* name;
  const char* question;
  Reach reach;
  double limit;
  const char* needs;  // Without it, a quick run passes the goal over.
  std::function<double(const Measured&)> value;
};

// How many times as fast a is as b.
auto rate(const char* a, const char* b) {
  return [a, b](const Measured& m) { return m.median(b) / m.median(a); };
}
auto time(const char* a, const char* b) { return rate(b, a); }
auto size(const char* a, const char* b) {
  return [a, b](const Measured& m) { return m.bytes(a) / m.bytes(b); };
}

const std::vector<Goal>& goals() {
  using enum Reach;
  static const std::vector<Goal> all = {
      {"erase_1M_vs_1_record",
       "Erasing a person of 1M records against one of a single record, time", at_most, 1.1,
       "erase/1000000", time("erase/1000000", "erase/1")},
      {"erase_durable_vs_lmdb_put", "One durable erasure against one durable LMDB put, time",
       at_most, 2.0, "erase_one", time("erase_one", "lmdb_put")},
      {"expiry_1M_vs_1k", "Destroying an expired day of 1M records against one of 1,000, time",
       at_most, 1.1, "expiry/1000000", time("expiry/1000000", "expiry/1000")},
      {"get_vs_lmdb", "Sealed get of 200 B, keys cached, against an LMDB get, rate", at_least, 0.5,
       "get", rate("get", "lmdb_get")},
      {"get_2_threads_vs_1", "Gets by two threads against one, rate", at_least, 1.8,
       "get threads:2", rate("get threads:2", "get")},
      {"put_vs_lmdb", "Puts of 200 B, 1,000 a durable commit, against LMDB, rate", at_least, 0.8,
       "put_1000", rate("put_1000", "lmdb_put_1000")},
      {"put_8_threads_vs_1", "Durable single puts by eight threads against one, rate", at_least, 4,
       "put_one threads:8", rate("put_one threads:8", "put_one")},
      {"size_vs_lmdb_200", "All files against LMDB's, incompressible values of 200 B", at_most, 1.6,
       "size/200", size("size/200", "lmdb_size/200")},
      {"size_vs_lmdb_1000", "The same with 1,000 B", at_most, 1.2, "size/1000",
       size("size/1000", "lmdb_size/1000")},
      {"keyring_bytes_per_person", "The keyring's file, one purpose, bytes a person", at_most, 220,
       "keyring_size", [](const Measured& m) { return m.bytes("keyring_size"); }}};
  return all;
}

std::string format(const char* how, double value) {
  char text[64];
  std::snprintf(text, sizeof text, how, value);
  return text;
}

// "10000" as "10,000".
std::string grouped(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string shown(double value) {
  return value >= 100 ? grouped(format("%.0f", value)) : format("%.2f", value);
}

// What "name/1000" is a measurement of.
std::size_t argument_of(const std::string& name) {
  return static_cast<std::size_t>(std::strtoull(name.c_str() + name.rfind('/') + 1, nullptr, 10));
}

Series series_of(const Measured& measured, const std::string& prefix, const char* label) {
  Series series{label, {}, {}};
  for (const std::string& name : measured.names()) {
    if (!name.starts_with(prefix + "/")) continue;
    const auto x = static_cast<double>(argument_of(name));
    series.line.push_back({x, measured.median(name)});
    for (const double y : measured.times(name)) series.single.push_back({x, y});
  }
  std::sort(series.line.begin(), series.line.end());
  return series;
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "an unknown processor";
}

std::string goals_table(const Measured& measured) {
  std::string out = "| goal | question | measured | wanted | |\n|---|---|---:|---:|---|\n";
  for (const Goal& goal : goals()) {
    if (!measured.has(goal.needs)) continue;
    const double value = goal.value(measured);
    const bool at_most = goal.reach == Reach::at_most;
    const bool reached = at_most ? value <= goal.limit : value >= goal.limit;
    out += std::string("| `") + goal.name + "` | " + goal.question + " | " + shown(value) + " | " +
           (at_most ? "at most " : "at least ") + format("%g", goal.limit) + " | " +
           (reached ? "reached" : "not yet") + " |\n";
  }
  return out;
}

std::string erase_table(const Series& erase, const Series& remove) {
  std::string out =
      "| records of the person | efface, erase (us) | LMDB, delete them all (us) |\n"
      "|---:|---:|---:|\n";
  for (std::size_t i = 0; i < erase.line.size() && i < remove.line.size(); ++i)
    out += "| " + grouped(format("%.0f", erase.line[i].x)) + " | " +
           grouped(format("%.0f", erase.line[i].y)) + " | " +
           grouped(format("%.0f", remove.line[i].y)) + " |\n";
  return out;
}

std::string times_table(const Measured& measured) {
  struct What {
    const char* name;
    const char* says;
  };
  static constexpr What all[] = {{"erase_one", "erase, durable"},
                                 {"lmdb_put", "LMDB: put of 200 B, durable"},
                                 {"expiry/1000", "destroy an expired day of 1,000 records"},
                                 {"expiry_sweep/1000", "remove their ciphertext"},
                                 {"expiry/1000000", "destroy an expired day of 1M records"},
                                 {"expiry_sweep/1000000", "remove their ciphertext"},
                                 {"get", "get of 200 B"},
                                 {"visit", "visit of 200 B (no copy for the caller)"},
                                 {"lmdb_get", "LMDB: get of 200 B, renewed read transaction"},
                                 {"put_1000", "1,000 puts of 200 B, one durable commit"},
                                 {"lmdb_put_1000", "LMDB: the same"},
                                 {"put_one", "put of 200 B, durable"},
                                 {"put_one threads:8", "the same, eight threads at once"},
                                 {"lmdb_put_one", "LMDB: the same, one thread"}};
  std::string out = "| operation | median (us) | middle half (us) |\n|---|---:|---:|\n";
  for (const What& what : all) {
    if (!measured.has(what.name)) continue;
    std::vector<double> times = measured.times(what.name);
    std::sort(times.begin(), times.end());
    out += std::string("| ") + what.says + " | " + shown(median_of(times)) + " | " +
           shown(times[times.size() / 4]) + " to " + shown(times[times.size() * 3 / 4]) + " |\n";
  }
  return out;
}

std::string markdown(const Measured& measured, const std::string& commit) {
  std::string out =
      "# Performance\n\n"
      "Generated by `bench/`: build the target `run_bench` (`cmake --workflow --preset bench`), "
      "then\n"
      "`publish_bench`. Goals are ratios of medians that were measured side by side in one run, "
      "with\n"
      "repetitions in random order, on one disk, durable, everything in the page cache. Absolute\n"
      "times hold for one machine and one day: " +
      measured.date() + ", commit " + commit + ",\n" + cpu_model() + ".\n\n";
  if (measured.quick()) out += "A quick run: it shows that the benches work, and no more.\n\n";
  const Series erase = series_of(measured, "erase", "efface: erase");
  const Series remove = series_of(measured, "lmdb_delete", "LMDB: delete");
  out += goals_table(measured) +
         "\n## Erasing, against records a person has\n\n"
         "![Time of one durable erasure against the number of records](erase.svg)\n\n"
         "After `erase` nobody can read the records, whatever copy of the files they have; after\n"
         "LMDB's deletion, at the same durability, the bytes are still in its file.\n\n" +
         erase_table(erase, remove) +
         "\n## Operations\n\nTime of one operation (with several threads: time divided by all that "
         "they did).\n\n" +
         times_table(measured);
  return out;
}

std::string plot(const Measured& measured) {
  Plot plot{"One durable erasure, against records of the person",
            "records of the person",
            "time (us)",
            {series_of(measured, "erase", "efface: erase"),
             series_of(measured, "lmdb_delete", "LMDB: delete")}};
  return to_svg(plot);
}

std::string json(const Measured& measured) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Goal& goal : goals()) {
    if (measured.quick() && !measured.has(goal.needs)) continue;
    out[goal.name] = std::stod(format("%.4g", goal.value(measured)));
  }
  return out.dump(2) + "\n";
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) give_up("write", "a report could not be written");
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) give_up("report", "OUTPUT_DIR COMMIT [--publish DIR] BENCH.json...");
  const fs::path output = arguments[0];
  const std::string& commit = arguments[1];
  const bool publish = arguments[2] == "--publish";
  Measured measured;
  for (std::size_t i = publish ? 4 : 2; i < arguments.size(); ++i) measured.read(arguments[i]);
  if (publish && measured.quick()) give_up("report", "a quick run is not published");
  if (publish && !measured.optimised()) give_up("report", "built without optimisation");
  write(output / "report.json", json(measured));
  write(output / "report.md", markdown(measured, commit));
  write(output / "erase.svg", plot(measured));
  if (publish) {
    write(fs::path(arguments[3]) / "performance.md", markdown(measured, commit));
    write(fs::path(arguments[3]) / "erase.svg", plot(measured));
  }
  std::fputs(goals_table(measured).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace efface::bench

int main(int argc, char** argv) {
  return efface::bench::run(std::vector<std::string>(argv + 1, argv + argc));
}
