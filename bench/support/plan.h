// support/plan.h -- how much is measured: the full run whose figures are published, or the quick
// one that shows in a minute that every bench still works.
#pragma once

namespace efface::bench {

// EFFACE_BENCH_QUICK is set and not 0.
bool is_quick() noexcept;

template <class T>
T full_or_quick(T full, T quick) noexcept {
  return is_quick() ? quick : full;
}

// Each bench registers what it measures. Called once, by main.
void register_benchmarks();

}  // namespace efface::bench
