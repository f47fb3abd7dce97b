#include "rights/notice.h"

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/prf.h"
#include "efface/limits.h"

namespace efface::rights {
namespace {

using access::TenantRegion;

Result<crypto::SecretKey> notice_key(const TenantRegion& home) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys, home.region->keyring->tenant_keys(home.ref));
  const keyring::Row* row = keys->find(keyring::tenant_terms);
  if (row == nullptr) return Error(Errc::tenant_unknown, "the region has no such tenant");
  auto key = crypto::SecretKey::zeroed();
  crypto::prf256(row->key.bytes(), {as_bytes("efface.notice"), Bytes(home.region->id)},
                 key.bytes());
  return key;
}

// Answers whether it was taken.
Result<bool> tell_one(const access::TenantState& tenant, const TenantRegion& home, Bytes sealed) {
  EFFACE_ASSIGN(const crypto::SecretKey key, notice_key(home));
  if (sealed.size() < crypto::seal_overhead_bytes)
    return Error(Errc::corruption, "a notice is shorter than any");
  codec::Plaintext token(sealed.size() - crypto::seal_overhead_bytes);
  EFFACE_TRY(crypto::open(key.bytes(), {}, sealed, token.bytes()));
  return tenant.on_erased()(tenant.name(), std::as_const(token).bytes());
}

}  // namespace

Result<std::vector<std::byte>> seal_notice(const TenantRegion& home, Bytes token) {
  if (token.size() > limits::token_bytes_max)
    return Error(Errc::too_large, "a token is longer than 64 bytes");
  std::vector<std::byte> sealed;
  if (token.empty()) return sealed;
  EFFACE_ASSIGN(const crypto::SecretKey key, notice_key(home));
  sealed.resize(token.size() + crypto::seal_overhead_bytes);
  crypto::seal(key.bytes(), {}, token, sealed);
  return sealed;
}

Result<std::size_t> tell(const access::TenantState& tenant) {
  std::size_t waiting = 0;
  for (const TenantRegion& home : tenant.regions()) {
    if (!home.region->open || home.ref.number == 0) continue;
    keyring::Keyring& keyring = *home.region->keyring;
    EFFACE_ASSIGN(const auto notices, keyring.notices(home.ref));
    for (const keyring::Keyring::Notice& notice : notices) {
      bool taken = false;
      if (tenant.on_erased() && !keyring.pending()) {
        EFFACE_ASSIGN(taken, tell_one(tenant, home, notice.bytes));
      }
      if (taken)
        EFFACE_TRY(keyring.finish_notice(home.ref, notice.sequence));
      else
        ++waiting;
    }
  }
  return waiting;
}

}  // namespace efface::rights
