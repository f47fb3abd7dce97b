// oracle/live_tree.h -- one person's rows in a live keyring, found the way that
// docs/format/keyring.md says.
//
// It is how a test learns, just before an erasure, which keys have to be gone after it.
#pragma once
#include "oracle/pages.h"

namespace disclosure {

// Of docs/format/keyring.md.
inline constexpr std::uint32_t fan_out = 61;
inline constexpr std::size_t preamble_bytes = 8;
inline constexpr std::size_t row_bytes = 72;

class LiveTree {
 public:
  // Nothing when the file is no keyring that these keys open.
  static std::optional<LiveTree> open(const std::filesystem::path& data_file, const RootKeys& keys);

  struct Tenant {
    Id tag{};
    std::uint32_t number = 0;
    Key pseudonym_key{};
    Key subjects_key{};
    std::uint32_t subject_buckets = 0;
    Key retention_key{};
    std::uint32_t retention_buckets = 0;
  };
  std::optional<Tenant> tenant(std::string_view name) const;
  std::vector<Row> person(const Tenant& tenant, std::string_view id) const;
  // The rows of a day's bucket: one, or none.
  std::vector<Row> bucket(const Tenant& tenant, std::uint32_t day) const;

  const Id& region() const noexcept { return region_; }
  std::uint64_t epoch() const noexcept { return epoch_; }
  const Key& root_key() const noexcept { return root_key_; }

 private:
  explicit LiveTree(LiveFile file) : file_(std::move(file)) {}
  std::vector<Row> find(std::uint32_t tree, Key key, std::uint32_t buckets, const Id& tag) const;
  bool open_node(const Key& key, const Place& place, std::vector<std::byte>& plain) const;

  LiveFile file_;
  Id region_{};
  std::uint64_t epoch_ = 0;
  Key root_key_{};
  std::uint32_t buckets_ = 0;
};

// Which bucket a tag hashes to; and how many levels stand above so many leaves.
std::uint32_t bucket_of(const Id& tag, std::uint32_t buckets);
std::uint8_t height_of(std::uint32_t buckets);

}  // namespace disclosure
