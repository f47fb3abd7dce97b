// What all benches share: repetitions in random order, so that what is compared is measured side by
// side, and everything on the disk of the current directory.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/plan.h"

namespace efface::bench {

bool is_quick() noexcept {
  const char* const wish = std::getenv("EFFACE_BENCH_QUICK");
  return wish != nullptr && *wish != '\0' && std::string_view(wish) != "0";
}

}  // namespace efface::bench

int main(int argc, char** argv) {
  using efface::bench::is_quick;
  std::vector<std::string> defaults = {
      "--benchmark_enable_random_interleaving=true", "--benchmark_display_aggregates_only=true",
      is_quick() ? "--benchmark_repetitions=5" : "--benchmark_repetitions=9",
      is_quick() ? "--benchmark_min_time=0.05" : "--benchmark_min_time=0.5"};
  std::vector<char*> arguments = {argv[0]};
  for (std::string& option : defaults) arguments.push_back(option.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);  // Later ones win.
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  benchmark::AddCustomContext("efface_quick", is_quick() ? "yes" : "no");
#ifdef __OPTIMIZE__
  benchmark::AddCustomContext("efface_optimised", "yes");
#else
  benchmark::AddCustomContext("efface_optimised", "no");
#endif
  efface::bench::register_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
