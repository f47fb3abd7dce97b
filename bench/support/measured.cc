#include "support/measured.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/must.h"

namespace efface::bench {
namespace {

double microseconds_per(const std::string& unit) {
  if (unit == "ns") return 1e-3;
  if (unit == "us") return 1;
  if (unit == "ms") return 1e3;
  give_up("read", "a time without a unit");
}

// "erase/10/iterations:1/repeats:9/manual_time" is erase/10.
std::string name_of(const nlohmann::json& run) {
  std::string name = run.at("run_name");
  for (const char* const how :
       {"/min_time:", "/iterations:", "/repeats:", "/manual_time", "/real_time", "/threads:"})
    name.resize(std::min(name.find(how), name.size()));
  if (run.at("threads") > 1) name += " threads:" + std::to_string(run.at("threads").get<int>());
  return name;
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty()) give_up("median", "of nothing");
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void Measured::read(const std::filesystem::path& file) {
  std::ifstream in(file);
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_discarded()) give_up("read", "the output of a bench is missing or broken");
  try {
    const auto& context = json.at("context");
    quick_ = quick_ || context.at("efface_quick") == "yes";
    optimised_ = optimised_ && context.at("efface_optimised") == "yes";
    date_ = context.at("date");
    for (const auto& [key, value] : context.items())
      if (key.starts_with("peer ") || key.starts_with("gdprbench ")) words_[key] = value;
    for (const auto& run : json.at("benchmarks")) {
      if (run.at("run_type") != "iteration") continue;
      if (run.contains("error_occurred")) give_up("read", "a bench failed");
      Sample& sample = samples_[name_of(run)];
      sample.times_us.push_back(run.at("real_time").get<double>() *
                                microseconds_per(run.at("time_unit")));
      for (const auto& [key, value] : run.items())
        if (value.is_number()) sample.counters[key].push_back(value);
    }
  } catch (const nlohmann::json::exception&) {
    give_up("read", "the output of a bench has another shape");
  }
}

const Measured::Sample& Measured::at(std::string_view name) const {
  const auto found = samples_.find(name);
  if (found == samples_.end()) give_up(std::string(name).c_str(), "was not measured");
  return found->second;
}

const std::vector<double>& Measured::times(std::string_view name) const {
  return at(name).times_us;
}
double Measured::median(std::string_view name) const { return median_of(times(name)); }

bool Measured::has(std::string_view name, std::string_view counter) const {
  const auto found = samples_.find(name);
  if (found == samples_.end()) return false;
  const auto counted = found->second.counters.find(counter);
  return counted != found->second.counters.end() &&
         counted->second.size() == found->second.times_us.size();
}

double Measured::counter(std::string_view name, std::string_view counter) const {
  if (!has(name, counter)) give_up(std::string(name).c_str(), "was not counted");
  return median_of(at(name).counters.find(counter)->second);
}

std::vector<std::string> Measured::names() const {
  std::vector<std::string> all;
  for (const auto& [name, sample] : samples_) all.push_back(name);
  return all;
}

}  // namespace efface::bench
