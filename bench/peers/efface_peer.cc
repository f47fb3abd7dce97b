// peers/efface_peer.cc -- efface, asked as the others are.
#include <cstring>
#include <optional>
#include <vector>

#include "peers/peer.h"
#include "support/must.h"
#include "support/people.h"

namespace efface::bench {
namespace {

class EffacePeer final : public Peer {
 public:
  Facts facts() const override {
    return {"efface", "this commit",
            "one region, one purpose; every Subject is held, as somebody's who serves her",
            "everything, under keys of each person: XChaCha20-Poly1305", "Tenant::erase"};
  }

  void put(std::span<const Item> items) override {
    enrol(items);
    Batch batch = people_.activity().batch(people_.region());
    for (const Item& item : items)
      must(batch.put(*subjects_[item.person], RecordName(record_name(item.record)), item.value));
    must(people_.activity().commit(std::move(batch)));
  }

  std::size_t get(std::uint64_t person, std::uint64_t record, std::span<std::byte> into) override {
    std::size_t bytes = 0;
    must(people_.activity().visit(
        *subjects_[person], RecordName(record_name(record)), [&](Bytes value) {
          bytes = value.size();
          std::memcpy(into.data(), value.data(), std::min(bytes, into.size()));
        }));
    return bytes;
  }

  void erase(std::span<const std::uint64_t> people) override {
    std::vector<std::string> names;
    std::vector<SubjectId> ids;
    for (const std::uint64_t person : people) {
      subjects_[person].reset();
      names.push_back(person_id(person));
    }
    for (const std::string& name : names) ids.emplace_back(name);
    must(people_.tenant().erase(ids));
  }

  std::uint64_t count(std::uint64_t person) override {
    const auto found = people_.tenant().subject(SubjectId(person_id(person)));
    if (!found && found.error().code() == Errc::subject_unknown) return 0;
    if (!found) give_up("count", found.error().note());
    std::uint64_t records = 0;
    must(people_.activity().list(*found, {}, [&](std::string_view) {
      ++records;
      return Flow::more;
    }));
    return records;
  }

  void settle() override {}

 private:
  // Whoever of them is new, in one commit.
  void enrol(std::span<const Item> items) {
    std::uint64_t end = subjects_.size();
    for (const Item& item : items) end = std::max(end, item.person + 1);
    if (end == subjects_.size()) return;
    const std::uint64_t first = subjects_.size();
    for (Subject& subject : people_.enrol(first, end - first))
      subjects_.emplace_back(std::move(subject));
  }

  People people_{"efface"};
  std::vector<std::optional<Subject>> subjects_;
};

}  // namespace

std::unique_ptr<Peer> make_peer() { return std::make_unique<EffacePeer>(); }

}  // namespace efface::bench
