// storage/data_file.h -- data files that LMDB itself wrote, as bytes that a test may edit.
//
// Shape  Offsets are LMDB 0.9.24's: see lib/storage/verify.cc. Nothing here is checked: a damaged
// image
//        is only ever written to a file.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "os/file.h"
#include "support/temp_directory.h"

namespace efface::test {

// LMDB's own environment, without syncs. Every call must succeed.
class LmdbWriter {
 public:
  explicit LmdbWriter(const std::filesystem::path& directory,
                      std::size_t map_bytes = std::size_t{256} << 20) {
    EFFACE_CHECK(mdb_env_create(&env_) == 0);
    EFFACE_CHECK(mdb_env_set_mapsize(env_, map_bytes) == 0);
    EFFACE_CHECK(mdb_env_open(env_, directory.c_str(), MDB_NOSYNC | MDB_NOTLS, 0600) == 0);
  }
  LmdbWriter(const LmdbWriter&) = delete;
  LmdbWriter& operator=(const LmdbWriter&) = delete;
  ~LmdbWriter() {
    if (reader_ != nullptr) mdb_txn_abort(reader_);
    mdb_env_close(env_);
  }

  void begin() {
    EFFACE_CHECK(mdb_txn_begin(env_, nullptr, 0, &txn_) == 0);
    EFFACE_CHECK(mdb_dbi_open(txn_, nullptr, 0, &dbi_) == 0);
  }
  void put(std::string_view key, std::string_view value) {
    MDB_val k = val(key);
    MDB_val v = val(value);
    EFFACE_CHECK(mdb_put(txn_, dbi_, &k, &v, 0) == 0);
  }
  void remove(std::string_view key) {
    MDB_val k = val(key);
    const int rc = mdb_del(txn_, dbi_, &k, nullptr);
    EFFACE_CHECK(rc == 0 || rc == MDB_NOTFOUND);
  }
  void commit() { EFFACE_CHECK(mdb_txn_commit(std::exchange(txn_, nullptr)) == 0); }
  void abort() { mdb_txn_abort(std::exchange(txn_, nullptr)); }
  void copy_compacted(const std::filesystem::path& directory) {
    EFFACE_CHECK(mdb_env_copy2(env_, directory.c_str(), MDB_CP_COMPACT) == 0);
    std::filesystem::permissions(directory / "data.mdb", std::filesystem::perms{0600});
  }
  // A reader that keeps the pages of its snapshot from being used again.
  void pin() { EFFACE_CHECK(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_) == 0); }
  void unpin() { mdb_txn_abort(std::exchange(reader_, nullptr)); }

 private:
  static MDB_val val(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};
  }
  MDB_env* env_ = nullptr;
  MDB_txn* txn_ = nullptr;
  MDB_txn* reader_ = nullptr;
  MDB_dbi dbi_ = 0;
};

inline os::File open_data(const std::filesystem::path& directory) {
  auto parent = os::Directory::open(directory);
  EFFACE_CHECK(parent.has_value());
  auto file = os::File::open(*parent, "data.mdb", os::File::Access::read);
  EFFACE_CHECK(file.has_value());
  return std::move(file).value();
}

class Image {
 public:
  static constexpr std::size_t page_bytes = 4096;
  // Where a tree's fields lie in it, and the trees in a meta.
  enum Field : std::size_t {
    pad = 0,
    tree_flags = 4,
    depth = 6,
    branches = 8,
    leaves = 16,
    overflows = 24,
    entries = 32,
    root = 40
  };
  static constexpr std::size_t free_tree = 24;
  static constexpr std::size_t main_tree = 72;
  static constexpr std::size_t last_page = 120;
  static constexpr std::size_t transaction = 128;

  static Image of(const std::filesystem::path& directory) {
    const os::File file = open_data(directory);
    Image image;
    image.bytes.resize(static_cast<std::size_t>(file.size().value()));
    EFFACE_CHECK(file.read_at(0, image.bytes).has_value());
    return image;
  }
  void write(const std::filesystem::path& directory) const {
    const int fd = ::open((directory / "data.mdb").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    EFFACE_CHECK(fd >= 0);
    EFFACE_CHECK(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    EFFACE_CHECK(::ftruncate(fd, static_cast<off_t>(bytes.size())) == 0);
    ::close(fd);
  }

  template <class T>
  T get(std::size_t at) const {
    T value;
    EFFACE_CHECK(at + sizeof value <= bytes.size());
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  template <class T>
  void set(std::size_t at, T value) {
    EFFACE_CHECK(at + sizeof value <= bytes.size());
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  template <class T>
  void add(std::size_t at, T value) {
    set<T>(at, static_cast<T>(get<T>(at) + value));
  }

  std::size_t pages() const { return bytes.size() / page_bytes; }
  std::size_t newest() const {  // Offset of the meta that counts.
    const std::size_t odd = page_bytes + 16;
    return get<std::uint64_t>(16 + transaction) < get<std::uint64_t>(odd + transaction) ? odd : 16;
  }
  std::size_t older() const { return newest() == 16 ? page_bytes + 16 : 16; }
  std::size_t root_page(std::size_t tree) const {  // Offset of the page.
    return static_cast<std::size_t>(get<std::uint64_t>(newest() + tree + root)) * page_bytes;
  }
  std::size_t keys(std::size_t page) const { return (get<std::uint16_t>(page + 12) - 16u) / 2; }
  std::size_t slot(std::size_t page, std::size_t i) const { return page + 16 + 2 * i; }
  std::size_t node(std::size_t page, std::size_t i) const {
    return page + get<std::uint16_t>(slot(page, i));
  }
  std::size_t key(std::size_t page, std::size_t i) const { return node(page, i) + 8; }
  std::size_t value(std::size_t page, std::size_t i) const {
    return key(page, i) + get<std::uint16_t>(node(page, i) + 6);
  }
  std::size_t child(std::size_t page, std::size_t i) const {
    return std::size_t{get<std::uint32_t>(node(page, i))} * page_bytes;
  }
  std::size_t nearest_node(std::size_t page) const { return page + get<std::uint16_t>(page + 14); }
  std::size_t leaf(std::size_t tree, bool last = false) const {
    std::size_t page = root_page(tree);
    while (get<std::uint16_t>(page + 10) == 1) page = child(page, last ? keys(page) - 1 : 0);
    return page;
  }

  // The pages that LMDB is guided by: metas, branches, leaves, and the first of each overflow run.
  std::vector<std::size_t> structure() const {
    std::vector<std::size_t> pages{0, page_bytes};
    for (const std::size_t tree : {free_tree, main_tree})
      if (get<std::uint64_t>(newest() + tree + root) != ~std::uint64_t{0})
        pages.push_back(root_page(tree));
    for (std::size_t i = 2; i < pages.size(); ++i) {
      const std::size_t page = pages[i];
      const auto kind = get<std::uint16_t>(page + 10);
      for (std::size_t k = 0; kind != 4 && k < keys(page); ++k) {
        if (kind == 1) pages.push_back(child(page, k));
        if (kind == 2 && get<std::uint16_t>(node(page, k) + 4) == 1)
          pages.push_back(get<std::uint64_t>(value(page, k)) * page_bytes);
      }
    }
    return pages;
  }

  std::vector<std::byte> bytes;
};

// Three levels of branches and leaves under long keys, values in overflow pages, and a free list of
// several records.
inline Image tall_image() {
  const TempDirectory directory("tall");
  LmdbWriter writer(directory.path(), std::size_t{1} << 20);
  const auto key = [](unsigned i) { return std::to_string(100 + i) + std::string(440 + i, 'k'); };
  for (unsigned round = 0; round < 5; ++round) {
    writer.begin();
    if (round == 2) writer.pin();  // From here on pages are freed faster than they are used again.
    for (unsigned i = round; i < 34; i += round == 0 ? 1 : 9)
      writer.put(key(i), std::string(i % 8 == 0 ? 5000 + i * 7 : 600 + i, 'v'));
    for (unsigned i = 5 * round; i < 5 * round + 2; ++i) writer.remove(key(i));
    writer.commit();
  }
  return Image::of(directory.path());
}

// Two levels of leaves full of small records, one overflow value and some free pages.
inline Image small_image() {
  const TempDirectory directory("small");
  LmdbWriter writer(directory.path(), std::size_t{1} << 20);
  for (unsigned round = 0; round < 3; ++round) {
    writer.begin();
    for (unsigned i = round; i < 60; i += 1 + 10 * round)
      writer.put("key " + std::to_string(100 + i * 7 % 60), std::string(20 + i * 13 % 150, 'v'));
    writer.put("large", std::string(4500 + 100 * round, 'l'));
    writer.remove("key " + std::to_string(110 + round));
    writer.commit();
  }
  return Image::of(directory.path());
}

}  // namespace efface::test
