// support/measured.h -- what the benches wrote, as Google Benchmark writes it (JSON), read back.
//
// Shape  A name is the benchmark's, with its argument ("erase/1000") and, where there are several,
//        its threads ("get threads:2").
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
  double bytes(std::string_view name) const;  // Of the benches that count bytes instead.
  std::vector<std::string> names() const;

  bool quick() const noexcept { return quick_; }
  bool optimised() const noexcept { return optimised_; }  // By the compiler.
  std::string date() const { return date_.substr(0, date_.find('T')); }

 private:
  struct Sample {
    std::vector<double> times_us;
    double bytes = 0;
  };
  const Sample& at(std::string_view name) const;

  std::map<std::string, Sample, std::less<>> samples_;
  bool quick_ = false;
  bool optimised_ = true;
  std::string date_;
};

double median_of(std::vector<double> values);

}  // namespace efface::bench
