#include "oracle/recorder.h"

#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "oracle/primitives.h"

namespace disclosure {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t slot_bytes = 512;
Recorder* active_recorder = nullptr;

std::string path_of(int fd) {
  std::array<char, 4096> target;
  char link[40];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, target.data(), target.size());
  return size <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

std::vector<std::byte> gathered(const iovec* parts, int count) {
  std::vector<std::byte> all;
  for (int i = 0; i < count; ++i) {
    const auto* begin = static_cast<const std::byte*>(parts[i].iov_base);
    all.insert(all.end(), begin, begin + parts[i].iov_len);
  }
  return all;
}

}  // namespace

Recorder::Recorder(std::filesystem::path store)
    : store_(store.string() + "/"), beside_(store.parent_path().string() + "/") {
  if (active_recorder != nullptr) std::abort();
  active_recorder = this;
}

Recorder::~Recorder() { active_recorder = nullptr; }

bool Recorder::is_keyring(const std::string& path) const {
  return path.starts_with(store_) && path.ends_with("/keyring/data.mdb");
}

Recorder* Recorder::active() noexcept { return active_recorder; }

void Recorder::fail(Fault fault) noexcept {
  fault_ = fault;
  failures_ = 0;
}

Recorder::Decision Recorder::decide(const std::string& path, std::uint64_t offset,
                                    std::size_t size) {
  const bool is_meta = is_keyring(path) && offset < 2 * page_bytes && size < page_bytes;
  const bool is_page = is_keyring(path) && !is_meta;
  const auto failing = [&](bool once) {
    ++failures_;
    if (once) fault_ = Fault::none;
    return Decision::refuse;
  };
  switch (fault_) {
    case Fault::meta_write:
      if (is_meta) return failing(true);
      break;
    case Fault::meta_write_answer:
      if (is_meta && failures_ > 0) return failing(true);
      if (is_meta) {
        ++failures_;
        return Decision::write_and_refuse;
      }
      break;
    case Fault::page_write:
      if (is_page) return failing(true);
      break;
    case Fault::root_key_write:
      if (path.ends_with(".key")) return failing(true);
      break;
    case Fault::sync:
    case Fault::none:
      break;
  }
  return Decision::allow;
}

Recorder::Decision Recorder::writing(int fd, std::uint64_t offset, Bytes bytes) {
  const std::string path = path_of(fd);
  const bool is_root_key = path.starts_with(beside_) && path.ends_with(".key");
  // A store is made under a temporary name beside its own; mirrors of its keyrings lie there too.
  const bool is_store = path.starts_with(store_) ||
                        path.starts_with(store_.substr(0, store_.size() - 1) + ".new/") ||
                        path.starts_with(beside_ + "mirror/");
  if (path.starts_with(beside_ + "mirror/")) ++mirror_writes_;
  if (!is_root_key && !is_store) return Decision::allow;
  ++writes_;
  bytes_written_ += bytes.size();
  if (is_root_key) {
    for (std::size_t at = 0; at + slot_bytes <= bytes.size(); at += slot_bytes)
      if (std::ranges::equal(bytes.subspan(at, 7), bytes_of("effslot")))
        slots_.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(at + slot_bytes));
  } else {
    images_.add_pages(offset, bytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!watched_.empty() && text.find(watched_) != std::string_view::npos) ++seen_;
  }
  return decide(path, offset, bytes.size());
}

bool Recorder::refuses_sync(int fd) {
  if (fault_ != Fault::sync || !is_keyring(path_of(fd))) return false;
  ++failures_;
  fault_ = Fault::none;
  return true;
}

}  // namespace disclosure

using disclosure::Bytes;
using disclosure::Recorder;

namespace {

// Does the write and answers what it answered, unless it was to be refused.
template <class Write>
ssize_t recorded(int fd, std::uint64_t offset, Bytes bytes, Write&& write) {
  Recorder* const recorder = Recorder::active();
  if (recorder == nullptr) return write();
  const Recorder::Decision decision = recorder->writing(fd, offset, bytes);
  if (decision == Recorder::Decision::allow) return write();
  if (decision == Recorder::Decision::write_and_refuse && write() < 0) return -1;
  errno = EIO;
  return -1;
}

std::uint64_t position_of(int fd) {
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

Bytes bytes_at(const void* data, size_t size) {
  return {static_cast<const std::byte*>(data), size};
}

}  // namespace

extern "C" {
ssize_t __real_pwrite(int fd, const void* data, size_t size, off_t offset);
ssize_t __real_write(int fd, const void* data, size_t size);
ssize_t __real_writev(int fd, const iovec* parts, int count);
ssize_t __real_pwritev(int fd, const iovec* parts, int count, off_t offset);
int __real_fdatasync(int fd);

ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset) {
  return recorded(fd, static_cast<std::uint64_t>(offset), bytes_at(data, size),
                  [&] { return __real_pwrite(fd, data, size, offset); });
}

ssize_t __wrap_write(int fd, const void* data, size_t size) {
  if (Recorder::active() == nullptr) return __real_write(fd, data, size);
  return recorded(fd, position_of(fd), bytes_at(data, size),
                  [&] { return __real_write(fd, data, size); });
}

ssize_t __wrap_writev(int fd, const iovec* parts, int count) {
  if (Recorder::active() == nullptr) return __real_writev(fd, parts, count);
  return recorded(fd, position_of(fd), disclosure::gathered(parts, count),
                  [&] { return __real_writev(fd, parts, count); });
}

ssize_t __wrap_pwritev(int fd, const iovec* parts, int count, off_t offset) {
  return recorded(fd, static_cast<std::uint64_t>(offset), disclosure::gathered(parts, count),
                  [&] { return __real_pwritev(fd, parts, count, offset); });
}

int __wrap_fdatasync(int fd) {
  Recorder* const recorder = Recorder::active();
  if (recorder != nullptr && recorder->refuses_sync(fd)) {
    errno = EIO;
    return -1;
  }
  return __real_fdatasync(fd);
}
}
