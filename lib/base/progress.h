// base/progress.h -- how far a call is, for whoever asked to be told.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "efface/progress.h"

namespace efface::base {

class Reached {
 public:
  Reached() = default;
  // What is told of has to be gone through so many times.
  explicit Reached(OnProgress told, std::uint64_t times = 1)
      : told_(std::move(told)), times_(times) {}

  bool is_told() const noexcept { return told_ != nullptr; }
  std::uint64_t times() const noexcept { return times_; }
  // So much more will have to be done.
  void expect(std::uint64_t more) noexcept { at_.total += more; }
  void add(std::uint64_t done) {
    at_.done += done;
    at_.total = std::max(at_.total, at_.done);
    tell();
  }
  // What nobody expected.
  void add_extra(std::uint64_t done) {
    expect(done);
    add(done);
  }
  // All of it; what was expected in vain does not count.
  void end() {
    at_.total = at_.done;
    tell();
  }

 private:
  void tell() const {
    if (told_ != nullptr) told_({at_.done / times_, at_.total / times_});
  }

  OnProgress told_{};
  std::uint64_t times_ = 1;
  Progress at_{};
};

}  // namespace efface::base
