// Linked into every test of a coverage build: what forked children count is counted, however they end.
//
// A child that is killed, or ends by _exit, writes no profile. So the counters and the bitmaps are made
// memory that a process shares with its children, before anything runs; the parent writes them when it
// ends. Two that count at once may lose a number, which never makes it zero.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t page_bytes = 4096;

// Makes the section of the bitmaps begin at a page, so that no other variable is on its first one.
[[gnu::section("__llvm_prf_bits"), gnu::used]] alignas(page_bytes) char first_page = 0;

extern "C" {
// The linker's order: bitmaps, counters, and what nobody changes.
extern char bitmaps[] __asm__("__start___llvm_prf_bits");
extern char counters_end[] __asm__("__stop___llvm_prf_cnts");
extern char constants[] __asm__("__start___llvm_prf_data");
extern char constants_end[] __asm__("__stop___llvm_prf_data");
}

std::uintptr_t address(const char* of) { return reinterpret_cast<std::uintptr_t>(of); }

// By the system's own calls: tests define those of the C library.
[[gnu::constructor(101)]] void share_counters() {
  const std::uintptr_t begin = address(bitmaps);
  const std::uintptr_t counted = address(counters_end);
  const std::uintptr_t end = (counted + page_bytes - 1) / page_bytes * page_bytes;
  if (begin % page_bytes != 0 || counted <= begin || counted > address(constants) ||
      end > address(constants_end))
    std::abort();
  const std::size_t size = end - begin;
  void* const kept = std::malloc(size);
  if (kept == nullptr) std::abort();
  std::memcpy(kept, bitmaps, size);
  const long mapped = ::syscall(SYS_mmap, bitmaps, size, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (mapped != static_cast<long>(begin)) std::abort();
  std::memcpy(bitmaps, kept, size);
  std::free(kept);
}

}  // namespace
