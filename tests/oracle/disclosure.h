// oracle/disclosure.h -- everything that can be read with what is live: the key disclosure graph,
// to its fixed point.
//
// It knows the formats of docs/format/ with code of its own: nothing of lib/ is in it, so a mistake
// that the library makes in the same way on both of its sides shows here.
//
//   disclosure::Images images;                  // Every byte that somebody may have kept.
//   images.add_directory(copy_of_the_store);    // Copies, backups, the live files, in any number.
//   const auto keys = disclosure::RootKeys::from_file(root_key_file);
//   const auto found = disclosure::search(images, *keys);
//   found.could_tell("alice");                  // Whether anybody could say that she was here.
//   for (const auto& record : found.opened_records()) ...
//
// Shape     Every page is searched for sealed values at every place where LMDB may have put one:
//           live, free and stale pages alike, their slack included; overflow runs are put together
//           from every pointer to their page that was ever seen.
// Lifetime  Images maps the files that it was given: they must not change while it lives.
// Threads   One at a time. search() changes nothing.
// Source    Reardon et al., "Secure data deletion from persistent media", CCS 2013.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace disclosure {

using Bytes = std::span<const std::byte>;
using Id = std::array<std::byte, 16>;  // Regions, tags, handles, stores.
using Key = std::array<std::byte, 32>;
using Fingerprint = std::array<std::byte, 32>;  // BLAKE2b-256 of a key.

Fingerprint fingerprint(Bytes key);
// As docs/format/keyring.md: the tag of a person under a tenant's pseudonym key.
Id subject_tag(const Key& pseudonym_key, std::string_view id);

enum class Tree : std::uint8_t { top, subjects, retention };

struct Place {
  std::uint32_t tree = 0;
  std::uint8_t level = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

class Images {
 public:
  Images();
  Images(Images&&) noexcept;
  Images& operator=(Images&&) noexcept;
  ~Images();

  // All pages of a data.mdb, whatever its meta pages say. Another kind of file: searched just the
  // same. Answer whether it could be read.
  bool add_file(const std::filesystem::path& path);
  // Every regular file below it, but lock.mdb: closing that one would end LMDB's lock on an
  // environment that this process has open, and there is nothing in it.
  bool add_directory(const std::filesystem::path& path);
  // What was written at that offset of a data.mdb; copied. What is no whole page is passed over.
  void add_pages(std::uint64_t offset, Bytes bytes);
  // Only what the newest meta page of a data.mdb leads to: the live tree, one image of each place.
  bool add_live(const std::filesystem::path& path);

  std::size_t nodes() const;  // Distinct images of each kind.
  std::size_t root_records() const;
  std::size_t records() const;
  std::size_t files() const;
  std::size_t pages_searched() const;

 private:
  friend class Search;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The root keys that are live: what a root key store would give to whoever holds it.
class RootKeys {
 public:
  // Of a root key file without a passphrase. Nothing when it is no such file.
  static std::optional<RootKeys> from_file(const std::filesystem::path& path);
  static std::optional<RootKeys> from_image(Bytes file);
  // A slot of 512 bytes as it was once written, if it is one of this store and holds a key.
  bool add_slot(const Id& store, Bytes slot);
  void add(const Id& store, std::uint64_t epoch, const Key& key);
  void add_all(const RootKeys& others);  // Another region's.

  struct Held {
    Id store;
    std::uint64_t epoch;
    Key key;
  };
  const std::vector<Held>& held() const noexcept { return held_; }

 private:
  std::vector<Held> held_;
};

// A row of a key tree that was reached.
struct Row {
  Id region{};
  Tree tree = Tree::top;
  std::uint32_t tenant = 0;  // Its number.
  Id tag{};
  std::uint16_t label = 0;
  std::uint16_t flags = 0;
  Id handle{};
  std::uint32_t aux = 0;
  Key key{};
  std::vector<std::size_t>
      nodes{};  // The opened nodes that it stands in: indexes of Result::nodes().
};

// A node image that was opened, and what opened it.
struct OpenedNode {
  Id region{};
  Place place;
  Fingerprint key;
  // Whence the key: the first node that held it, or a root record, or neither: it was guessed.
  std::optional<std::size_t> from_node;
  std::optional<std::size_t> from_root;
};

struct OpenedRoot {
  Id region{};
  Id root_id{};
  std::uint64_t epoch = 0;
  Fingerprint key;
};

// Labels of rows, as docs/format/keyring.md has them.
inline constexpr std::uint16_t label_hold = 0xfc00;
inline constexpr std::uint16_t label_tombstone = 0xfc01;
inline constexpr std::uint16_t label_alias = 0xfc02;
inline constexpr std::uint16_t label_merging = 0xfc03;
constexpr std::uint16_t purpose_of(std::uint16_t label) { return label & 0x3ff; }

struct OpenedFile {
  Id region{};
  std::uint32_t tenant = 0;
  Id handle{};  // Of the person's row.
  std::vector<std::string> texts;
};

struct OpenedRecord {
  Id region{};
  std::uint32_t tenant = 0;
  Id handle{};
  Id name_tag{};
  std::uint16_t purpose = 0;  // 0: the person's own; its value is her id.
  std::uint32_t bucket = 0;
  std::string name;
  std::string value;
};

class Result {
 public:
  const std::vector<Row>& rows() const noexcept { return rows_; }  // Distinct.
  const std::vector<OpenedNode>& nodes() const noexcept { return nodes_; }
  const std::vector<OpenedRoot>& roots() const noexcept { return roots_; }
  const std::vector<OpenedRecord>& opened_records() const noexcept { return records_; }
  const std::vector<OpenedFile>& opened_files() const noexcept { return files_; }

  // Any key of any row or node.
  bool reaches_key(const Fingerprint& key) const;
  bool reaches_tag(const Id& tag) const;  // Of a person or a tenant.
  bool reaches_handle(const Id& handle) const;
  bool opens_record(const Id& handle) const;  // Any record of it.
  bool opens_value(std::string_view value) const;
  bool opens_file(const Id& handle) const;               // Any version of it.
  bool opens_text_on_file(std::string_view text) const;  // Evidence, a reason, an identifier.
  bool opens_terms(std::uint32_t tenant) const;
  // Whether a tag of this id, under any pseudonym key reached, stands in any row reached; or her
  // sealed id opens.
  bool could_tell(std::string_view subject_id) const;

  std::size_t nodes_opened() const noexcept { return nodes_.size(); }
  // Of each place all but one image: at least so many were not the newest.
  std::size_t superseded_nodes_opened() const noexcept { return superseded_; }
  std::size_t nodes_shut() const noexcept { return nodes_shut_; }
  std::size_t records_shut() const noexcept { return records_shut_; }

 private:
  friend class Search;
  std::vector<Row> rows_;
  std::vector<OpenedNode> nodes_;
  std::vector<OpenedRoot> roots_;
  std::vector<OpenedRecord> records_;
  std::vector<OpenedFile> files_;
  std::vector<Fingerprint> keys_;  // Sorted, as all that follows.
  std::vector<Id> tags_;
  std::vector<Id> handles_;
  std::vector<Id> record_handles_;
  std::vector<Fingerprint> values_;  // Hashes.
  std::vector<Id> file_handles_;
  std::vector<Fingerprint> texts_on_file_;
  std::vector<std::uint32_t> terms_;
  std::vector<Key> pseudonym_keys_;
  std::size_t superseded_ = 0;
  std::size_t nodes_shut_ = 0;
  std::size_t records_shut_ = 0;
};

// On which images a node's key is tried. It is meant for one place; but whoever has it can try it
// anywhere, and two nodes under one key would be a fault of their own. Cost: its_place is fast at
// any size; the others try every key on every image that stayed shut, a microsecond each.
enum class Reach : std::uint8_t { its_place, its_tree, everywhere };

struct Options {
  Reach reach = Reach::its_place;
  bool open_records = true;
  // A key that the adversary can compute for a place, were the library to derive keys. Null: none.
  Key (*guess)(const Id& region, const Place& place) = nullptr;
};

Result search(const Images& images, const RootKeys& keys, const Options& options = {});

}  // namespace disclosure
