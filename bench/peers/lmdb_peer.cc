// peers/lmdb_peer.cc -- LMDB: what efface is built on, without what efface is for.
#include <algorithm>
#include <memory>

#include "peers/peer.h"
#include "support/raw_lmdb.h"

namespace efface::bench {
namespace {

class LmdbPeer final : public Peer {
 public:
  Facts facts() const override {
    return {"lmdb", mdb_version(nullptr, nullptr, nullptr),
            "defaults: every commit synced; a read transaction renewed for each get", "",
            "delete her records, copy the file without its free pages, put the copy in its place"};
  }

  void put(std::span<const Item> items) override {
    RawWrite write(raw_);
    for (const Item& item : items) write.put(raw_key(item.person, item.record), item.value);
    write.commit();
  }

  std::size_t get(std::uint64_t person, std::uint64_t record, std::span<std::byte> into) override {
    return reader_->get(raw_key(person, record), into);
  }

  void erase(std::span<const std::uint64_t> people) override {
    RawWrite write(raw_);
    for (const std::uint64_t person : people) write.remove(person);
    write.commit();
    reader_.reset();
    raw_.rewrite();
    reader_ = std::make_unique<RawReader>(raw_);
  }

  std::uint64_t count(std::uint64_t person) override {
    RawWrite write(raw_);  // Undone with its scope.
    return write.remove(person);
  }

  void settle() override {}

 private:
  RawLmdb raw_{"peer"};
  std::unique_ptr<RawReader> reader_ = std::make_unique<RawReader>(raw_);
};

}  // namespace

std::unique_ptr<Peer> make_peer() { return std::make_unique<LmdbPeer>(); }

}  // namespace efface::bench
