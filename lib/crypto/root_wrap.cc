#include "crypto/root_wrap.h"

#include "crypto/aead.h"
#include "crypto/prf.h"

namespace efface::crypto {
namespace {

constexpr std::byte wrap_version{1};
constexpr std::byte wrap_suite{suite_xchacha20_poly1305};
constexpr std::size_t wrap_prefix_bytes = 2;
constexpr std::size_t wrapped_bytes = wrap_prefix_bytes + key_bytes + seal_overhead_bytes;
static_assert(wrapped_bytes <= RootKeyStore::wrapped_bytes_max);

std::array<std::byte, 32> associated_data(const WrapPlace& place, Bytes context) noexcept {
  const std::array prefix{wrap_version, wrap_suite};
  std::array<std::byte, sizeof(Epoch)> epoch;
  store_le(epoch.data(), place.epoch);
  return hash256({as_bytes("efface.root"), prefix, place.store_id, epoch, context});
}

}  // namespace

std::vector<std::byte> wrap_root(RootKeyStore::KeyView epoch_key, const WrapPlace& place,
                                 Bytes context, RootKeyStore::KeyView root) {
  std::vector<std::byte> out(wrapped_bytes);
  out[0] = wrap_version;
  out[1] = wrap_suite;
  seal(epoch_key, associated_data(place, context), root,
       MutableBytes(out).subspan(wrap_prefix_bytes));
  return out;
}

Status unwrap_root(RootKeyStore::KeyView epoch_key, const WrapPlace& place, Bytes context,
                   Bytes wrapped, RootKeyStore::Key out) {
  if (wrapped.size() != wrapped_bytes || wrapped[0] != wrap_version || wrapped[1] != wrap_suite)
    return Error(Errc::corruption, "not a wrapped root key");
  return open(epoch_key, associated_data(place, context), wrapped.subspan(wrap_prefix_bytes), out);
}

}  // namespace efface::crypto
