#include "faults/injector.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "faults/library_step.h"

#if defined(__SANITIZE_ADDRESS__)
#define EFFACE_OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EFFACE_OWN_MALLOC 0
#endif
#endif
#ifndef EFFACE_OWN_MALLOC
#define EFFACE_OWN_MALLOC 1
#endif

namespace efface::test {
namespace {

constexpr std::array<Mishap, 4> of_open{
    {{EMFILE, false}, {EMFILE, true}, {EIO, false}, {EINTR, false}}};
constexpr std::array<Mishap, 5> of_read{
    {{EIO, false}, {EIO, true}, {EINTR, false}, {half_transfer, false}, {half_transfer, true}}};
constexpr std::array<Mishap, 7> of_write{{{EIO, false},
                                          {EIO, true},
                                          {ENOSPC, false},
                                          {ENOSPC, true},
                                          {EINTR, false},
                                          {half_transfer, false},
                                          {half_transfer, true}}};
constexpr std::array<Mishap, 4> of_sync{
    {{EIO, false}, {EIO, true}, {ENOSPC, false}, {EINTR, false}}};
constexpr std::array<Mishap, 4> of_truncate{
    {{ENOSPC, false}, {ENOSPC, true}, {EIO, false}, {EINTR, false}}};
constexpr std::array<Mishap, 2> of_memory{{{ENOMEM, false}, {ENOMEM, true}}};
constexpr std::array<Mishap, 3> of_names{{{EIO, false}, {EIO, true}, {ENOSPC, false}}};
constexpr std::array<Mishap, 2> of_status{{{EIO, false}, {EIO, true}}};
constexpr std::array<Mishap, 5> of_lock{
    {{EIO, false}, {ENOLCK, true}, {EINTR, false}, {EAGAIN, false}, {EAGAIN, true}}};
constexpr std::array<Mishap, 4> of_environment{
    {{ENOMEM, false}, {ENOMEM, true}, {MDB_INVALID, false}, {MDB_VERSION_MISMATCH, false}}};
constexpr std::array<Mishap, 7> of_begin{{{MDB_READERS_FULL, false},
                                          {MDB_READERS_FULL, true},
                                          {MDB_MAP_RESIZED, false},
                                          {MDB_MAP_RESIZED, true},
                                          {MDB_PANIC, true},
                                          {ENOMEM, false},
                                          {EAGAIN, true}}};
// Where the fields of what is stored begin, near enough.
#define EFFACE_CHANGED_BYTES                                                                       \
  {changed_at(0), false, true}, {changed_at(1), false, true}, {changed_at(2), false, true},        \
      {changed_at(3), false, true}, {changed_at(4), false, true}, {changed_at(8), false, true},    \
      {changed_at(12), false, true}, {changed_at(17), false, true}, {changed_at(20), false, true}, \
      {changed_at(24), false, true}, {changed_at(32), false, true}, {changed_at(40), false, true}, \
      {changed_at(48), false, true}, {changed_at(64), false, true}, {changed_at(84), false, true}, \
      {changed_at(100), false, true}, {                                                            \
    changed_at(last_place), false, true                                                            \
  }
constexpr std::array<Mishap, 24> of_find{{{MDB_CORRUPTED, false},
                                          {MDB_BAD_TXN, false},
                                          {MDB_CORRUPTED, true},
                                          {MDB_PAGE_NOTFOUND, false},
                                          {MDB_NOTFOUND, false, true},
                                          {zeroed, false, true},
                                          {cut, false, true},
                                          EFFACE_CHANGED_BYTES}};
constexpr std::array<Mishap, 5> of_change{{{MDB_MAP_FULL, false},
                                           {MDB_MAP_FULL, true},
                                           {MDB_CORRUPTED, false},
                                           {MDB_TXN_FULL, false},
                                           {ENOMEM, false}}};
constexpr std::array<Mishap, 6> of_commit{{{EIO, false},
                                           {EIO, true},
                                           {done_unsaid, false},
                                           {ENOSPC, true},
                                           {MDB_MAP_FULL, false},
                                           {MDB_MAP_FULL, true}}};
constexpr std::array<Mishap, 20> of_unseal{
    {{refused, false}, {refused, true}, {zeroed, false, true}, EFFACE_CHANGED_BYTES}};
#undef EFFACE_CHANGED_BYTES
constexpr std::array<Mishap, 2> of_refusal{{{refused, false}, {refused, true}}};

constinit thread_local bool within = false;  // The injector's own calls are nobody's.

struct State {
  std::atomic<bool> armed{false};
  Fault fault{};
  std::size_t stop = 0;
  std::size_t kill_after = 0;
  std::size_t writes = 0;
  std::vector<Call> calls;
  std::vector<Call> library_calls;
  std::size_t allocations = 0;
  bool reached = false;
  Call kind{};
};
State& state() {
  static State the;
  return the;
}
constinit std::atomic<std::ptrdiff_t> live{0};
constinit std::atomic<bool> counting{false};

enum class Verdict : std::uint8_t { pass, fail, half, swallow };

Verdict verdict_on(Call kind, bool is_at) {
  State& now = state();
  Fault& fault = now.fault;
  if (is_at) {
    now.reached = true;
    now.kind = kind;
    if (fault.chance != 0) {
      const std::span<const Mishap> all = mishaps(kind);
      fault.error = all[fault.chance % all.size()].error;
      fault.for_ever = all[fault.chance % all.size()].for_ever;
    }
  } else if (!now.reached || !fault.for_ever || kind != now.kind) {
    return Verdict::pass;
  }
  if (fault.swallowed) return Verdict::swallow;
  if (fault.error == half_transfer) return Verdict::half;
  errno = fault.error;
  return Verdict::fail;
}

Verdict step(Call kind) {
  State& now = state();
  if (!now.armed || within) return Verdict::pass;
  within = true;
  now.calls.push_back(kind);
  within = false;
  if (now.calls.size() == now.stop) _exit(stopped_status);
  const bool is_of_system = !now.fault.allocation && !now.fault.library;
  return verdict_on(kind, is_of_system && now.calls.size() == now.fault.at);
}

// Whether the allocation fails.
[[maybe_unused]] bool allocation_fails() {
  if (!counting || within) return false;
  State& now = state();
  ++now.allocations;
  return verdict_on(Call::allocate, now.fault.allocation && now.allocations == now.fault.at) ==
         Verdict::fail;
}

// For a call that moves no bytes: the answer is -1, or what the system says.
template <class F>
int plain(Call kind, F&& call) {
  switch (step(kind)) {
    case Verdict::fail:
      return -1;
    case Verdict::swallow:
      return 0;
    default:
      return call();
  }
}

template <class F>
ssize_t transfer(Call kind, std::size_t size, F&& call) {
  switch (step(kind)) {
    case Verdict::fail:
      return -1;
    case Verdict::swallow:
      return static_cast<ssize_t>(size);
    case Verdict::half:
      return call(size > 1 ? size / 2 : size);
    default:
      break;
  }
  const ssize_t done = call(size);
  State& now = state();
  if (now.armed && !within && kind == Call::write && ++now.writes == now.kill_after)
    ::kill(::getpid(), SIGKILL);
  return done;
}

}  // namespace

int library_step(Call kind) {
  State& now = state();
  if (!now.armed || within) return 0;
  within = true;
  now.library_calls.push_back(kind);
  within = false;
  const bool is_at =
      now.fault.library && now.library_calls.size() == now.fault.at && kind == now.fault.kind;
  return verdict_on(kind, is_at) == Verdict::pass ? 0 : now.fault.error;
}

void* find_real(const char* name) {
  const bool outer = within;
  within = true;
  void* const found = ::dlsym(RTLD_NEXT, name);
  within = outer;
  if (found == nullptr) _exit(1);
  return found;
}

std::string_view name(Call call) noexcept {
  constexpr std::array<std::string_view, call_kinds> names{
      "open",        "read",        "write",  "sync",           "truncate", "map",
      "lock_memory", "rename",      "unlink", "make_directory", "status",   "lock_file",
      "allocate",    "environment", "begin",  "find",           "change",   "commit",
      "unseal",      "derive",      "unpack", "root_keys"};
  return names[static_cast<std::size_t>(call)];
}

std::span<const Mishap> mishaps(Call call) noexcept {
  switch (call) {
    case Call::open:
      return of_open;
    case Call::read:
      return of_read;
    case Call::write:
      return of_write;
    case Call::sync:
      return of_sync;
    case Call::truncate:
      return of_truncate;
    case Call::map:
    case Call::lock_memory:
    case Call::allocate:
      return of_memory;
    case Call::rename:
    case Call::unlink:
    case Call::make_directory:
      return of_names;
    case Call::status:
      return of_status;
    case Call::lock_file:
      return of_lock;
    case Call::environment:
      return of_environment;
    case Call::begin:
      return of_begin;
    case Call::find:
      return of_find;
    case Call::change:
      return of_change;
    case Call::commit:
      return of_commit;
    case Call::unseal:
      return of_unseal;
    case Call::derive:
    case Call::unpack:
    case Call::root_keys:
      return of_refusal;
  }
  return {};
}

void arm(const Fault& fault) {
  State& now = state();
  now.fault = fault;
  now.stop = 0;
  now.kill_after = 0;
  now.writes = 0;
  now.calls.clear();
  now.calls.reserve(1 << 16);
  now.library_calls.clear();
  now.library_calls.reserve(1 << 16);
  now.allocations = 0;
  now.reached = false;
  counting = true;
  now.armed = true;
}
void stop_at(std::size_t call) {
  arm({});
  state().stop = call;
}
void kill_after_write(std::size_t write) {
  arm({});
  state().kill_after = write;
}
void disarm() {
  counting = false;
  state().armed = false;
}
Unhindered::Unhindered() noexcept : outer_(within) { within = true; }
Unhindered::~Unhindered() { within = outer_; }
bool was_reached() { return state().reached; }
Call reached() { return state().kind; }
const std::vector<Call>& calls_seen() { return state().calls; }
const std::vector<Call>& library_calls_seen() { return state().library_calls; }
std::size_t allocations_seen() { return state().allocations; }
std::ptrdiff_t blocks_live() { return live; }

}  // namespace efface::test

using efface::test::Call;
using efface::test::plain;
using efface::test::real;
using efface::test::step;
using efface::test::transfer;
using efface::test::Verdict;

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

int open(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  static auto* const system = real<int(const char*, int, ...)>("open");
  return plain(Call::open, [&] { return system(name, flags, mode); });
}

int openat(int fd, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  static auto* const system = real<int(int, const char*, int, ...)>("openat");
  return plain(Call::open, [&] { return system(fd, name, flags, mode); });
}

FILE* fopen(const char* name, const char* mode) {
  static auto* const system = real<FILE*(const char*, const char*)>("fopen");
  return step(Call::open) == Verdict::fail ? nullptr : system(name, mode);
}

ssize_t read(int fd, void* bytes, size_t size) {
  static auto* const system = real<ssize_t(int, void*, size_t)>("read");
  return transfer(Call::read, size, [&](size_t some) { return system(fd, bytes, some); });
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  static auto* const system = real<ssize_t(int, void*, size_t, off_t)>("pread");
  return transfer(Call::read, size, [&](size_t some) { return system(fd, bytes, some, offset); });
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const system = real<ssize_t(int, const void*, size_t)>("write");
  return transfer(Call::write, size, [&](size_t some) { return system(fd, bytes, some); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const system = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return transfer(Call::write, size, [&](size_t some) { return system(fd, bytes, some, offset); });
}

// Half of a gathered write: of its first part.
ssize_t writev(int fd, const struct iovec* parts, int count) {
  static auto* const system = real<ssize_t(int, const struct iovec*, int)>("writev");
  size_t all = 0;
  for (int i = 0; i < count; ++i) all += parts[i].iov_len;
  return transfer(Call::write, all, [&](size_t some) {
    if (some == all) return system(fd, parts, count);
    const struct iovec first{parts[0].iov_base, parts[0].iov_len / 2};
    return system(fd, &first, 1);
  });
}

int fsync(int fd) {
  static auto* const system = real<int(int)>("fsync");
  return plain(Call::sync, [&] { return system(fd); });
}

int fdatasync(int fd) {
  static auto* const system = real<int(int)>("fdatasync");
  return plain(Call::sync, [&] { return system(fd); });
}

int ftruncate(int fd, off_t size) noexcept {
  static auto* const system = real<int(int, off_t)>("ftruncate");
  return plain(Call::truncate, [&] { return system(fd, size); });
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  static auto* const system = real<int(int, int, off_t, off_t)>("fallocate");
  return plain(Call::truncate, [&] { return system(fd, mode, offset, size); });
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  static auto* const system = real<void*(void*, size_t, int, int, int, off_t)>("mmap");
  if (step(Call::map) == Verdict::fail) return MAP_FAILED;
  return system(address, size, protection, flags, fd, offset);
}

int mprotect(void* address, size_t size, int protection) noexcept {
  static auto* const system = real<int(void*, size_t, int)>("mprotect");
  return plain(Call::map, [&] { return system(address, size, protection); });
}

int mlock(const void* address, size_t size) noexcept {
  static auto* const system = real<int(const void*, size_t)>("mlock");
  return plain(Call::lock_memory, [&] { return system(address, size); });
}

int mlock2(const void* address, size_t size, unsigned flags) noexcept {
  static auto* const system = real<int(const void*, size_t, unsigned)>("mlock2");
  return plain(Call::lock_memory, [&] { return system(address, size, flags); });
}

int renameat2(int from, const char* name, int to, const char* as, unsigned flags) noexcept {
  static auto* const system = real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return plain(Call::rename, [&] { return system(from, name, to, as, flags); });
}

int unlinkat(int fd, const char* name, int flags) noexcept {
  static auto* const system = real<int(int, const char*, int)>("unlinkat");
  return plain(Call::unlink, [&] { return system(fd, name, flags); });
}

int mkdirat(int fd, const char* name, mode_t mode) noexcept {
  static auto* const system = real<int(int, const char*, mode_t)>("mkdirat");
  return plain(Call::make_directory, [&] { return system(fd, name, mode); });
}

int stat(const char* name, struct stat* out) noexcept {
  static auto* const system = real<int(const char*, struct stat*)>("stat");
  return plain(Call::status, [&] { return system(name, out); });
}

int fstat(int fd, struct stat* out) noexcept {
  static auto* const system = real<int(int, struct stat*)>("fstat");
  return plain(Call::status, [&] { return system(fd, out); });
}

int fstatat(int fd, const char* name, struct stat* out, int flags) noexcept {
  static auto* const system = real<int(int, const char*, struct stat*, int)>("fstatat");
  return plain(Call::status, [&] { return system(fd, name, out, flags); });
}

// What LMDB's static library calls fstat by.
int __fxstat(int, int fd, struct stat* out) noexcept { return fstat(fd, out); }

int fstatfs(int fd, struct statfs* out) noexcept {
  static auto* const system = real<int(int, struct statfs*)>("fstatfs");
  return plain(Call::status, [&] { return system(fd, out); });
}

int fcntl(int fd, int command, ...) {
  va_list more;
  va_start(more, command);
  void* const argument = va_arg(more, void*);
  va_end(more);
  static auto* const system = real<int(int, int, ...)>("fcntl");
  switch (command) {
    case F_SETLK:
    case F_SETLKW:
    case F_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
    case F_DUPFD_CLOEXEC:
      return plain(Call::lock_file, [&] { return system(fd, command, argument); });
    default:
      return system(fd, command, argument);
  }
}

#if EFFACE_OWN_MALLOC

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);

static void* counted(void* block) {
  if (block != nullptr) efface::test::live.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void* malloc(size_t size) {
  return efface::test::allocation_fails() ? nullptr : counted(__libc_malloc(size));
}
void* calloc(size_t count, size_t size) {
  return efface::test::allocation_fails() ? nullptr : counted(__libc_calloc(count, size));
}
void* realloc(void* block, size_t size) {
  if (size != 0 && efface::test::allocation_fails()) return nullptr;
  if (block == nullptr) return counted(__libc_realloc(nullptr, size));
  void* const moved = __libc_realloc(block, size);
  if (size == 0) efface::test::live.fetch_sub(1, std::memory_order_relaxed);
  return moved;
}
void* memalign(size_t alignment, size_t size) {
  return efface::test::allocation_fails() ? nullptr : counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, size_t alignment, size_t size) {
  if (efface::test::allocation_fails()) return ENOMEM;
  *out = counted(__libc_memalign(alignment, size));
  return *out == nullptr ? ENOMEM : 0;
}
void free(void* block) {
  if (block == nullptr) return;
  efface::test::live.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(block);
}

#endif
}

#if !EFFACE_OWN_MALLOC

// A sanitizer owns malloc: what C++ allocates goes through it from here.
void* operator new(std::size_t size) {
  void* const block =
      efface::test::allocation_fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

#endif
// NOLINTEND(bugprone-reserved-identifier)
