// A node store in memory that keeps every image of every node, and can be told to fail.
#pragma once
#include <map>
#include <tuple>
#include <vector>

#include "keyring/node_store.h"

namespace efface::keyring::test {

class MemoryNodes final : public NodeWriter {
 public:
  using Place = std::tuple<std::uint32_t, std::uint8_t, std::uint32_t>;
  using Images = std::map<Place, std::vector<std::vector<std::byte>>>;

  Result<Bytes> get(NodeId id) const override {
    const auto at = images_.find(place(id));
    if (at == images_.end()) return Error(Errc::corruption, "no such node");
    return Bytes(at->second.back());
  }
  Status put(NodeId id, Bytes sealed) override {
    images_[place(id)].emplace_back(sealed.begin(), sealed.end());
    ++puts;
    return {};
  }

  const Images& images() const noexcept { return images_; }
  Images& images() noexcept { return images_; }
  std::size_t puts = 0;

 private:
  static Place place(NodeId id) { return {id.tree, id.level, id.index}; }
  Images images_;
};

}  // namespace efface::keyring::test
