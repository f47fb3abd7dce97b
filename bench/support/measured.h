// support/measured.h -- what the benches wrote, as Google Benchmark writes it (JSON), read back.
//
// Shape  A name is the benchmark's, with its argument ("erase/1000") and, where there are several,
//        its threads ("get threads:2"). Runs of one name in several files are repetitions.
// Errors Whatever is missing or broken ends the program.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace efface::bench {

class Measured {
 public:
  void read(const std::filesystem::path& file);

  bool has(std::string_view name) const { return samples_.contains(name); }
  // One time per repetition, of one operation, in microseconds.
  const std::vector<double>& times(std::string_view name) const;
  double median(std::string_view name) const;
  // Median of what a bench counted beside the time; it has it in every repetition.
  bool has(std::string_view name, std::string_view counter) const;
  double counter(std::string_view name, std::string_view counter) const;
  double bytes(std::string_view name) const { return counter(name, "bytes"); }
  std::vector<std::string> names() const;
  // What a bench said in words, by its key.
  const std::map<std::string, std::string, std::less<>>& words() const noexcept { return words_; }

  bool quick() const noexcept { return quick_; }
  bool optimised() const noexcept { return optimised_; }  // By the compiler.
  std::string date() const { return date_.substr(0, date_.find('T')); }

 private:
  struct Sample {
    std::vector<double> times_us;
    std::map<std::string, std::vector<double>, std::less<>> counters;
  };
  const Sample& at(std::string_view name) const;

  std::map<std::string, Sample, std::less<>> samples_;
  std::map<std::string, std::string, std::less<>> words_;
  bool quick_ = false;
  bool optimised_ = true;
  std::string date_;
};

double median_of(std::vector<double> values);

}  // namespace efface::bench
