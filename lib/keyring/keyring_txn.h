// keyring/keyring_txn.h -- what stands in a keyring's environment beside the nodes, and one change
// of it.
//
// Shape  docs/format/keyring.md. Keys of the environment, by first byte:
//        'm' the header; 'r' the root record; 'o' the root key store that was left; 'n' tree level
//        index: a node; 't' tenant: its sealed terms; 'd' tenant handle: a person's sealed file;
//        'q' sequence: an entry of the reclaim queue; 'e' tenant sequence: a notice of an erasure;
//        'b' number: a note of the region's own; 's' the sequence (sequence.h); and the ledger
//        (book.h).
#pragma once
#include "base/check.h"
#include "keyring/keyring.h"
#include "keyring/lmdb_nodes.h"
#include "storage/write_set.h"

namespace efface::keyring {

inline constexpr std::uint32_t keyring_format = 1;
inline constexpr int epoch_attempts_max = 64;  // To find a number that a root key store takes.

// magic 8 | format 4 | region 16 | next tenant 4 | next reclaim 8
struct Header {
  Id16 region{};
  std::uint32_t next_tenant = 1;
  std::uint64_t next_reclaim = 1;

  std::array<std::byte, 40> encode() const noexcept;
  static Result<Header> decode(std::optional<Bytes> bytes);
};

// version 1 | suite 1 | zero 2 | bucket count 4 | epoch 8 | root id 16 | store id 16 | wrapped key
struct Keyring::RootRecord {
  std::uint32_t bucket_count = 1;
  Epoch epoch = 0;
  Id16 root_id{};
  RootKeyStore::StoreId store_id{};
  std::vector<std::byte> wrapped;

  std::vector<std::byte> encode() const;
  static Result<RootRecord> decode(std::optional<Bytes> bytes);
};

// A root key that is wrapped but not yet in force. The root key store is never called inside a
// transaction, so it is made before one begins.
struct Keyring::NextRoot {
  Epoch epoch = 0;
  Id16 root_id{};
  crypto::SecretKey key;
  std::vector<std::byte> wrapped;
  RootKeyStore::StoreId store_id{};  // Of the store that wrapped it.
};

// The root key store that the keyring has left, which may still hold keys: nothing is confirmed
// before it is shown to hold none.
struct Keyring::Retiring {
  RootKeyStore::StoreId store_id{};
  Epoch epoch = 0;  // The last that was in force there.

  std::array<std::byte, 28> encode() const noexcept;  // version 1 | zero 3 | store id 16 | epoch 8
  static Result<Retiring> decode(Bytes bytes);
};

struct Keyring::EraseJob {
  std::span<Removal> removals;
  std::optional<Result<ErasureOutcome>> answer{};
};

// What a transaction adds to the ledger, once it is committed.
struct Keyring::Entered {
  BookHead head;
  std::vector<std::byte> frames{};
  std::uint64_t records_floor = 0;
  bool any = false;
  bool ends_epoch = false;
};

// What took the keyring from one commit to the next, for the mirrors.
struct Keyring::Numbered {
  storage::WriteSet changes{};
  Sequence sequence{};
};

inline constexpr std::array<std::byte, 1> header_key{std::byte{'m'}};
inline constexpr std::array<std::byte, 1> root_record_key{std::byte{'r'}};
inline constexpr std::array<std::byte, 2> records_floor_key{std::byte{'m'}, std::byte{'f'}};
inline constexpr std::array<std::byte, 1> retiring_key{std::byte{'o'}};
std::array<std::byte, 5> terms_key(std::uint32_t tenant_number) noexcept;
std::array<std::byte, 9> reclaim_key(std::uint64_t sequence) noexcept;
std::array<std::byte, 5> nodes_prefix(std::uint32_t tree) noexcept;
using FileKey = std::array<std::byte, 21>;
FileKey file_key(std::uint32_t tenant_number, const Handle& handle) noexcept;
std::array<std::byte, 5> files_prefix(std::uint32_t tenant_number) noexcept;
std::array<std::byte, 5> notices_prefix(std::uint32_t tenant_number) noexcept;
std::array<std::byte, 13> notice_key(std::uint32_t tenant_number, std::uint64_t sequence) noexcept;
std::vector<std::byte> seal_file(const Id16& region, const FileKey& key, crypto::KeyView of,
                                 Bytes file);
Result<codec::Plaintext> open_file(const Id16& region, const FileKey& key, crypto::KeyView of,
                                   Bytes sealed);
std::vector<std::byte> wrap_context(const Id16& region, const Id16& root_id);
std::vector<std::byte> terms_context(const Id16& region, std::uint32_t tenant_number);

// A count that more is added to: it stops at zero.
constexpr std::uint32_t added(std::uint32_t count, std::int32_t more) noexcept {
  return more < 0 && count < static_cast<std::uint32_t>(-more)
             ? 0
             : count + static_cast<std::uint32_t>(more);
}

std::vector<std::byte> encode_reclaim(const Reclaim& reclaim);
Result<Reclaim> decode_reclaim(std::uint64_t sequence, Bytes bytes);

// One write transaction on the trees. Each tree is edited at most once, so that no intermediate
// state of a node is ever sealed under a key that stays.
class Keyring::Txn {
 public:
  Txn(const Id16& region, storage::WriteTxn& txn, TreeRoot top, const crypto::SecretKey& next_root)
      : region_(region), txn_(txn), nodes_(txn), top_(std::move(top)), next_root_(next_root) {}

  Result<TreeRoot> root_of(const TreeRef& tree) const;

  // Edits a tenant's tree. When that re-keys its root, the new root key waits for edit_top.
  Status edit(const TreeRef& tree, std::span<const Tag> tags,
              FunctionRef<Status(std::size_t, LeafEdit&)> change);
  Status add(const TreeRef& tree, std::span<const Tag> tags,
             FunctionRef<Status(std::size_t, LeafEdit&)> change);
  // Edits the top tree, the waiting root keys included. Call it once, last.
  Status edit_top(std::span<const Tag> tags, FunctionRef<Status(std::size_t, LeafEdit&)> change);
  Status edit_top();
  // Changes no row of the top tree, and re-keys it.
  Status rekey_top();
  Result<TreeRoot> create_tree(std::uint32_t number);

  // More or fewer of a tenant's people are held; waits for edit_top.
  void count_held(const TenantRef& tenant, std::int32_t more) { held_.push_back({tenant, more}); }

  Status queue(Reclaim reclaim);                         // Gives it its sequence.
  Status notify(const TenantRef& tenant, Bytes notice);  // Likewise.
  Status put(Bytes key, Bytes value) { return txn_.put(key, value); }
  Result<bool> remove(Bytes key) { return txn_.remove(key); }
  Result<Header> header() const;
  Status set_header(const Header& header) { return txn_.put(header_key, header.encode()); }

  const TreeRoot& top() const noexcept { return top_; }
  bool top_rekeyed() const noexcept { return top_rekeyed_; }
  bool changed() const noexcept { return changed_; }
  void note_change() noexcept { changed_ = true; }

  // A decision of this transaction: entered when all else is done. Answers how many came before.
  std::size_t enter(const TenantRef& tenant, ledger::Entry decision) {
    decision.tenant = tenant.number;
    entries_.push_back(std::move(decision));
    return entries_.size() - 1;
  }
  std::vector<ledger::Entry>& entries() noexcept { return entries_; }
  const NodeReader& nodes() const noexcept { return nodes_; }

 private:
  struct Waiting {
    TenantRef tenant;
    Label label;
    TreeRoot root;
  };
  void wait(const TreeRef& tree, TreeRoot root);
  Id16 region_;
  storage::WriteTxn& txn_;
  LmdbNodeWriter nodes_;
  TreeRoot top_;
  const crypto::SecretKey& next_root_;
  struct Held {
    TenantRef tenant;
    std::int32_t more;
  };
  std::vector<Waiting> waiting_;
  std::vector<Held> held_;
  std::vector<ledger::Entry> entries_;
  bool top_rekeyed_ = false;
  bool changed_ = false;
};

}  // namespace efface::keyring
