// What root key stores keep outside of a file: what several of them wrapped, a token's record, a
// key in a TPM. Refused, or the same again after it is written anew; also with the checksum made
// good.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "crypto/prf.h"
#include "custody/token_record.h"
#include "custody/tpm_slot.h"
#include "custody/wrapped.h"
#include "input.h"

namespace efface::fuzz {
namespace {

constexpr RootKeyStore::StoreId store_id{std::byte{9}};
constexpr std::size_t sum_bytes = sizeof(Id16);

void put(Bytes bytes, std::byte* at) { std::copy(bytes.begin(), bytes.end(), at); }

void look_at_wrapped(Input& input) {
  const auto kind = static_cast<custody::Kind>(1 + input.below(2));
  const auto bytes = owned(input.rest());
  const auto wrapped = custody::decode(bytes.bytes(), kind);
  if (!wrapped) return;
  EFFACE_CHECK(same(custody::encode(*wrapped), bytes.bytes()));
  touch(custody::part_context(*wrapped, store_id, {}));
}

void look_at_token_record(Input& input) {
  const bool mended = input.below(4) != 0;
  auto bytes = owned(input.rest());
  if (mended && bytes.size() == custody::token_record_bytes) {
    put(as_bytes("effaceTK"), bytes.data());
    const Bytes fields = std::as_const(bytes).bytes().first(bytes.size() - sum_bytes);
    put(crypto::hash128({as_bytes("efface.token.record"), fields}), bytes.data() + fields.size());
  }
  const auto record = custody::decode_token_record(std::as_const(bytes).bytes());
  if (!record || !*record) return;
  const auto again = custody::decode_token_record(custody::encode(**record));
  EFFACE_CHECK(again && *again && (**again).store_id == (**record).store_id);
  EFFACE_CHECK((**again).sequence == (**record).sequence && (**again).anchor == (**record).anchor);
}

void look_at_tpm_slot(Input& input) {
  const bool mended = input.below(4) != 0;
  auto bytes = input.array<custody::tpm_slot_bytes>();
  if (mended) {
    put(as_bytes("effaceTS"), bytes.data());
    const Bytes fields = Bytes(bytes).first(bytes.size() - sum_bytes);
    put(crypto::hash128({as_bytes("efface.token.slot"), store_id, fields}),
        bytes.data() + fields.size());
  }
  const auto slot = custody::decode_tpm_slot(bytes, store_id);
  if (!slot || !*slot) return;
  std::array<std::byte, custody::tpm_slot_bytes> written;
  custody::encode(**slot, store_id, written);
  const auto again = custody::decode_tpm_slot(written, store_id);
  EFFACE_CHECK(again && *again && (**again).epoch == (**slot).epoch);
  EFFACE_CHECK(same((**again).key.bytes(), (**slot).key.bytes()));
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  EFFACE_CHECK(crypto::initialise().has_value());
  fuzz::Input input(data, size);
  switch (input.below(3)) {
    case 0:
      fuzz::look_at_wrapped(input);
      break;
    case 1:
      fuzz::look_at_token_record(input);
      break;
    default:
      fuzz::look_at_tpm_slot(input);
  }
  return 0;
}
