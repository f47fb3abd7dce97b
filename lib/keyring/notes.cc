// What a region notes for itself, beside any tenant: sealed under a key of the region's own.
#include "crypto/aead.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "keyring/keyring_txn.h"

namespace efface::keyring {
namespace {

constexpr std::array<std::byte, 1> notes_prefix{std::byte{'b'}};
constexpr std::size_t key_bytes = 9;
using NoteKey = std::array<std::byte, key_bytes>;

Tag notes_tag() noexcept {
  static const Tag tag = crypto::hash128({as_bytes("efface.notes")});
  return tag;
}

NoteKey note_key(std::uint64_t number) noexcept {
  NoteKey key{notes_prefix[0]};
  store_be(std::span(key).subspan<1, 8>(), number);
  return key;
}

std::vector<std::byte> context_of(const Id16& region, const NoteKey& key) {
  std::vector<std::byte> context(region.begin(), region.end());
  context.insert(context.end(), key.begin(), key.end());
  return context;
}

Result<codec::Plaintext> open_note(const Id16& region, crypto::KeyView with, std::uint64_t number,
                                   Bytes sealed) {
  if (sealed.size() < crypto::seal_overhead_bytes)
    return Error(Errc::corruption, "a note is shorter than any");
  codec::Plaintext note(sealed.size() - crypto::seal_overhead_bytes);
  EFFACE_TRY(crypto::open(with, context_of(region, note_key(number)), sealed, note.bytes()));
  return note;
}

}  // namespace

// Nothing: none was ever made.
Result<std::optional<crypto::SecretKey>> Keyring::notes_key() {
  EFFACE_ASSIGN(const SharedKeys keys, load_keys(top_tree, std::nullopt, notes_tag()));
  const Row* row = keys->find(region_notes);
  if (row == nullptr) return std::optional<crypto::SecretKey>();
  return std::optional(row->key.clone());
}

Result<crypto::SecretKey> Keyring::make_own_key(const Lock& held, const Tag& tag, Label label) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_TRY(prepare_root());
  EFFACE_ASSIGN(
      const bool rekeyed, change(storage::Space::ordinary, *prepared_, [&](Txn& txn) -> Status {
        txn.note_change();
        return txn.edit_top({&tag, 1}, [&](std::size_t, LeafEdit& leaf) -> Status {
          if (leaf.contains(tag, label)) return {};
          return leaf.add({tag, crypto::SecretKey::random(), crypto::random_id(), label, 0, 0});
        });
      }));
  if (rekeyed) {
    publish_root();
    prepared_.reset();
  }
  EFFACE_ASSIGN(const SharedKeys keys, load_keys(top_tree, std::nullopt, tag));
  const Row* row = keys->find(label);
  if (row == nullptr) return Error(Errc::corruption, "a key of the region's own is missing");
  return row->key.clone();
}

Status Keyring::put_note(const Lock& held, std::uint64_t number, Bytes note,
                         std::span<const ledger::Entry> decisions) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_ASSIGN(std::optional<crypto::SecretKey> with, notes_key());
  if (!with) {
    EFFACE_ASSIGN(with, make_own_key(held, notes_tag(), region_notes));
  }
  const NoteKey key = note_key(number);
  std::vector<std::byte> sealed(note.size() + crypto::seal_overhead_bytes);
  crypto::seal(std::as_const(*with).bytes(), context_of(options_.region, key), note, sealed);
  return change_plain([&](storage::WriteTxn& txn) -> Status { return txn.put(key, sealed); },
                      decisions);
}

// Its key after it: where there is a note, there was a key before.
Result<std::optional<codec::Plaintext>> Keyring::note(std::uint64_t number) {
  std::vector<std::byte> sealed;
  {
    EFFACE_ASSIGN(const storage::ReadTxn txn, read());
    EFFACE_ASSIGN(const std::optional<Bytes> found, txn.get(note_key(number)));
    if (!found) return std::optional<codec::Plaintext>();
    sealed.assign(found->begin(), found->end());
  }
  EFFACE_ASSIGN(const auto with, notes_key());
  if (!with) return Error(Errc::corruption, "the key of the region's notes is missing");
  EFFACE_ASSIGN(codec::Plaintext opened, open_note(options_.region, with->bytes(), number, sealed));
  return std::optional(std::move(opened));
}

Result<std::vector<std::uint64_t>> Keyring::note_numbers() {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  std::vector<std::uint64_t> numbers;
  EFFACE_TRY(
      txn.scan(notes_prefix, notes_prefix, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
        if (entry.key.size() != key_bytes) return Error(Errc::corruption, "a note has no number");
        numbers.push_back(load_be<std::uint64_t>(entry.key.subspan<1, 8>()));
        return Flow::more;
      }));
  return numbers;
}

}  // namespace efface::keyring
