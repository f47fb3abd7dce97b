// Linked into every test of a coverage build: what forked children count is counted, however they
// end.
//
// A child that is killed, or ends by _exit, writes no profile. So the counters and the bitmaps are
// made memory that a process shares with its children, before anything runs; the parent writes them
// when it ends. Two that count at once may lose a number, which never makes it zero.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t page_bytes = 4096;

// Make the sections begin at a page, so that no other variable is on their first one. On their last
// one there are others of the profile, which nobody changes: the linker keeps them together.
[[gnu::section("__llvm_prf_bits"), gnu::used]] alignas(page_bytes) char first_bitmap = 0;
[[gnu::section("__llvm_prf_cnts"), gnu::used]] alignas(page_bytes) std::uint64_t first_counter = 0;

extern "C" {
extern char bitmaps[] __asm__("__start___llvm_prf_bits");
extern char bitmaps_end[] __asm__("__stop___llvm_prf_bits");
extern char counters[] __asm__("__start___llvm_prf_cnts");
extern char counters_end[] __asm__("__stop___llvm_prf_cnts");
extern char others_end[] __asm__("__stop___llvm_prf_vnds");
}

std::uintptr_t address(const char* of) { return reinterpret_cast<std::uintptr_t>(of); }

// By the system's own calls: tests define those of the C library.
void share(char* begin, const char* end) {
  const std::size_t size =
      (address(end) - address(begin) + page_bytes - 1) / page_bytes * page_bytes;
  if (address(begin) % page_bytes != 0 || address(begin) + size > address(others_end)) std::abort();
  void* const kept = std::malloc(size);
  if (kept == nullptr) std::abort();
  std::memcpy(kept, begin, size);
  const long mapped = ::syscall(SYS_mmap, begin, size, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (mapped != static_cast<long>(address(begin))) std::abort();
  std::memcpy(begin, kept, size);
  std::free(kept);
}

[[gnu::constructor(101)]] void share_counters() {
  share(bitmaps, bitmaps_end);
  share(counters, counters_end);
}

}  // namespace
