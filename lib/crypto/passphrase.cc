#include "crypto/passphrase.h"

#include <sodium.h>

#include "efface/limits.h"

namespace efface::crypto {

static_assert(sizeof(Id16) == crypto_pwhash_argon2id_SALTBYTES);
static_assert(argon2id_minimum.passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN);
static_assert(argon2id_minimum.memory_kib * 1024 >= crypto_pwhash_argon2id_MEMLIMIT_MIN);

Result<SecretKey> key_from_passphrase(Bytes passphrase, const Id16& salt, Argon2idCost cost) {
  if (passphrase.empty()) return Error(Errc::invalid_argument, "the passphrase is empty");
  if (passphrase.size() > limits::passphrase_bytes_max)
    return Error(Errc::too_large, "the passphrase is too long");
  if (cost.passes < argon2id_minimum.passes || cost.passes > argon2id_maximum.passes ||
      cost.memory_kib < argon2id_minimum.memory_kib ||
      cost.memory_kib > argon2id_maximum.memory_kib)
    return Error(Errc::invalid_argument, "the Argon2id cost is out of range");
  SecretKey key = SecretKey::zeroed();
  if (crypto_pwhash_argon2id(reinterpret_cast<unsigned char*>(key.bytes().data()), key_bytes,
                             reinterpret_cast<const char*>(passphrase.data()), passphrase.size(),
                             reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                             std::size_t{cost.memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
    return Error(Errc::out_of_memory, "no memory for Argon2id");
  return key;
}

}  // namespace efface::crypto
