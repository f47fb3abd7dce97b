// keyring/keys.h -- the rows of one tag, opened; and the cache of them.
//
// Keys is what a read or a write needs of one person: her row and her scopes'. It is immutable but
// for a small memo of keys derived from it. Whoever uses one holds it by shared_ptr for the length
// of one operation; nobody keeps it longer. When the cache drops it and the last operation ends, it
// is wiped.
//
// Threads  Both are shared.
// Cost     A hit is one short lock and one hash: about 60 ns.
#pragma once
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "efface/bytes.h"
#include "keyring/row.h"

namespace efface::keyring {

class Keys {
 public:
  explicit Keys(std::vector<Row> rows);

  bool empty() const noexcept { return rows_.empty(); }
  const Row* find(Label label) const noexcept;
  const std::vector<Row>& rows() const noexcept { return rows_; }  // By label, ascending.

  // What is known of the records of one scope, so that it need not be read again to be compared.
  struct Noted {
    std::uint32_t day = 0;
    std::uint32_t earliest = 0;
    std::uint32_t latest = 0;
    bool automated = false;
    friend bool operator==(const Noted&, const Noted&) = default;
  };
  std::optional<Noted> noted(const Handle& scope) const;
  void note(const Handle& scope, const Noted& noted) const;

  // The key derived for (label, number): remembered, or made by derive. Valid while this object and
  // scratch live.
  crypto::KeyView derived(Label label, std::uint32_t number, crypto::SecretKey& scratch,
                          FunctionRef<void(crypto::KeySpan)> derive) const;

 private:
  struct Derived {
    Label label;
    std::uint32_t number;
    crypto::SecretKey key;
  };
  std::vector<Row> rows_;
  mutable std::mutex mutex_;
  mutable std::vector<Derived> derived_;
  mutable std::vector<std::pair<Handle, Noted>> noted_;  // Few: one a scope that was written.
};

using SharedKeys = std::shared_ptr<const Keys>;

// Where rows are found: a tree and a tag.
struct KeyPlace {
  std::uint32_t tree;
  Tag tag;
  friend bool operator==(const KeyPlace&, const KeyPlace&) = default;
};

// Bounded, least recently used first, in shards.
class KeyCache {
 public:
  explicit KeyCache(std::size_t entries_max);

  // Moves with every change of the keyring. What was read before a move must not be kept after it.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  SharedKeys find(const KeyPlace& place);
  // Keeps keys, unless the keyring has moved since `version` was read.
  void keep(const KeyPlace& place, SharedKeys keys, std::uint64_t version);

  // First moves the version, then forgets: what a slower reader still holds is not kept again.
  void forget(std::span<const KeyPlace> places);
  void forget_all();
  std::size_t size() const;

 private:
  struct PlaceHash {
    std::size_t operator()(const KeyPlace& p) const noexcept { return Id16Hash{}(p.tag) ^ p.tree; }
  };
  struct Entry {
    KeyPlace place;
    SharedKeys keys;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> recent;  // Most recently used first.
    std::unordered_map<KeyPlace, std::list<Entry>::iterator, PlaceHash> index;
  };
  static constexpr std::size_t shard_count = 16;
  Shard& shard_of(const KeyPlace& place) noexcept {
    return shards_[(PlaceHash{}(place) >> 7) % shard_count];
  }

  const std::size_t entries_per_shard_max_;
  std::atomic<std::uint64_t> version_{1};
  std::array<Shard, shard_count> shards_;
};

}  // namespace efface::keyring
