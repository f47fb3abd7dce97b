// keyring/capsule.h -- a keyring and the key of its root in one stream of bytes, which is sealed to
// who may bring it back: what outlives the loss of the disk and of the root key store together.
//
// Whoever opens one has what the keyring had when it was made, erased or not since. It is therefore
// made until a day, which stands in the ledger before there is a capsule, and in every receipt from
// then on: on that day the secret that opens it has to go.
//
// Shape   docs/format/capsule.md: head | key length 2, value length 4, key, value ... | zero 2 |
//         note length 2 | note. The note is signed by the region and has the hash of all before it.
// Errors  corruption: not a capsule, or not as it was written.
// Threads One at a time.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/hasher.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "efface/result.h"
#include "efface/root_key_store.h"

namespace efface::keyring {

struct CapsuleHead {
  static constexpr std::size_t bytes = 104;
  std::uint32_t last_day = 0;  // On which it may be brought back, counted from 1970.
  Id16 region{};
  Id16 root_id{};
  Epoch epoch = 0;
  std::uint64_t used_bytes = 0;  // Of the keyring's pages: how much there will be, about.
  std::uint32_t bucket_count = 0;
  crypto::SecretKey root{};
};

using CapsuleSink = FunctionRef<Status(Bytes)>;

class CapsuleWriter {
 public:
  explicit CapsuleWriter(CapsuleSink sink) : sink_(sink) {}
  Status begin(const CapsuleHead& head);
  Status add(Bytes key, Bytes value);  // In key order.
  Status finish(const Id16& region, const crypto::SigningKey& key);

 private:
  Status write(Bytes bytes);

  CapsuleSink sink_;
  crypto::Hasher hasher_;
};

// Gets what an opened stream gives, in pieces of any size; the first of them has the whole head.
class CapsuleReader {
 public:
  using Add = FunctionRef<Status(Bytes key, Bytes value)>;

  // Once, first. Answers the head; what follows it in the piece is for feed.
  Result<CapsuleHead> begin(Bytes piece);
  Status feed(Bytes piece, Add add);
  // That all of it is there, and is what the region signed. Errors: also invalid_argument, when the
  // verifier key is none.
  Status finish(const Id16& region, std::string_view verifier_key);

 private:
  Result<std::size_t> take_entry(Bytes rest, Add add);

  crypto::Hasher hasher_;
  std::vector<std::byte> rest_;  // Of the last piece: an entry, or a note, that is not whole yet.
  std::vector<std::byte> last_key_;
  bool in_note_ = false;
};

// For Keyring::bring_back.
struct CapsuleSource {
  std::string_view verifier_key;
  std::uint32_t today = 0;
  FunctionRef<Status(CapsuleSink)> stream;  // Gives the sink all of it, or answers an error.
};

}  // namespace efface::keyring
