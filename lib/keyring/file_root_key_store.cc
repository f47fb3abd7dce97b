#include "efface/file_root_key_store.h"

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include "base/check.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "crypto/root_wrap.h"
#include "efface/limits.h"
#include "keyring/root_file.h"
#include "keyring/root_slot.h"
#include "os/host.h"

namespace efface {
namespace {

using keyring::root_sector_bytes;
using keyring::root_slot_offset;
using keyring::root_slots;
using keyring::RootFile;
using keyring::RootHeader;
using keyring::RootSector;
using keyring::RootSectorView;
using keyring::RootSlot;
using keyring::RootSlotPlace;

constexpr int looks_max = 3;

RootSector sector_of(crypto::SecretBuffer& buffer) noexcept {
  return RootSector(buffer.data(), root_sector_bytes);
}

// Nothing throws across the public API.
template <class F>
auto guarded(F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const crypto::memory_lock_refused&) {
    return Error(Errc::memory_not_locked, "no locked memory for a root key");
  } catch (const std::bad_alloc&) {
    return Error(Errc::out_of_memory, "no memory for a root key");
  }
}

Status check_passphrase(Bytes passphrase) {
  if (passphrase.size() > limits::passphrase_bytes_max)
    return Error(Errc::too_large, "the passphrase is too long");
  return {};
}

// Both empty where the keys are to stand in clear.
struct NewKeys {
  crypto::SecretKey passphrase;
  crypto::SecretKey seal;
};

Result<NewKeys> make_keys(const FileRootKeyStoreOptions& options, RootHeader& header) {
  NewKeys keys;
  if (options.passphrase.empty()) return keys;
  header.passphrase = RootHeader::Passphrase{
      .salt = crypto::random_id(),
      .cost = {.passes = options.passphrase_passes, .memory_kib = options.passphrase_memory_kib}};
  EFFACE_ASSIGN(keys.passphrase,
                crypto::key_from_passphrase(options.passphrase, header.passphrase->salt,
                                            header.passphrase->cost));
  keys.seal = keyring::derive_seal_key(keys.passphrase, header.store_id);
  return keys;
}

// A header and two empty slots: no key is in it.
std::vector<std::byte> new_image(const RootHeader& header, const NewKeys& keys) {
  std::vector<std::byte> image(keyring::root_file_bytes);
  keyring::encode_header(header, keys.passphrase, RootSector(image.data(), root_sector_bytes));
  for (std::size_t index = 0; index < root_slots; ++index)
    keyring::encode_slot(RootSlot(), {header.store_id, keys.seal, static_cast<std::uint8_t>(index)},
                         RootSector(image.data() + root_slot_offset(index), root_sector_bytes));
  return image;
}

// The key that the slots are sealed under; an empty one where they stand in clear.
Result<crypto::SecretKey> unlock(RootSectorView sector, const RootHeader& header,
                                 Bytes passphrase) {
  if (passphrase.empty() != !header.passphrase)
    return Error(Errc::passphrase_wrong, passphrase.empty()
                                             ? Note("this root key file has a passphrase")
                                             : Note("this root key file has no passphrase"));
  if (!header.passphrase) return crypto::SecretKey();
  Result<crypto::SecretKey> derived =
      crypto::key_from_passphrase(passphrase, header.passphrase->salt, header.passphrase->cost);
  if (!derived && derived.error().code() == Errc::invalid_argument)
    return Error(Errc::corruption, "the cost in a root key file is out of range");
  EFFACE_ASSIGN(const crypto::SecretKey key, std::move(derived));
  EFFACE_TRY(keyring::check_passphrase_key(sector, key));
  return keyring::derive_seal_key(key, header.store_id);
}

}  // namespace

class [[gnu::visibility("hidden")]] FileRootKeyStore::Impl {
 public:
  Impl(RootFile file, RootHeader header, crypto::SecretKey seal_key, bool shared = false) noexcept
      : file_(std::move(file)),
        header_(std::move(header)),
        seal_key_(std::move(seal_key)),
        fork_generation_(os::fork_generation()),
        shared_(shared) {}

  Status load(bool accept_l0);

  const StoreId& id() const noexcept { return header_.store_id; }
  Assurance assurance() const noexcept { return assurance_; }
  const RootFile& file() const noexcept { return file_; }
  bool has_passphrase() const noexcept { return header_.passphrase.has_value(); }
  void discard() noexcept { file_.discard(); }

  Result<std::vector<Epoch>> list();
  Result<Anchor> anchor();
  Status create(Epoch epoch, const Anchor& anchor);
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor);
  Status destroy(Epoch epoch);
  // The slot of a live epoch. Errors: root_key_missing.
  Result<const RootSlot*> held(Epoch epoch) const;

  // Whether this object may still speak. Errors: closed; forked: in a child all keys read as zeros.
  Status check_usable() const;
  // As well: whether what it says is on the medium. What another process wrote is read first.
  Status settle();
  bool shared() const noexcept { return shared_; }
  // The key of a live epoch, perhaps made by another process just now.
  Result<const RootSlot*> find(Epoch epoch);

 private:
  // How far the file may be trusted about a slot. torn: it holds no slot, and perhaps part of a
  // key. unsettled: a write of it failed after it had begun, so it may be lost yet.
  enum class Standing : std::uint8_t { settled, unsettled, torn };

  RootSlotPlace place(std::size_t index) const noexcept {
    return {header_.store_id, seal_key_, static_cast<std::uint8_t>(index)};
  }
  const RootSlot& newest() const noexcept {
    return slots_[0].highest_epoch >= slots_[1].highest_epoch ? slots_[0] : slots_[1];
  }
  std::optional<std::size_t> index_of(Epoch epoch) const noexcept;
  Status check_new(Epoch epoch) const;
  Status read_slots();
  Result<Assurance> write_slot(std::size_t index, RootSlot next);
  Status write_and_read_back(std::uint64_t offset, RootSectorView sector, bool& begun);
  void recover_from_failure(std::size_t index, bool begun) noexcept;
  Status tell_other(std::size_t index);
  RootSlot empty_slot() const;
  RootSlot fresh_slot(Epoch epoch, const Anchor& anchor) const;
  Assurance assurance_at_rest() const noexcept;

  RootFile file_;
  RootHeader header_;
  crypto::SecretKey seal_key_;
  std::array<RootSlot, root_slots> slots_;
  std::array<Standing, root_slots> standings_{};
  Assurance assurance_;
  std::uint64_t fork_generation_;
  bool closed_ = false;
  const bool shared_;
};

// A predecessor may have written without its fdatasync having come through.
Status FileRootKeyStore::Impl::load(bool accept_l0) {
  EFFACE_TRY(file_.sync());
  EFFACE_TRY(read_slots());
  // Of what is shared only who holds the region writes: another process may be at it.
  if (!shared_) EFFACE_TRY(settle());
  assurance_ = assurance_at_rest();
  if (assurance_.level == AssuranceLevel::l0_logical && !accept_l0)
    return Error(Errc::assurance_too_low, "the root key file cannot be overwritten in place");
  return {};
}

Status FileRootKeyStore::Impl::read_slots() {
  for (std::size_t index = 0; index < root_slots; ++index) {
    crypto::SecretBuffer buffer(root_sector_bytes);
    EFFACE_TRY(file_.read(root_slot_offset(index), sector_of(buffer)));
    EFFACE_ASSIGN(const bool durable,
                  file_.medium_agrees(root_slot_offset(index), sector_of(buffer)));
    EFFACE_ASSIGN(std::optional<RootSlot> slot,
                  keyring::decode_slot(sector_of(buffer), place(index)));
    standings_[index] = !slot ? Standing::torn : durable ? Standing::settled : Standing::unsettled;
    slots_[index] = slot ? std::move(*slot) : RootSlot();
  }
  if (standings_[0] == Standing::torn && standings_[1] == Standing::torn)
    return Error(Errc::corruption, "neither slot of a root key file verifies");
  if (slots_[0].live() && slots_[1].live() && slots_[0].epoch == slots_[1].epoch)
    return Error(Errc::corruption, "both slots of a root key file hold one epoch");
  return {};
}

Status FileRootKeyStore::Impl::check_usable() const {
  if (fork_generation_ != os::fork_generation())
    return Error(Errc::forked, "the root key file was opened by the parent process");
  if (closed_) return Error(Errc::closed, "the root key file could not be read after a failure");
  return {};
}

Status FileRootKeyStore::Impl::settle() {
  EFFACE_TRY(check_usable());
  if (shared_) EFFACE_TRY(read_slots());
  for (std::size_t index = 0; index < root_slots; ++index) {
    if (standings_[index] == Standing::settled) continue;
    const RootSlot& slot = slots_[index];
    RootSlot again = empty_slot();
    if (standings_[index] == Standing::unsettled) {
      again.highest_epoch = slot.highest_epoch;
      again.anchor = slot.anchor;
      again.epoch = slot.epoch;
      if (slot.live()) again.key = slot.key.clone();
    }
    EFFACE_TRY(write_slot(index, std::move(again)));
  }
  return {};
}

std::optional<std::size_t> FileRootKeyStore::Impl::index_of(Epoch epoch) const noexcept {
  for (std::size_t index = 0; index < root_slots; ++index)
    if (slots_[index].live() && slots_[index].epoch == epoch) return index;
  return std::nullopt;
}

Result<const RootSlot*> FileRootKeyStore::Impl::held(Epoch epoch) const {
  const std::optional<std::size_t> index = index_of(epoch);
  if (!index) return Error(Errc::root_key_missing, "the root key store does not hold this epoch");
  return &slots_[*index];
}

// A slot that is being written just now looks torn, and is whole the next time.
Result<const RootSlot*> FileRootKeyStore::Impl::find(Epoch epoch) {
  EFFACE_TRY(check_usable());
  if (!shared_) return held(epoch);
  for (int attempt = 0; attempt < looks_max; ++attempt) {
    const Status read = read_slots();
    if (!read && read.error().code() != Errc::corruption) return read.error();
    if (read && index_of(epoch)) break;
  }
  return held(epoch);
}

Status FileRootKeyStore::Impl::check_new(Epoch epoch) const {
  if (epoch == 0) return Error(Errc::invalid_argument, "epochs begin at one");
  if (epoch <= newest().highest_epoch)
    return Error(Errc::exists, "the root key store has seen this epoch, or a later one");
  return {};
}

RootSlot FileRootKeyStore::Impl::empty_slot() const {
  RootSlot slot;
  slot.highest_epoch = newest().highest_epoch;
  slot.anchor = newest().anchor;
  return slot;
}

RootSlot FileRootKeyStore::Impl::fresh_slot(Epoch epoch, const Anchor& anchor) const {
  RootSlot slot;
  slot.key = crypto::SecretKey::random();
  slot.epoch = slot.highest_epoch = epoch;
  slot.anchor = anchor;
  return slot;
}

Status FileRootKeyStore::Impl::write_and_read_back(std::uint64_t offset, RootSectorView sector,
                                                   bool& begun) {
  EFFACE_TRY(file_.write(offset, sector));
  begun = true;
  EFFACE_TRY(file_.sync());
  return file_.read_back(offset, sector);
}

// All that may throw comes before the write.
Result<Assurance> FileRootKeyStore::Impl::write_slot(std::size_t index, RootSlot next) {
  const std::uint64_t offset = root_slot_offset(index);
  const std::optional<os::Extent> before = file_.extent(offset);
  next.written_at_bytes = before && before->in_place ? before->physical_bytes : 0;
  crypto::SecretBuffer buffer(root_sector_bytes);
  keyring::encode_slot(next, place(index), sector_of(buffer));

  bool begun = false;
  const Status written = write_and_read_back(offset, sector_of(buffer), begun);
  if (!written) {
    recover_from_failure(index, begun);
    return written.error();
  }
  const Assurance shown = file_.judge({.before = before,
                                       .after = file_.extent(offset),
                                       .held_key = slots_[index].live(),
                                       .key_written_at_bytes = slots_[index].written_at_bytes});
  slots_[index] = std::move(next);  // Wipes the key that stood there.
  standings_[index] = Standing::settled;
  return shown;
}

// What the file holds is what counts, not what was meant.
void FileRootKeyStore::Impl::recover_from_failure(std::size_t index, bool begun) noexcept {
  closed_ = !guarded([this] { return read_slots(); });
  if (closed_) {
    for (RootSlot& slot : slots_) slot = RootSlot();
    seal_key_ = crypto::SecretKey();
    return;
  }
  if (begun && standings_[index] == Standing::settled) standings_[index] = Standing::unsettled;
}

// So that the highest epoch and the anchor outlive either slot. Never over a key.
Status FileRootKeyStore::Impl::tell_other(std::size_t index) {
  const std::size_t other = 1 - index;
  if (slots_[other].live() || slots_[other].highest_epoch == newest().highest_epoch) return {};
  EFFACE_TRY(write_slot(other, empty_slot()));
  return {};
}

Assurance FileRootKeyStore::Impl::assurance_at_rest() const noexcept {
  std::array<Assurance, root_slots> found;
  for (std::size_t index = 0; index < root_slots; ++index) {
    const std::optional<os::Extent> extent = file_.extent(root_slot_offset(index));
    found[index] = file_.judge({.before = extent,
                                .after = extent,
                                .held_key = slots_[index].live(),
                                .key_written_at_bytes = slots_[index].written_at_bytes});
  }
  return std::ranges::min(found, {}, &Assurance::level);
}

Result<std::vector<Epoch>> FileRootKeyStore::Impl::list() {
  EFFACE_TRY(settle());
  std::vector<Epoch> epochs;
  for (const RootSlot& slot : slots_)
    if (slot.live()) epochs.push_back(slot.epoch);
  std::ranges::sort(epochs);
  return epochs;
}

Result<Anchor> FileRootKeyStore::Impl::anchor() {
  EFFACE_TRY(settle());
  return newest().anchor;
}

Status FileRootKeyStore::Impl::create(Epoch epoch, const Anchor& anchor) {
  EFFACE_TRY(settle());
  EFFACE_TRY(check_new(epoch));
  const auto free = std::ranges::find_if(slots_, [](const RootSlot& s) { return !s.live(); });
  if (free == slots_.end()) return Error(Errc::exists, "the root key store holds two epochs");
  const auto index = static_cast<std::size_t>(free - slots_.begin());
  EFFACE_ASSIGN(const Assurance shown, write_slot(index, fresh_slot(epoch, anchor)));
  assurance_ = std::ranges::min(shown, assurance_at_rest(), {}, &Assurance::level);
  return tell_other(index);
}

Status FileRootKeyStore::Impl::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  EFFACE_TRY(settle());
  EFFACE_TRY(check_new(created));
  const std::optional<std::size_t> index = index_of(destroyed);
  if (!index) return create(created, anchor);  // As destroy: an epoch not held is no error.
  EFFACE_ASSIGN(assurance_, write_slot(*index, fresh_slot(created, anchor)));
  return {};
}

Status FileRootKeyStore::Impl::destroy(Epoch epoch) {
  EFFACE_TRY(settle());
  const std::optional<std::size_t> index = index_of(epoch);
  if (!index) return {};
  EFFACE_ASSIGN(assurance_, write_slot(*index, empty_slot()));
  return tell_other(*index);
}

FileRootKeyStore::FileRootKeyStore(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
FileRootKeyStore::~FileRootKeyStore() = default;

Result<std::unique_ptr<FileRootKeyStore>> FileRootKeyStore::create(
    const FileRootKeyStoreOptions& options) {
  return guarded([&]() -> Result<std::unique_ptr<FileRootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_TRY(check_passphrase(options.passphrase));
    RootHeader header{.store_id = crypto::random_id(), .passphrase = {}};
    EFFACE_ASSIGN(NewKeys keys, make_keys(options, header));
    const std::vector<std::byte> image = new_image(header, keys);
    EFFACE_ASSIGN(RootFile file, RootFile::create(options.path, image, options.accept_l0));
    auto impl = std::make_unique<Impl>(std::move(file), header, std::move(keys.seal));
    const Status loaded = guarded([&] { return impl->load(options.accept_l0); });
    if (!loaded) {
      impl->discard();
      return loaded.error();
    }
    return std::unique_ptr<FileRootKeyStore>(new FileRootKeyStore(std::move(impl)));
  });
}

Result<std::unique_ptr<FileRootKeyStore>> FileRootKeyStore::open(
    const FileRootKeyStoreOptions& options) {
  return guarded([&]() -> Result<std::unique_ptr<FileRootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_TRY(check_passphrase(options.passphrase));
    EFFACE_ASSIGN(RootFile file,
                  RootFile::open(options.path, options.accept_l0,
                                 options.shared ? RootFile::Held::shared : RootFile::Held::alone));
    crypto::SecretBuffer sector(root_sector_bytes);
    EFFACE_TRY(file.read(0, sector_of(sector)));
    EFFACE_ASSIGN(RootHeader header, keyring::decode_header(sector_of(sector)));
    EFFACE_ASSIGN(crypto::SecretKey seal_key,
                  unlock(sector_of(sector), header, options.passphrase));
    auto impl =
        std::make_unique<Impl>(std::move(file), header, std::move(seal_key), options.shared);
    EFFACE_TRY(impl->load(options.accept_l0));
    return std::unique_ptr<FileRootKeyStore>(new FileRootKeyStore(std::move(impl)));
  });
}

RootKeyStore::StoreId FileRootKeyStore::id() const { return impl_->id(); }

Assurance FileRootKeyStore::assurance() const { return impl_->assurance(); }

Result<std::vector<Epoch>> FileRootKeyStore::list() {
  return guarded([&] { return impl_->list(); });
}

Result<Anchor> FileRootKeyStore::anchor() {
  return guarded([&] { return impl_->anchor(); });
}

Status FileRootKeyStore::create(Epoch epoch, const Anchor& anchor) {
  return guarded([&] { return impl_->create(epoch, anchor); });
}

Result<std::vector<std::byte>> FileRootKeyStore::wrap(Epoch epoch, Bytes context, KeyView key) {
  return guarded([&]() -> Result<std::vector<std::byte>> {
    EFFACE_TRY(impl_->settle());  // A key that may be lost yet wraps nothing.
    EFFACE_ASSIGN(const RootSlot* slot, impl_->held(epoch));
    return crypto::wrap_root(slot->key.bytes(), {impl_->id(), epoch}, context, key);
  });
}

Status FileRootKeyStore::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  return guarded([&]() -> Status {
    EFFACE_ASSIGN(const RootSlot* slot, impl_->find(epoch));
    return crypto::unwrap_root(slot->key.bytes(), {impl_->id(), epoch}, context, wrapped, out);
  });
}

Status FileRootKeyStore::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  return guarded([&] { return impl_->rotate(destroyed, created, anchor); });
}

Status FileRootKeyStore::destroy(Epoch epoch) {
  return guarded([&] { return impl_->destroy(epoch); });
}

Result<bool> FileRootKeyStore::lies_within(const std::string& directory) const {
  return guarded([&] { return os::lies_within(impl_->file().directory(), directory); });
}

Result<bool> FileRootKeyStore::shares_volume(const std::string& directory) const {
  return guarded([&]() -> Result<bool> {
    EFFACE_ASSIGN(const os::Volume mine, os::volume_of(impl_->file().directory()));
    EFFACE_ASSIGN(const os::Volume other, os::volume_of(directory));
    return mine.device == other.device;
  });
}

bool FileRootKeyStore::may_be_shared() const { return impl_->shared(); }

bool FileRootKeyStore::keeps_in_clear() const { return !impl_->has_passphrase(); }

}  // namespace efface
