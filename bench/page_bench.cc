// What would a store of nodes save that writes them side by side, instead of in their places?
//
// Plain writes of pages to a file of 1 GiB that is all there already: `scattered` as LMDB commits,
// each page at a random place, a wait, its meta page, another wait; `side_by_side` in one run, and
// one wait. No cryptography, no search: the difference is the most that such a store could gain
// (docs/decisions/0015).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/data.h"
#include "support/must.h"
#include "support/plan.h"

namespace efface::bench {
namespace {

constexpr std::size_t page_bytes = 4'096;

std::uint64_t pages_in_file() { return full_or_quick<std::uint64_t>(262'144, 4'096); }

class File {
 public:
  File() : descriptor_(::open(path_, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) give_up("open", "a file of pages");
    const std::vector<char> run(page_bytes * 256, 'p');
    for (std::uint64_t page = 0; page < pages_in_file(); page += 256)
      write(page, run.data(), run.size());
    wait();
  }
  ~File() {
    ::close(descriptor_);
    ::unlink(path_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(std::uint64_t page, const char* data, std::size_t bytes) {
    const auto at = static_cast<off_t>(page * page_bytes);
    if (::pwrite(descriptor_, data, bytes, at) != static_cast<ssize_t>(bytes))
      give_up("pwrite", "a page");
  }
  void wait() {
    if (::fdatasync(descriptor_) != 0) give_up("fdatasync", "the file of pages");
  }
  // Another one each time, in no order.
  std::uint64_t any_page() { return scrambled(next_++) % pages_in_file(); }
  // The beginning of a run of pages after the last one.
  std::uint64_t next_run(std::uint64_t pages) {
    if (end_ + pages > pages_in_file()) end_ = 0;
    end_ += pages;
    return end_ - pages;
  }

 private:
  static constexpr const char* path_ = "bench-pages";
  int descriptor_;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

File& file() {
  static File one;
  return one;
}

void scattered(benchmark::State& state) {
  File& to = file();
  const std::vector<char> page(page_bytes, 's');
  for ([[maybe_unused]] auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i)
      to.write(to.any_page(), page.data(), page_bytes);
    to.wait();
    to.write(0, page.data(), page_bytes);
    to.wait();
  }
}

void side_by_side(benchmark::State& state) {
  File& to = file();
  const auto pages = static_cast<std::uint64_t>(state.range(0));
  const std::vector<char> run(page_bytes * pages, 'r');
  for ([[maybe_unused]] auto _ : state) {
    to.write(to.next_run(pages), run.data(), run.size());
    to.wait();
  }
}

}  // namespace

void register_benchmarks() {
  for (auto* bench : {benchmark::RegisterBenchmark("pages_scattered", scattered),
                      benchmark::RegisterBenchmark("pages_side_by_side", side_by_side)}) {
    bench->Arg(12)->Arg(64)->Arg(320)->Arg(2'048);
    bench->Iterations(full_or_quick(20, 3))->UseRealTime()->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace efface::bench
