#include "efface/tpm_root_key_store.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/check.h"
#include "crypto/guarded.h"
#include "crypto/random.h"
#include "crypto/root_wrap.h"
#include "custody/token_record.h"
#include "custody/tpm_link.h"
#include "custody/tpm_slot.h"
#include "os/lock.h"

namespace efface {
namespace {

using custody::TokenRecord;
using custody::TpmLink;
using custody::TpmSlot;

constexpr std::size_t slots = 2;
constexpr std::size_t record_copies = 2;
constexpr std::size_t record_area_bytes = record_copies * custody::token_record_bytes;
constexpr std::chrono::seconds interval_max = std::chrono::hours(24 * 365);
constexpr std::uint32_t at_once_max = 1'000'000;

Status check_options(const TpmRootKeyStoreOptions& options) {
  constexpr std::uint32_t last = TPM2_NV_INDEX_LAST - slots;
  if (options.index < TPM2_NV_INDEX_FIRST || options.index > last)
    return Error(Errc::invalid_argument, "not the number of an NV index");
  if (options.rotation_interval < std::chrono::seconds(0) ||
      options.rotation_interval > interval_max || options.rotations_at_once_max == 0 ||
      options.rotations_at_once_max > at_once_max)
    return Error(Errc::invalid_argument, "the pace of rotations is out of range");
  if (options.auth.size() > custody::tpm_auth_bytes_max ||
      options.owner_auth.size() > custody::tpm_auth_bytes_max)
    return Error(Errc::too_large, "an auth value of a TPM has at most 32 bytes");
  return {};
}

// When the next rotation is allowed, from one number that survives (the generic cell rate
// algorithm): each takes an interval, and so many may be taken ahead of time.
class Pace {
 public:
  explicit Pace(const TpmRootKeyStoreOptions& options) noexcept
      : interval_s_(static_cast<std::uint64_t>(options.rotation_interval.count())),
        ahead_s_(interval_s_ * (options.rotations_at_once_max - 1)),
        now_(options.now) {}

  bool allows(std::uint64_t paced_until_s) const {
    if (interval_s_ == 0) return true;
    const std::uint64_t now_s = this->now_s();
    // Later than any rotation can have left it: the clock was set back since.
    return paced_until_s <= now_s + ahead_s_ || paced_until_s > now_s + ahead_s_ + interval_s_;
  }
  std::uint64_t after_one(std::uint64_t paced_until_s) const {
    const std::uint64_t now_s = this->now_s();
    return std::clamp(paced_until_s, now_s, now_s + ahead_s_) + interval_s_;
  }

 private:
  std::uint64_t now_s() const {
    const auto now = now_ != nullptr ? now_() : std::chrono::system_clock::now();
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    return since.count() > 0 ? static_cast<std::uint64_t>(since.count()) : 0;
  }

  std::uint64_t interval_s_;
  std::uint64_t ahead_s_;
  std::chrono::system_clock::time_point (*now_)();
};

}  // namespace

class [[gnu::visibility("hidden")]] TpmRootKeyStore::Impl {
 public:
  explicit Impl(const TpmRootKeyStoreOptions& options)
      : tcti_(options.tcti),
        index_(options.index),
        auth_(options.auth.size()),
        owner_auth_(options.owner_auth.size()),
        pace_(options),
        fork_generation_(os::fork_generation()) {
    std::ranges::copy(options.auth, auth_.data());
    std::ranges::copy(options.owner_auth, owner_auth_.data());
  }

  Status make();
  Status load();

  const StoreId& id() const noexcept { return id_; }
  Assurance assurance() const noexcept { return assurance_; }
  bool came_too_soon() const noexcept { return came_too_soon_; }
  Status noted(Status step) noexcept {
    came_too_soon_ = !step && step.error().code() == Errc::rate_limited;
    return step;
  }

  Result<std::vector<Epoch>> list();
  Result<Anchor> anchor();
  Status create(Epoch epoch, const Anchor& anchor);
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key);
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out);
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor);
  Status destroy(Epoch epoch);

  // Does something with the TPM; once more over a new connection where the first one turns out
  // lost. Every step of ours can be made again.
  template <class F>
  auto on_tpm(F&& body) -> decltype(body()) {
    if (fork_generation_ != os::fork_generation())
      return Error(Errc::forked, "the TPM was opened by the parent process");
    if (link_ == nullptr) EFFACE_TRY(connect());
    auto first = body();
    if (!link_->lost()) return first;
    link_.reset();
    if (first) return first;
    EFFACE_TRY(connect());
    auto second = body();
    if (link_->lost()) link_.reset();
    return second;
  }

 private:
  struct Slot {
    bool defined = false;
    std::optional<TpmSlot> held;  // Nothing in an index that is torn, or was zeroed.
  };
  struct Held {
    TokenRecord record;
    std::array<Slot, slots> slot;

    Slot* find(Epoch epoch) noexcept {
      const auto found = std::ranges::find_if(
          slot, [&](const Slot& s) { return s.held && s.held->epoch == epoch; });
      return found == slot.end() ? nullptr : &*found;
    }
    std::size_t live() const noexcept {
      return static_cast<std::size_t>(
          std::ranges::count_if(slot, [](const Slot& s) { return s.held.has_value(); }));
    }
    Epoch highest() const noexcept {
      Epoch highest = record.highest_epoch;
      for (const Slot& s : slot)
        if (s.held) highest = std::max(highest, s.held->epoch);
      return highest;
    }
  };

  TpmLink::Index slot_index(std::size_t slot) const noexcept {
    return index_ + static_cast<std::uint32_t>(slot);
  }
  TpmLink::Index record_index() const noexcept { return slot_index(slots); }

  Status connect();
  Result<std::optional<TokenRecord>> read_record();
  Result<Slot> read_slot(std::size_t slot);
  Result<Held> look();
  Result<TpmSlot> key_of(Epoch epoch);
  Status put_record(Held& held, const Anchor& anchor, bool paced);
  Status make_key(Held& held, Epoch epoch);
  Status destroy_slot(Held& held, std::size_t slot);
  Status check_new(const Held& held, Epoch epoch) const;

  std::string tcti_;
  TpmLink::Index index_;
  crypto::SecretBuffer auth_;
  crypto::SecretBuffer owner_auth_;
  Pace pace_;
  std::unique_ptr<TpmLink> link_;
  StoreId id_{};
  Assurance assurance_;
  bool came_too_soon_ = false;  // The last step.
  std::uint64_t fork_generation_;
};

Status TpmRootKeyStore::Impl::connect() {
  EFFACE_ASSIGN(link_, TpmLink::open(tcti_, {auth_.bytes(), owner_auth_.bytes()}));
  assurance_ = link_->assurance();
  return {};
}

// Nothing where there is no index, or one that a crash left before it was written.
Result<std::optional<TokenRecord>> TpmRootKeyStore::Impl::read_record() {
  EFFACE_ASSIGN(const std::optional<TpmLink::Area> area, link_->look(record_index()));
  if (!area || !area->written) return std::optional<TokenRecord>();
  if (area->size_bytes != record_area_bytes)
    return Error(Errc::corruption, "the NV index is not one of ours");
  std::array<std::byte, record_area_bytes> bytes{};
  EFFACE_TRY(link_->read(record_index(), 0, bytes));
  std::optional<TokenRecord> newest;
  for (std::size_t copy = 0; copy < record_copies; ++copy) {
    const Bytes one =
        Bytes(bytes).subspan(copy * custody::token_record_bytes, custody::token_record_bytes);
    EFFACE_ASSIGN(std::optional<TokenRecord> record, custody::decode_token_record(one));
    if (record && (!newest || record->sequence > newest->sequence)) newest = record;
  }
  if (!newest) return Error(Errc::corruption, "the record in the TPM does not verify");
  return newest;
}

Result<TpmRootKeyStore::Impl::Slot> TpmRootKeyStore::Impl::read_slot(std::size_t slot) {
  EFFACE_ASSIGN(const std::optional<TpmLink::Area> area, link_->look(slot_index(slot)));
  Slot found;
  found.defined = area.has_value();
  if (!area || !area->written) return found;
  if (area->size_bytes != custody::tpm_slot_bytes)
    return Error(Errc::corruption, "the NV index is not one of ours");
  crypto::SecretBuffer bytes(custody::tpm_slot_bytes);
  EFFACE_TRY(link_->read(slot_index(slot), 0, bytes.bytes()));
  const custody::TpmSlotView view(bytes.data(), custody::tpm_slot_bytes);
  EFFACE_ASSIGN(found.held, custody::decode_tpm_slot(view, id_));
  return found;
}

Result<TpmRootKeyStore::Impl::Held> TpmRootKeyStore::Impl::look() {
  EFFACE_ASSIGN(const std::optional<TokenRecord> record, read_record());
  if (!record) return Error(Errc::root_key_missing, "the TPM has no store at this index");
  if (record->store_id != id_)
    return Error(Errc::root_key_mismatch, "the store in the TPM is another one by now");
  Held held;
  held.record = *record;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    EFFACE_ASSIGN(held.slot[slot], read_slot(slot));
  }
  if (held.live() == slots && held.slot[0].held->epoch == held.slot[1].held->epoch)
    return Error(Errc::corruption, "both slots of the TPM hold one epoch");
  return held;
}

Result<TpmSlot> TpmRootKeyStore::Impl::key_of(Epoch epoch) {
  for (std::size_t slot = 0; slot < slots; ++slot) {
    EFFACE_ASSIGN(Slot found, read_slot(slot));
    if (found.held && found.held->epoch == epoch) return std::move(*found.held);
  }
  return Error(Errc::root_key_missing, "the root key store does not hold this epoch");
}

// Over the older one of the two copies: a torn write leaves the other.
Status TpmRootKeyStore::Impl::put_record(Held& held, const Anchor& anchor, bool paced) {
  TokenRecord next = held.record;
  next.highest_epoch = held.highest();
  next.sequence = held.record.sequence + 1;
  if (paced) next.paced_until_s = pace_.after_one(held.record.paced_until_s);
  next.anchor = anchor;
  const custody::TokenRecordBytes bytes = encode(next);
  const std::size_t offset = next.sequence % record_copies * custody::token_record_bytes;
  EFFACE_TRY(link_->write(record_index(), offset, bytes));
  custody::TokenRecordBytes kept{};
  EFFACE_TRY(link_->read(record_index(), offset, kept));
  if (kept != bytes) return Error(Errc::io, "the TPM did not keep what it was given");
  held.record = next;
  return {};
}

Status TpmRootKeyStore::Impl::make_key(Held& held, Epoch epoch) {
  const auto free = std::ranges::find_if(held.slot, [](const Slot& s) { return !s.held; });
  EFFACE_CHECK(free != held.slot.end());
  const auto slot = static_cast<std::size_t>(free - held.slot.begin());
  if (free->defined) EFFACE_TRY(destroy_slot(held, slot));
  EFFACE_TRY(link_->define(slot_index(slot), custody::tpm_slot_bytes));
  crypto::SecretBuffer bytes(custody::tpm_slot_bytes);
  encode(TpmSlot{epoch, crypto::SecretKey::random()}, id_,
         custody::TpmSlotSpan(bytes.data(), custody::tpm_slot_bytes));
  EFFACE_TRY(link_->write(slot_index(slot), 0, bytes.bytes()));
  crypto::SecretBuffer kept(custody::tpm_slot_bytes);
  EFFACE_TRY(link_->read(slot_index(slot), 0, kept.bytes()));
  if (!crypto::equal(kept.bytes(), bytes.bytes()))
    return Error(Errc::io, "the TPM did not keep what it was given");
  return {};
}

Status TpmRootKeyStore::Impl::destroy_slot(Held& held, std::size_t slot) {
  constexpr std::array<std::byte, custody::tpm_slot_bytes> zeros{};
  EFFACE_TRY(link_->write(slot_index(slot), 0, zeros));
  EFFACE_TRY(link_->undefine(slot_index(slot)));
  held.slot[slot] = Slot();
  return {};
}

Status TpmRootKeyStore::Impl::check_new(const Held& held, Epoch epoch) const {
  if (epoch == 0) return Error(Errc::invalid_argument, "epochs begin at one");
  if (epoch <= held.highest())
    return Error(Errc::exists, "the root key store has seen this epoch, or a later one");
  return {};
}

Status TpmRootKeyStore::Impl::make() {
  for (std::size_t slot = 0; slot < slots; ++slot) {
    EFFACE_ASSIGN(const std::optional<TpmLink::Area> area, link_->look(slot_index(slot)));
    if (area) return Error(Errc::exists, "something is at an NV index of the store");
  }
  EFFACE_ASSIGN(const std::optional<TpmLink::Area> area, link_->look(record_index()));
  if (area && (area->written || area->size_bytes != record_area_bytes))
    return Error(Errc::exists, "something is at an NV index of the store");
  if (area) EFFACE_TRY(link_->undefine(record_index()));  // An earlier attempt was cut off.
  EFFACE_TRY(link_->define(record_index(), record_area_bytes));
  id_ = crypto::random_id();
  TokenRecord first;
  first.store_id = id_;
  std::array<std::byte, record_area_bytes> bytes{};
  std::ranges::copy(encode(first), bytes.begin());
  const Status written = link_->write(record_index(), 0, bytes);
  if (!written) static_cast<void>(link_->undefine(record_index()));
  return written;
}

// What a crash left of a key goes, before anything is asked.
Status TpmRootKeyStore::Impl::load() {
  EFFACE_ASSIGN(const std::optional<TokenRecord> record, read_record());
  if (!record) return Error(Errc::root_key_missing, "the TPM has no store at this index");
  id_ = record->store_id;
  EFFACE_ASSIGN(Held held, look());
  for (std::size_t slot = 0; slot < slots; ++slot)
    if (held.slot[slot].defined && !held.slot[slot].held) EFFACE_TRY(destroy_slot(held, slot));
  return {};
}

Result<std::vector<Epoch>> TpmRootKeyStore::Impl::list() {
  EFFACE_ASSIGN(const Held held, look());
  std::vector<Epoch> epochs;
  for (const Slot& slot : held.slot)
    if (slot.held) epochs.push_back(slot.held->epoch);
  std::ranges::sort(epochs);
  return epochs;
}

Result<Anchor> TpmRootKeyStore::Impl::anchor() {
  EFFACE_ASSIGN(const std::optional<TokenRecord> record, read_record());
  if (!record) return Error(Errc::root_key_missing, "the TPM has no store at this index");
  return record->anchor;
}

// The key's own number says that the epoch was seen, for as long as the key is there.
Status TpmRootKeyStore::Impl::create(Epoch epoch, const Anchor& anchor) {
  EFFACE_ASSIGN(Held held, look());
  EFFACE_TRY(check_new(held, epoch));
  if (held.live() == slots) return Error(Errc::exists, "the root key store holds two epochs");
  EFFACE_TRY(put_record(held, anchor, true));
  return make_key(held, epoch);
}

// The record goes first, so that the number of a destroyed key is never taken again.
Status TpmRootKeyStore::Impl::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  EFFACE_ASSIGN(Held held, look());
  EFFACE_TRY(check_new(held, created));
  Slot* const found = held.find(destroyed);
  if (found == nullptr) return create(created, anchor);  // As destroy: not held is no error.
  if (!pace_.allows(held.record.paced_until_s))
    return Error(Errc::rate_limited, "the NV memory of the TPM is spared: rotate later");
  EFFACE_TRY(put_record(held, anchor, true));
  EFFACE_TRY(destroy_slot(held, static_cast<std::size_t>(found - held.slot.data())));
  return make_key(held, created);
}

Status TpmRootKeyStore::Impl::destroy(Epoch epoch) {
  EFFACE_ASSIGN(Held held, look());
  Slot* const found = held.find(epoch);
  if (found == nullptr) return {};
  if (held.highest() > held.record.highest_epoch)
    EFFACE_TRY(put_record(held, held.record.anchor, false));
  return destroy_slot(held, static_cast<std::size_t>(found - held.slot.data()));
}

Result<std::vector<std::byte>> TpmRootKeyStore::Impl::wrap(Epoch epoch, Bytes context,
                                                           KeyView key) {
  EFFACE_ASSIGN(const TpmSlot slot, key_of(epoch));
  return crypto::wrap_root(slot.key.bytes(), {id_, epoch}, context, key);
}

Status TpmRootKeyStore::Impl::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  EFFACE_ASSIGN(const TpmSlot slot, key_of(epoch));
  return crypto::unwrap_root(slot.key.bytes(), {id_, epoch}, context, wrapped, out);
}

TpmRootKeyStore::TpmRootKeyStore(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TpmRootKeyStore::~TpmRootKeyStore() = default;

Result<std::unique_ptr<TpmRootKeyStore>> TpmRootKeyStore::create(
    const TpmRootKeyStoreOptions& options) {
  return crypto::guarded([&]() -> Result<std::unique_ptr<TpmRootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_TRY(check_options(options));
    auto impl = std::make_unique<Impl>(options);
    EFFACE_TRY(impl->on_tpm([&] { return impl->make(); }));
    return std::unique_ptr<TpmRootKeyStore>(new TpmRootKeyStore(std::move(impl)));
  });
}

Result<std::unique_ptr<TpmRootKeyStore>> TpmRootKeyStore::open(
    const TpmRootKeyStoreOptions& options) {
  return crypto::guarded([&]() -> Result<std::unique_ptr<TpmRootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_TRY(check_options(options));
    auto impl = std::make_unique<Impl>(options);
    EFFACE_TRY(impl->on_tpm([&] { return impl->load(); }));
    return std::unique_ptr<TpmRootKeyStore>(new TpmRootKeyStore(std::move(impl)));
  });
}

RootKeyStore::StoreId TpmRootKeyStore::id() const { return impl_->id(); }

Assurance TpmRootKeyStore::assurance() const { return impl_->assurance(); }

Result<std::vector<Epoch>> TpmRootKeyStore::list() {
  return crypto::guarded([&] { return impl_->on_tpm([&] { return impl_->list(); }); });
}

Result<Anchor> TpmRootKeyStore::anchor() {
  return crypto::guarded([&] { return impl_->on_tpm([&] { return impl_->anchor(); }); });
}

Status TpmRootKeyStore::create(Epoch epoch, const Anchor& anchor) {
  return crypto::guarded(
      [&] { return impl_->noted(impl_->on_tpm([&] { return impl_->create(epoch, anchor); })); });
}

Result<std::vector<std::byte>> TpmRootKeyStore::wrap(Epoch epoch, Bytes context, KeyView key) {
  return crypto::guarded(
      [&] { return impl_->on_tpm([&] { return impl_->wrap(epoch, context, key); }); });
}

Status TpmRootKeyStore::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  return crypto::guarded(
      [&] { return impl_->on_tpm([&] { return impl_->unwrap(epoch, context, wrapped, out); }); });
}

Status TpmRootKeyStore::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  return crypto::guarded([&] {
    return impl_->noted(impl_->on_tpm([&] { return impl_->rotate(destroyed, created, anchor); }));
  });
}

Status TpmRootKeyStore::destroy(Epoch epoch) {
  return crypto::guarded(
      [&] { return impl_->noted(impl_->on_tpm([&] { return impl_->destroy(epoch); })); });
}

Replicas TpmRootKeyStore::replicas() const { return {impl_->came_too_soon() ? 0u : 1u, 1}; }

Result<bool> TpmRootKeyStore::lies_within(const std::string&) const { return false; }

}  // namespace efface
