// LMDB's, libsodium's and libzstd's functions that can fail, defined by the executable: they are
// counted, and one answers what the Fault says. See injector.h.
#define ZSTD_STATIC_LINKING_ONLY
#include <lmdb.h>
#include <sodium.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "faults/library_step.h"

using efface::test::Call;
using efface::test::library_step;
using efface::test::real;

namespace {

// LMDB's functions call one another, also by the names that we define.
constinit thread_local bool within_library = false;
class Within {
 public:
  Within() noexcept : outer_(std::exchange(within_library, true)) {}
  ~Within() { within_library = outer_; }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  bool outer_;
};
int step(Call kind) { return within_library ? 0 : library_step(kind); }

bool is_change(int mishap) {
  return mishap <= efface::test::changed_at(0) &&
         mishap >= efface::test::changed_at(efface::test::last_place);
}
bool is_damage(int mishap) {
  return is_change(mishap) || mishap == efface::test::zeroed || mishap == efface::test::cut;
}

// Bytes that were opened or found are changed as the mishap says.
void damage(int mishap, unsigned char* bytes, std::size_t size) {
  if (size == 0) return;
  if (mishap == efface::test::zeroed) std::fill_n(bytes, size, static_cast<unsigned char>(0));
  if (is_change(mishap))
    bytes[std::min(static_cast<std::size_t>(efface::test::changed_at(0) - mishap), size - 1)] ^=
        0x5a;
}

// What LMDB found is in its map, which is not ours to change.
void damage_found(int mishap, MDB_val* value) {
  static unsigned char copy[1 << 16];
  if (value->mv_size > sizeof copy) return;
  std::memcpy(copy, value->mv_data, value->mv_size);
  damage(mishap, copy, value->mv_size);
  if (mishap == efface::test::cut) value->mv_size /= 2;
  value->mv_data = copy;
}

// The call, or the mishap's error. What is damaged is there before.
template <class F>
int answered(Call kind, F&& call) {
  const int mishap = step(kind);
  const Within now;
  return mishap == 0 || is_damage(mishap) ? call() : mishap;
}
template <class F>
int found(MDB_val* value, F&& call) {
  const int mishap = step(Call::find);
  if (mishap != 0 && !is_damage(mishap)) return mishap;
  const Within now;
  const int rc = call();
  if (mishap != 0 && rc == MDB_SUCCESS && value != nullptr) damage_found(mishap, value);
  return rc;
}

// 0, or -1: it does not verify.
template <class F>
int opened(unsigned char* out, std::size_t size, F&& call) {
  const int mishap = step(Call::unseal);
  if (mishap == efface::test::refused) return -1;
  const int rc = call();
  if (mishap != 0 && rc == 0 && out != nullptr) damage(mishap, out, size);
  return rc;
}

}  // namespace

extern "C" {

int mdb_env_create(MDB_env** env) {
  static auto* const lmdb = real<decltype(mdb_env_create)>(__func__);
  return answered(Call::environment, [&] { return lmdb(env); });
}
int mdb_env_set_assert(MDB_env* env, MDB_assert_func* func) {
  static auto* const lmdb = real<decltype(mdb_env_set_assert)>(__func__);
  return answered(Call::environment, [&] { return lmdb(env, func); });
}
int mdb_env_set_mapsize(MDB_env* env, size_t size) {
  static auto* const lmdb = real<decltype(mdb_env_set_mapsize)>(__func__);
  return answered(Call::environment, [&] { return lmdb(env, size); });
}
int mdb_env_set_maxreaders(MDB_env* env, unsigned readers) {
  static auto* const lmdb = real<decltype(mdb_env_set_maxreaders)>(__func__);
  return answered(Call::environment, [&] { return lmdb(env, readers); });
}
int mdb_env_open(MDB_env* env, const char* path, unsigned flags, mdb_mode_t mode) {
  static auto* const lmdb = real<decltype(mdb_env_open)>(__func__);
  return answered(Call::environment, [&] { return lmdb(env, path, flags, mode); });
}
int mdb_dbi_open(MDB_txn* txn, const char* name, unsigned flags, MDB_dbi* dbi) {
  static auto* const lmdb = real<decltype(mdb_dbi_open)>(__func__);
  return answered(Call::environment, [&] { return lmdb(txn, name, flags, dbi); });
}
int mdb_reader_check(MDB_env* env, int* dead) {
  static auto* const lmdb = real<decltype(mdb_reader_check)>(__func__);
  return answered(Call::environment, [&] { return lmdb(env, dead); });
}

int mdb_txn_begin(MDB_env* env, MDB_txn* parent, unsigned flags, MDB_txn** txn) {
  static auto* const lmdb = real<decltype(mdb_txn_begin)>(__func__);
  return answered(Call::begin, [&] { return lmdb(env, parent, flags, txn); });
}
int mdb_txn_renew(MDB_txn* txn) {
  static auto* const lmdb = real<decltype(mdb_txn_renew)>(__func__);
  return answered(Call::begin, [&] { return lmdb(txn); });
}
// Whatever it answers, the transaction has ended.
int mdb_txn_commit(MDB_txn* txn) {
  static auto* const lmdb = real<decltype(mdb_txn_commit)>(__func__);
  const int mishap = step(Call::commit);
  const Within now;
  if (mishap == 0) return lmdb(txn);
  if (mishap == efface::test::done_unsaid) {
    const int rc = lmdb(txn);
    return rc == MDB_SUCCESS ? EIO : rc;
  }
  mdb_txn_abort(txn);
  return mishap;
}

int mdb_get(MDB_txn* txn, MDB_dbi dbi, MDB_val* key, MDB_val* value) {
  static auto* const lmdb = real<decltype(mdb_get)>(__func__);
  return found(value, [&] { return lmdb(txn, dbi, key, value); });
}
int mdb_cursor_open(MDB_txn* txn, MDB_dbi dbi, MDB_cursor** cursor) {
  static auto* const lmdb = real<decltype(mdb_cursor_open)>(__func__);
  return answered(Call::find, [&] { return lmdb(txn, dbi, cursor); });
}
int mdb_cursor_get(MDB_cursor* cursor, MDB_val* key, MDB_val* value, MDB_cursor_op what) {
  static auto* const lmdb = real<decltype(mdb_cursor_get)>(__func__);
  return found(value, [&] { return lmdb(cursor, key, value, what); });
}

int mdb_put(MDB_txn* txn, MDB_dbi dbi, MDB_val* key, MDB_val* value, unsigned flags) {
  static auto* const lmdb = real<decltype(mdb_put)>(__func__);
  return answered(Call::change, [&] { return lmdb(txn, dbi, key, value, flags); });
}
int mdb_del(MDB_txn* txn, MDB_dbi dbi, MDB_val* key, MDB_val* value) {
  static auto* const lmdb = real<decltype(mdb_del)>(__func__);
  return answered(Call::change, [&] { return lmdb(txn, dbi, key, value); });
}

int crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char* out, unsigned long long* out_bytes, unsigned char* secret_nonce,
    const unsigned char* sealed, unsigned long long sealed_bytes, const unsigned char* associated,
    unsigned long long associated_bytes, const unsigned char* nonce, const unsigned char* key) {
  static auto* const sodium = real<decltype(crypto_aead_xchacha20poly1305_ietf_decrypt)>(__func__);
  const std::size_t size =
      sealed_bytes - std::min<std::size_t>(sealed_bytes, crypto_aead_xchacha20poly1305_ietf_ABYTES);
  return opened(out, size, [&] {
    return sodium(out, out_bytes, secret_nonce, sealed, sealed_bytes, associated, associated_bytes,
                  nonce, key);
  });
}
int crypto_box_seal_open(unsigned char* out, const unsigned char* sealed,
                         unsigned long long sealed_bytes, const unsigned char* public_key,
                         const unsigned char* secret_key) {
  static auto* const sodium = real<decltype(crypto_box_seal_open)>(__func__);
  return opened(out, sealed_bytes - crypto_box_SEALBYTES,
                [&] { return sodium(out, sealed, sealed_bytes, public_key, secret_key); });
}
int crypto_secretstream_xchacha20poly1305_init_pull(
    crypto_secretstream_xchacha20poly1305_state* state, const unsigned char* header,
    const unsigned char* key) {
  static auto* const sodium =
      real<decltype(crypto_secretstream_xchacha20poly1305_init_pull)>(__func__);
  return opened(nullptr, 0, [&] { return sodium(state, header, key); });
}
int crypto_secretstream_xchacha20poly1305_pull(crypto_secretstream_xchacha20poly1305_state* state,
                                               unsigned char* out, unsigned long long* out_bytes,
                                               unsigned char* tag, const unsigned char* sealed,
                                               unsigned long long sealed_bytes,
                                               const unsigned char* associated,
                                               unsigned long long associated_bytes) {
  static auto* const sodium = real<decltype(crypto_secretstream_xchacha20poly1305_pull)>(__func__);
  return opened(out, sealed_bytes - crypto_secretstream_xchacha20poly1305_ABYTES, [&] {
    return sodium(state, out, out_bytes, tag, sealed, sealed_bytes, associated, associated_bytes);
  });
}
int crypto_sign_verify_detached(const unsigned char* signature, const unsigned char* message,
                                unsigned long long message_bytes, const unsigned char* public_key) {
  static auto* const sodium = real<decltype(crypto_sign_verify_detached)>(__func__);
  return opened(nullptr, 0, [&] { return sodium(signature, message, message_bytes, public_key); });
}

int crypto_pwhash_argon2id(unsigned char* out, unsigned long long out_bytes, const char* phrase,
                           unsigned long long phrase_bytes, const unsigned char* salt,
                           unsigned long long passes, size_t memory_bytes, int algorithm) {
  static auto* const sodium = real<decltype(crypto_pwhash_argon2id)>(__func__);
  if (step(Call::derive) != 0) return -1;
  return sodium(out, out_bytes, phrase, phrase_bytes, salt, passes, memory_bytes, algorithm);
}
int crypto_box_seal(unsigned char* sealed, const unsigned char* message,
                    unsigned long long message_bytes, const unsigned char* public_key) {
  static auto* const sodium = real<decltype(crypto_box_seal)>(__func__);
  if (step(Call::derive) != 0) return -1;
  return sodium(sealed, message, message_bytes, public_key);
}

size_t ZSTD_decompressDCtx(ZSTD_DCtx* context, void* out, size_t out_bytes, const void* frame,
                           size_t frame_bytes) {
  static auto* const zstd = real<decltype(ZSTD_decompressDCtx)>(__func__);
  if (step(Call::unpack) != 0) return static_cast<size_t>(-20);  // Corruption detected.
  return zstd(context, out, out_bytes, frame, frame_bytes);
}
size_t ZSTD_getFrameHeader(ZSTD_frameHeader* header, const void* frame, size_t frame_bytes) {
  static auto* const zstd = real<decltype(ZSTD_getFrameHeader)>(__func__);
  if (step(Call::unpack) != 0) return static_cast<size_t>(-20);
  return zstd(header, frame, frame_bytes);
}
size_t ZSTD_findFrameCompressedSize(const void* frame, size_t frame_bytes) {
  static auto* const zstd = real<decltype(ZSTD_findFrameCompressedSize)>(__func__);
  if (step(Call::unpack) != 0) return static_cast<size_t>(-20);
  return zstd(frame, frame_bytes);
}
}
