#include "efface/pkcs11_root_key_store.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/check.h"
#include "crypto/guarded.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "custody/pkcs11_session.h"
#include "custody/token_record.h"
#include "efface/limits.h"
#include "os/lock.h"

namespace efface {
namespace {

using custody::Objects;
using custody::Pkcs11Session;
using custody::Template;
using custody::TokenRecord;

constexpr CK_OBJECT_CLASS data_object = CKO_DATA;
constexpr CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
constexpr CK_ULONG aes = CKK_AES;
constexpr CK_ULONG aes_key_bytes = 32;
constexpr std::size_t epochs_max = 2;
constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t pin_bytes_max = 256;

constexpr std::byte wrap_version{2};
constexpr std::byte wrap_suite{2};  // AES-256-GCM
constexpr std::size_t iv_at = 2;
constexpr std::size_t iv_bytes = 12;
constexpr std::size_t sealed_at = iv_at + iv_bytes;
constexpr std::size_t wrapped_bytes = sealed_at + 32 + 16;
static_assert(wrapped_bytes <= RootKeyStore::wrapped_bytes_max);

using KeyId = std::array<std::byte, sizeof(RootKeyStore::StoreId) + sizeof(Epoch)>;

KeyId key_id(const RootKeyStore::StoreId& store, Epoch epoch) noexcept {
  KeyId id;
  std::ranges::copy(store, id.begin());
  store_be(std::span<std::byte, sizeof(Epoch)>(id.data() + store.size(), sizeof(Epoch)), epoch);
  return id;
}

std::string key_label(const RootKeyStore::StoreId& store) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string label = "efface root ";
  for (const std::byte b : store) {
    label.push_back(digits[std::to_integer<unsigned>(b >> 4)]);
    label.push_back(digits[std::to_integer<unsigned>(b & std::byte{15})]);
  }
  return label;
}

std::array<std::byte, 32> associated_data(const RootKeyStore::StoreId& store, Epoch epoch,
                                          Bytes context) noexcept {
  const std::array prefix{wrap_version, wrap_suite};
  std::array<std::byte, sizeof(Epoch)> number;
  store_le(number.data(), epoch);
  return crypto::hash256({as_bytes("efface.root.pkcs11"), prefix, store, number, context});
}

Status check_options(const Pkcs11RootKeyStoreOptions& options) {
  if (options.name.empty() || options.name.size() > name_bytes_max)
    return Error(Errc::invalid_argument, "the store's name is empty or too long");
  if (options.pin.size() > pin_bytes_max) return Error(Errc::too_large, "the PIN is too long");
  return {};
}

}  // namespace

class [[gnu::visibility("hidden")]] Pkcs11RootKeyStore::Impl {
 public:
  explicit Impl(const Pkcs11RootKeyStoreOptions& options)
      : module_(options.module),
        token_{options.token_label, options.token_serial},
        name_(options.name),
        pin_(options.pin.size()),
        fork_generation_(os::fork_generation()) {
    std::ranges::copy(options.pin, pin_.data());
  }

  Status make();
  Status load();

  const StoreId& id() const noexcept { return id_; }
  Assurance assurance() const noexcept { return assurance_; }

  Result<std::vector<Epoch>> list();
  Result<Anchor> anchor();
  Status create(Epoch epoch, const Anchor& anchor);
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key);
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out);
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor);
  Status destroy(Epoch epoch);

  // Does something on the token; once more in a new session where the first one turns out lost.
  // Every step of ours can be made again.
  template <class F>
  auto on_token(F&& body) -> decltype(body()) {
    if (fork_generation_ != os::fork_generation())
      return Error(Errc::forked, "the token was opened by the parent process");
    if (session_ == nullptr) EFFACE_TRY(connect());
    auto first = body();
    if (first || !session_->lost()) return first;
    session_.reset();
    EFFACE_TRY(connect());
    return body();
  }

 private:
  // What the token holds of this store.
  struct Held {
    TokenRecord record;
    Objects records;  // The newest and what a crash has left of older ones.
    std::map<Epoch, Objects> keys;

    Epoch highest() const noexcept {
      return keys.empty() ? record.highest_epoch
                          : std::max(record.highest_epoch, keys.rbegin()->first);
    }
  };

  Status connect();
  Template record_template() const;
  Result<std::optional<Held>> look_for_record();
  Result<Held> look();
  Result<Objects> keys_of(Epoch epoch);
  Status put_record(const Held& held, const Anchor& anchor);
  Status make_key(Epoch epoch);
  Status check_stays_inside(CK_OBJECT_HANDLE key);
  Status destroy_keys(Epoch epoch, const Objects& keys);
  Status check_new(const Held& held, Epoch epoch) const;

  std::filesystem::path module_;
  custody::TokenName token_;
  std::string name_;
  crypto::SecretBuffer pin_;
  bool pin_refused_ = false;
  std::unique_ptr<Pkcs11Session> session_;
  StoreId id_{};
  Assurance assurance_;
  std::uint64_t fork_generation_;
};

Status Pkcs11RootKeyStore::Impl::connect() {
  if (pin_refused_) return Error(Errc::passphrase_wrong, "the token has refused the PIN before");
  auto opened = Pkcs11Session::open(module_, token_, pin_.bytes());
  if (!opened) {
    if (opened.error().code() == Errc::passphrase_wrong) {
      pin_refused_ = true;
      pin_ = crypto::SecretBuffer();
    }
    return opened.error();
  }
  session_ = *std::move(opened);
  assurance_ = session_->assurance();
  return {};
}

Template Pkcs11RootKeyStore::Impl::record_template() const {
  Template wanted;
  wanted.add_class(data_object)
      .add(CKA_TOKEN, true)
      .add(CKA_PRIVATE, true)
      .add(CKA_APPLICATION, as_bytes("efface"))
      .add(CKA_LABEL, as_bytes(name_));
  return wanted;
}

Result<std::optional<Pkcs11RootKeyStore::Impl::Held>> Pkcs11RootKeyStore::Impl::look_for_record() {
  Held held;
  EFFACE_ASSIGN(held.records, session_->find(record_template()));
  if (held.records.empty()) return std::optional<Held>();
  bool found = false;
  for (const CK_OBJECT_HANDLE object : held.records) {
    EFFACE_ASSIGN(const std::vector<std::byte> value, session_->read(object, CKA_VALUE));
    EFFACE_ASSIGN(const std::optional<TokenRecord> record, custody::decode_token_record(value));
    if (!record || (found && record->sequence <= held.record.sequence)) continue;
    found = true;
    held.record = *record;
  }
  if (!found) return Error(Errc::corruption, "the token's record of a store does not verify");
  return std::optional(std::move(held));
}

Result<Pkcs11RootKeyStore::Impl::Held> Pkcs11RootKeyStore::Impl::look() {
  EFFACE_ASSIGN(std::optional<Held> found, look_for_record());
  if (!found) return Error(Errc::root_key_missing, "the token has no store of this name");
  if (found->record.store_id != id_)
    return Error(Errc::root_key_mismatch, "the token's store is another one by now");
  const std::string label = key_label(id_);
  Template wanted;
  wanted.add_class(secret_key).add(CKA_TOKEN, true).add(CKA_LABEL, as_bytes(label));
  EFFACE_ASSIGN(const Objects keys, session_->find(std::move(wanted)));
  for (const CK_OBJECT_HANDLE key : keys) {
    EFFACE_ASSIGN(const std::vector<std::byte> id, session_->read(key, CKA_ID));
    if (id.size() != sizeof(KeyId) || !std::equal(id_.begin(), id_.end(), id.begin()))
      return Error(Errc::corruption, "a key of the token has a number that is not ours");
    const Epoch epoch = load_be<Epoch>(Bytes(id).subspan<sizeof(StoreId), sizeof(Epoch)>());
    found->keys[epoch].push_back(key);
  }
  return std::move(*found);
}

Result<Objects> Pkcs11RootKeyStore::Impl::keys_of(Epoch epoch) {
  const KeyId id = key_id(id_, epoch);
  Template wanted;
  wanted.add_class(secret_key).add(CKA_TOKEN, true).add(CKA_ID, id);
  return session_->find(std::move(wanted));
}

// The new one first: a crash leaves two, of which the newer one counts.
Status Pkcs11RootKeyStore::Impl::put_record(const Held& held, const Anchor& anchor) {
  TokenRecord next = held.record;
  next.store_id = id_;
  next.highest_epoch = held.highest();
  next.sequence = held.record.sequence + 1;
  next.anchor = anchor;
  const custody::TokenRecordBytes value = encode(next);
  Template object = record_template();
  object.add(CKA_MODIFIABLE, false).add(CKA_VALUE, value);
  EFFACE_ASSIGN(const CK_OBJECT_HANDLE made, session_->create(std::move(object)));
  EFFACE_ASSIGN(const std::vector<std::byte> kept, session_->read(made, CKA_VALUE));
  if (!std::ranges::equal(kept, value))
    return Error(Errc::io, "the token did not keep what it was given");
  for (const CK_OBJECT_HANDLE older : held.records) EFFACE_TRY(session_->destroy(older));
  return {};
}

Status Pkcs11RootKeyStore::Impl::make_key(Epoch epoch) {
  const KeyId id = key_id(id_, epoch);
  const std::string label = key_label(id_);
  const auto wanted = [&](bool all) {
    Template key;
    key.add_class(secret_key)
        .add_number(CKA_KEY_TYPE, aes)
        .add_number(CKA_VALUE_LEN, aes_key_bytes)
        .add(CKA_TOKEN, true)
        .add(CKA_PRIVATE, true)
        .add(CKA_SENSITIVE, true)
        .add(CKA_EXTRACTABLE, false)
        .add(CKA_ENCRYPT, true)
        .add(CKA_DECRYPT, true)
        .add(CKA_LABEL, as_bytes(label))
        .add(CKA_ID, id);
    if (all) key.add(CKA_MODIFIABLE, false).add(CKA_COPYABLE, false);
    return key;
  };
  Result<CK_OBJECT_HANDLE> made = session_->generate_key(wanted(true));
  if (!made && made.error().code() == Errc::unsupported)  // Older than CKA_COPYABLE.
    made = session_->generate_key(wanted(false));
  if (!made) return made.error();
  const Status inside = check_stays_inside(*made);
  if (!inside) static_cast<void>(session_->destroy(*made));
  return inside;
}

Status Pkcs11RootKeyStore::Impl::check_stays_inside(CK_OBJECT_HANDLE key) {
  for (const auto& [type, wanted] :
       {std::pair{CKA_SENSITIVE, CK_TRUE}, std::pair{CKA_EXTRACTABLE, CK_FALSE}}) {
    EFFACE_ASSIGN(const std::vector<std::byte> value, session_->read(key, type));
    if (value.size() != sizeof(CK_BBOOL) || (value[0] != std::byte{0}) != (wanted != CK_FALSE))
      return Error(Errc::unsupported, "the token makes keys that can be taken out of it");
  }
  if (!session_->refuses_to_show(key, CKA_VALUE))
    return Error(Errc::unsupported, "the token shows the value of a sensitive key");
  return {};
}

// Destroyed, and then looked for in a new session, which remembers nothing: by its number, and by
// the handle that it had.
Status Pkcs11RootKeyStore::Impl::destroy_keys(Epoch epoch, const Objects& keys) {
  for (const CK_OBJECT_HANDLE key : keys) EFFACE_TRY(session_->destroy(key));
  EFFACE_TRY(session_->renew());
  EFFACE_ASSIGN(const Objects left, keys_of(epoch));
  bool there = !left.empty();
  const KeyId id = key_id(id_, epoch);
  for (const CK_OBJECT_HANDLE key : keys) {
    if (session_->refuses_to_show(key, CKA_ID)) continue;
    // The handle may be another object's by now.
    const auto found = session_->read(key, CKA_ID);
    there = there || !found || std::ranges::equal(*found, id);
  }
  if (there) return Error(Errc::io, "the token still holds a key that it destroyed");
  return {};
}

Status Pkcs11RootKeyStore::Impl::check_new(const Held& held, Epoch epoch) const {
  if (epoch == 0) return Error(Errc::invalid_argument, "epochs begin at one");
  if (epoch <= held.highest())
    return Error(Errc::exists, "the root key store has seen this epoch, or a later one");
  return {};
}

Status Pkcs11RootKeyStore::Impl::make() {
  return on_token([&]() -> Status {
    EFFACE_ASSIGN(const std::optional<Held> found, look_for_record());
    if (found) return Error(Errc::exists, "the token has a store of this name");
    id_ = crypto::random_id();
    return put_record(Held(), Anchor());
  });
}

Status Pkcs11RootKeyStore::Impl::load() {
  return on_token([&]() -> Status {
    EFFACE_ASSIGN(const std::optional<Held> found, look_for_record());
    if (!found) return Error(Errc::root_key_missing, "the token has no store of this name");
    id_ = found->record.store_id;
    return {};
  });
}

Result<std::vector<Epoch>> Pkcs11RootKeyStore::Impl::list() {
  EFFACE_ASSIGN(const Held held, look());
  std::vector<Epoch> epochs;
  for (const auto& [epoch, keys] : held.keys) epochs.push_back(epoch);
  return epochs;
}

Result<Anchor> Pkcs11RootKeyStore::Impl::anchor() {
  EFFACE_ASSIGN(const Held held, look());
  return held.record.anchor;
}

// The key's own number says that the epoch was seen, for as long as the key is there.
Status Pkcs11RootKeyStore::Impl::create(Epoch epoch, const Anchor& anchor) {
  EFFACE_ASSIGN(const Held held, look());
  EFFACE_TRY(check_new(held, epoch));
  if (held.keys.size() >= epochs_max)
    return Error(Errc::exists, "the root key store holds two epochs");
  EFFACE_TRY(put_record(held, anchor));
  return make_key(epoch);
}

// The record goes first, so that the number of a destroyed key is never taken again.
Status Pkcs11RootKeyStore::Impl::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  EFFACE_ASSIGN(const Held held, look());
  EFFACE_TRY(check_new(held, created));
  const auto found = held.keys.find(destroyed);
  if (held.keys.size() - (found == held.keys.end() ? 0 : 1) >= epochs_max)
    return Error(Errc::exists, "the root key store holds two epochs");
  EFFACE_TRY(put_record(held, anchor));
  if (found != held.keys.end()) EFFACE_TRY(destroy_keys(destroyed, found->second));
  return make_key(created);
}

Status Pkcs11RootKeyStore::Impl::destroy(Epoch epoch) {
  EFFACE_ASSIGN(const Held held, look());
  const auto found = held.keys.find(epoch);
  if (found == held.keys.end()) return {};
  if (held.highest() > held.record.highest_epoch) EFFACE_TRY(put_record(held, held.record.anchor));
  return destroy_keys(epoch, found->second);
}

Result<std::vector<std::byte>> Pkcs11RootKeyStore::Impl::wrap(Epoch epoch, Bytes context,
                                                              KeyView key) {
  EFFACE_ASSIGN(const Objects keys, keys_of(epoch));
  if (keys.empty())
    return Error(Errc::root_key_missing, "the root key store does not hold this epoch");
  std::vector<std::byte> out(wrapped_bytes);
  out[0] = wrap_version;
  out[1] = wrap_suite;
  const MutableBytes iv = MutableBytes(out).subspan(iv_at, iv_bytes);
  crypto::fill_random(iv);
  EFFACE_TRY(session_->encrypt(keys.front(), iv, associated_data(id_, epoch, context), key,
                               MutableBytes(out).subspan(sealed_at)));
  // What could not be unwrapped would be lost.
  auto back = crypto::SecretKey::zeroed();
  EFFACE_TRY(unwrap(epoch, context, out, back.bytes()));
  if (!crypto::equal(std::as_const(back).bytes(), key))
    return Error(Errc::io, "the token unwraps something else than it wrapped");
  return out;
}

Status Pkcs11RootKeyStore::Impl::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  EFFACE_ASSIGN(const Objects keys, keys_of(epoch));
  if (keys.empty())
    return Error(Errc::root_key_missing, "the root key store does not hold this epoch");
  if (wrapped.size() != wrapped_bytes || wrapped[0] != wrap_version || wrapped[1] != wrap_suite)
    return Error(Errc::corruption, "not a wrapped root key");
  Status opened;
  for (const CK_OBJECT_HANDLE key : keys) {  // Several, if two processes made it at once.
    opened =
        session_->decrypt(key, wrapped.subspan(iv_at, iv_bytes),
                          associated_data(id_, epoch, context), wrapped.subspan(sealed_at), out);
    if (opened || opened.error().code() != Errc::corruption) break;
  }
  return opened;
}

Pkcs11RootKeyStore::Pkcs11RootKeyStore(std::unique_ptr<Impl> impl) noexcept
    : impl_(std::move(impl)) {}
Pkcs11RootKeyStore::~Pkcs11RootKeyStore() = default;

Result<std::unique_ptr<Pkcs11RootKeyStore>> Pkcs11RootKeyStore::create(
    const Pkcs11RootKeyStoreOptions& options) {
  return crypto::guarded([&]() -> Result<std::unique_ptr<Pkcs11RootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_TRY(check_options(options));
    auto impl = std::make_unique<Impl>(options);
    EFFACE_TRY(impl->make());
    return std::unique_ptr<Pkcs11RootKeyStore>(new Pkcs11RootKeyStore(std::move(impl)));
  });
}

Result<std::unique_ptr<Pkcs11RootKeyStore>> Pkcs11RootKeyStore::open(
    const Pkcs11RootKeyStoreOptions& options) {
  return crypto::guarded([&]() -> Result<std::unique_ptr<Pkcs11RootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_TRY(check_options(options));
    auto impl = std::make_unique<Impl>(options);
    EFFACE_TRY(impl->load());
    return std::unique_ptr<Pkcs11RootKeyStore>(new Pkcs11RootKeyStore(std::move(impl)));
  });
}

RootKeyStore::StoreId Pkcs11RootKeyStore::id() const { return impl_->id(); }

Assurance Pkcs11RootKeyStore::assurance() const { return impl_->assurance(); }

Result<std::vector<Epoch>> Pkcs11RootKeyStore::list() {
  return crypto::guarded([&] { return impl_->on_token([&] { return impl_->list(); }); });
}

Result<Anchor> Pkcs11RootKeyStore::anchor() {
  return crypto::guarded([&] { return impl_->on_token([&] { return impl_->anchor(); }); });
}

Status Pkcs11RootKeyStore::create(Epoch epoch, const Anchor& anchor) {
  return crypto::guarded(
      [&] { return impl_->on_token([&] { return impl_->create(epoch, anchor); }); });
}

Result<std::vector<std::byte>> Pkcs11RootKeyStore::wrap(Epoch epoch, Bytes context, KeyView key) {
  return crypto::guarded(
      [&] { return impl_->on_token([&] { return impl_->wrap(epoch, context, key); }); });
}

Status Pkcs11RootKeyStore::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  return crypto::guarded(
      [&] { return impl_->on_token([&] { return impl_->unwrap(epoch, context, wrapped, out); }); });
}

Status Pkcs11RootKeyStore::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  return crypto::guarded(
      [&] { return impl_->on_token([&] { return impl_->rotate(destroyed, created, anchor); }); });
}

Status Pkcs11RootKeyStore::destroy(Epoch epoch) {
  return crypto::guarded([&] { return impl_->on_token([&] { return impl_->destroy(epoch); }); });
}

Result<bool> Pkcs11RootKeyStore::lies_within(const std::string&) const { return false; }

}  // namespace efface
