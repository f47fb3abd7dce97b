#include "keyring/keys.h"

#include <algorithm>

namespace efface::keyring {
namespace {
constexpr std::size_t derived_max = 32;  // Per person; more are derived each time.
}

Keys::Keys(std::vector<Row> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.label < b.label; });
}

const Row* Keys::find(Label label) const noexcept {
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), label,
                                   [](const Row& row, Label l) { return row.label < l; });
  return at != rows_.end() && at->label == label ? &*at : nullptr;
}

crypto::KeyView Keys::derived(Label label, std::uint32_t number, crypto::SecretKey& scratch,
                              FunctionRef<void(crypto::KeySpan)> derive) const {
  {
    std::lock_guard lock(mutex_);
    for (const Derived& d : derived_)
      if (d.label == label && d.number == number) return d.key.bytes();
  }
  scratch = crypto::SecretKey::zeroed();
  derive(scratch.bytes());
  std::lock_guard lock(mutex_);
  if (derived_.size() < derived_max) {
    derived_.reserve(derived_max);
    derived_.push_back({label, number, scratch.clone()});
  }
  return std::as_const(scratch).bytes();
}

std::optional<Keys::Noted> Keys::noted(const Handle& scope) const {
  std::lock_guard lock(mutex_);
  for (const auto& [handle, noted] : noted_)
    if (handle == scope) return noted;
  return std::nullopt;
}

void Keys::note(const Handle& scope, const Noted& noted) const {
  std::lock_guard lock(mutex_);
  for (auto& [handle, there] : noted_) {
    if (handle != scope) continue;
    there = noted;
    return;
  }
  noted_.emplace_back(scope, noted);
}

KeyCache::KeyCache(std::size_t entries_max)
    : entries_per_shard_max_(std::max<std::size_t>(1, entries_max / shard_count)) {}

SharedKeys KeyCache::find(const KeyPlace& place) {
  Shard& shard = shard_of(place);
  std::lock_guard lock(shard.mutex);
  const auto at = shard.index.find(place);
  if (at == shard.index.end()) return nullptr;
  if (at->second != shard.recent.begin())
    shard.recent.splice(shard.recent.begin(), shard.recent, at->second);
  return at->second->keys;
}

void KeyCache::keep(const KeyPlace& place, SharedKeys keys, std::uint64_t version) {
  Shard& shard = shard_of(place);
  std::lock_guard lock(shard.mutex);
  if (version != this->version()) return;
  if (const auto at = shard.index.find(place); at != shard.index.end()) {
    at->second->keys = std::move(keys);
    return;
  }
  if (shard.index.size() >= entries_per_shard_max_) {
    shard.index.erase(shard.recent.back().place);
    shard.recent.pop_back();
  }
  shard.recent.push_front({place, std::move(keys)});
  shard.index.emplace(place, shard.recent.begin());
}

void KeyCache::forget(std::span<const KeyPlace> places) {
  version_.fetch_add(1, std::memory_order_acq_rel);
  for (const KeyPlace& place : places) {
    Shard& shard = shard_of(place);
    std::lock_guard lock(shard.mutex);
    const auto at = shard.index.find(place);
    if (at == shard.index.end()) continue;
    shard.recent.erase(at->second);
    shard.index.erase(at);
  }
}

void KeyCache::forget_all() {
  version_.fetch_add(1, std::memory_order_acq_rel);
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    shard.index.clear();
    shard.recent.clear();
  }
}

std::size_t KeyCache::size() const {
  std::size_t n = 0;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    n += shard.index.size();
  }
  return n;
}

}  // namespace efface::keyring
