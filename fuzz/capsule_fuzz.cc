// Recovery capsules, once they are unsealed: any bytes are refused unless the region signed them;
// what was written comes back, in pieces of any size, and with one bit changed it does not.
#include <map>
#include <optional>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "keyring/capsule.h"
#include "ledger/note.h"

namespace efface::fuzz {
namespace {

using keyring::CapsuleHead;
using Entries = std::map<std::vector<std::byte>, std::vector<std::byte>>;

const crypto::SigningKey& signing_key() {
  static const crypto::SigningKey key = [] {
    EFFACE_CHECK(crypto::initialise().has_value());
    return crypto::SigningKey::of(crypto::SecretKey::zeroed());
  }();
  return key;
}

std::vector<std::byte> vector_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<std::byte> written(const CapsuleHead& head, const Entries& entries) {
  std::vector<std::byte> out;
  const auto sink = [&](Bytes bytes) -> Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  };
  keyring::CapsuleWriter writer(sink);
  EFFACE_CHECK(writer.begin(head).has_value());
  for (const auto& [key, value] : entries) EFFACE_CHECK(writer.add(key, value).has_value());
  EFFACE_CHECK(writer.finish(head.region, signing_key()).has_value());
  return out;
}

struct Read {
  CapsuleHead head;
  Entries entries;
};

// Nothing: it was refused.
std::optional<Read> read(Bytes bytes, std::size_t piece_bytes) {
  keyring::CapsuleReader reader;
  Read read;
  const auto add = [&](Bytes key, Bytes value) -> Status {
    EFFACE_CHECK(read.entries.empty() || read.entries.rbegin()->first < vector_of(key));
    read.entries.emplace(vector_of(key), vector_of(value));
    return {};
  };
  bool begun = false;
  while (!bytes.empty() || !begun) {
    const auto piece = owned(bytes.first(
        std::min(begun ? piece_bytes : std::max(piece_bytes, CapsuleHead::bytes), bytes.size())));
    bytes = bytes.subspan(piece.size());
    Bytes rest = piece.bytes();
    if (!begun) {
      auto head = reader.begin(rest);
      if (!head) return std::nullopt;
      read.head = *std::move(head);
      rest = rest.subspan(CapsuleHead::bytes);
      begun = true;
    }
    if (!reader.feed(rest, add)) return std::nullopt;
  }
  const std::string verifier =
      ledger::verifier_key(ledger::origin_of(read.head.region), signing_key().verifying_key());
  if (!reader.finish(read.head.region, verifier)) return std::nullopt;
  return read;
}

void read_any(Input& input) {
  const std::size_t piece_bytes = 1 + input.byte();
  const Bytes bytes = input.rest();
  const auto found = read(bytes, piece_bytes);
  if (!found) return;
  const auto again = written(found->head, found->entries);
  EFFACE_CHECK(!authentic || again == vector_of(bytes));
  const auto second = read(again, piece_bytes);
  EFFACE_CHECK(second && second->entries == found->entries);
}

void round_trip(Input& input) {
  const std::size_t piece_bytes = 1 + input.byte();
  const std::size_t spot = input.number<std::uint32_t>();
  CapsuleHead head;
  head.last_day = input.number<std::uint32_t>();
  head.region = input.array<16>();
  head.root_id = input.array<16>();
  head.epoch = input.number<std::uint64_t>();
  head.used_bytes = input.number<std::uint64_t>();
  head.bucket_count = input.number<std::uint32_t>();
  head.root = crypto::SecretKey::copy_of(input.array<32>());
  Entries entries;
  while (!input.empty()) {
    auto key = vector_of(input.take(1 + input.byte()));
    if (key.empty()) break;
    entries[std::move(key)] = vector_of(input.take(input.number<std::uint16_t>()));
  }
  std::vector<std::byte> bytes = written(head, entries);
  const auto found = read(bytes, piece_bytes);
  EFFACE_CHECK(found && found->entries == entries && found->head.epoch == head.epoch);
  EFFACE_CHECK(!read(Bytes(bytes).first(spot % bytes.size()), piece_bytes));
  std::byte& changed = bytes[spot / 8 % bytes.size()];
  changed ^= std::byte{1} << (spot % 8);
  const auto forged = read(bytes, piece_bytes);
  EFFACE_CHECK(!authentic || !forged);
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface::fuzz;
  static_cast<void>(signing_key());
  Input input(data, size);
  if (input.byte() % 2 == 0)
    read_any(input);
  else
    round_trip(input);
  return 0;
}
