#include "efface/portability.h"

#include <algorithm>

#include "api/handles.h"
#include "base/check.h"
#include "codec/export_codec.h"
#include "crypto/sealed_stream.h"

namespace efface {

namespace {

bool is_zero(crypto::KeyView key) noexcept {
  constexpr std::array<std::byte, crypto::key_bytes> zero{};
  return crypto::equal(key, zero);
}

}  // namespace

RecipientKeyPair::RecipientKeyPair(std::unique_ptr<const State> state) noexcept
    : state_(std::move(state)) {}
RecipientKeyPair::RecipientKeyPair(RecipientKeyPair&&) noexcept = default;
RecipientKeyPair& RecipientKeyPair::operator=(RecipientKeyPair&&) noexcept = default;
RecipientKeyPair::~RecipientKeyPair() = default;

Result<RecipientKeyPair> RecipientKeyPair::generate() {
  return api::guarded([]() -> Result<RecipientKeyPair> {
    EFFACE_TRY(crypto::initialise());
    return RecipientKeyPair(
        std::make_unique<const State>(State{crypto::RecipientKeys::generate()}));
  });
}

Result<RecipientKeyPair> RecipientKeyPair::from_secret(std::span<const std::byte, 32> secret) {
  return api::guarded([&]() -> Result<RecipientKeyPair> {
    EFFACE_TRY(crypto::initialise());
    if (is_zero(secret)) return Error(Errc::invalid_argument, "a secret key of zeros");
    return RecipientKeyPair(std::make_unique<const State>(
        State{crypto::RecipientKeys::of(crypto::SecretKey::copy_of(secret))}));
  });
}

RecipientPublicKey RecipientKeyPair::public_key() const noexcept {
  return {state_->keys.public_key};
}

Status RecipientKeyPair::with_secret(FunctionRef<void(std::span<const std::byte, 32>)> look) const {
  const crypto::KeyView secret = state_->keys.secret.bytes();
  if (is_zero(secret)) return Error(Errc::forked, "the key pair is the parent process's");
  look(secret);
  return {};
}

Status open_export(ExportSource source, const RecipientKeyPair& keys, ExportSink sink) {
  return api::guarded([&]() -> Status {
    EFFACE_ASSIGN(const crypto::RecipientKeys* recipient, api::recipient_keys(keys));
    return crypto::open_stream(*recipient, source, sink);
  });
}

Result<std::uint64_t> export_to_json(ExportSource source, ExportSink sink) {
  return api::guarded([&]() -> Result<std::uint64_t> {
    EFFACE_TRY(crypto::initialise());
    const auto writer = codec::json_export_writer(sink);
    return codec::read_flat_export(source, *writer);
  });
}

}  // namespace efface
