// Bytes that were sealed for storage elsewhere: any are refused; what was sealed comes back, and
// with one bit changed, under another key or in another context it does not.
#include <vector>

#include "base/check.h"
#include "input.h"
#include "records/sealed.h"

namespace efface::fuzz {
namespace {

using records::ScopeKeys;

constexpr keyring::Label purpose = 1;

std::vector<keyring::Row> two_keys() {
  EFFACE_CHECK(crypto::initialise().has_value());
  std::vector<keyring::Row> rows(2);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].key = crypto::SecretKey::zeroed();
    rows[i].handle.fill(std::byte(7 + i));
    rows[i].label =
        keyring::scope_label(static_cast<keyring::Label>(purpose + i), keyring::sealing_key);
    rows[i].aux = 1;
  }
  return rows;
}

class Keys {
 public:
  ScopeKeys of(std::size_t which, records::Bucket bucket) const {
    return {Id16{}, 1, rows_, rows_.rows()[which], bucket, bucket_key_.bytes()};
  }

 private:
  keyring::Keys rows_{two_keys()};
  crypto::SecretKey bucket_key_ = crypto::SecretKey::zeroed();
};

void open_any(const Keys& keys, Input& input) {
  const auto context = owned(input.take(input.byte()));
  const auto sealed = owned(input.rest());
  const auto header = records::read_sealed_header(sealed.bytes());
  if (header) {
    EFFACE_CHECK(sealed.size() >= records::sealed_overhead_bytes);
    static_cast<void>(records::is_marked_for(keys.of(0, 0).scope.handle, sealed.bytes()));
  }
  const auto opened = records::open_bytes(keys.of(0, header ? header->bucket : records::never),
                                          context.bytes(), sealed.bytes());
  EFFACE_CHECK(header || !opened);
  if (opened) touch(opened->bytes());
}

void round_trip(const Keys& keys, Input& input) {
  // Few days: a key that was derived is remembered.
  const records::Bucket bucket = input.byte() % 4 == 0 ? records::never : input.byte();
  const std::size_t spot = input.number<std::uint16_t>();
  const auto context = owned(input.take(input.byte()));
  const auto plain = owned(input.rest());
  auto sealed = records::seal_bytes(keys.of(0, bucket), context.bytes(), plain.bytes());
  const auto opens = [&](std::size_t which, Bytes in) {
    return records::open_bytes(keys.of(which, bucket), in, sealed);
  };
  const auto opened = opens(0, context.bytes());
  EFFACE_CHECK(opened && same(opened->bytes(), plain.bytes()));
  EFFACE_CHECK(records::is_marked_for(keys.of(0, bucket).scope.handle, sealed));
  EFFACE_CHECK(!records::is_marked_for(keys.of(1, bucket).scope.handle, sealed));
  EFFACE_CHECK(!opens(1, context.bytes()));
  EFFACE_CHECK(!authentic || context.size() == 0 || !opens(0, {}));
  sealed[spot / 8 % sealed.size()] ^= std::byte{1} << (spot % 8);
  EFFACE_CHECK(!authentic || !opens(0, context.bytes()));
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface::fuzz;
  static const Keys keys;
  Input input(data, size);
  if (input.byte() % 2 == 0)
    open_any(keys, input);
  else
    round_trip(keys, input);
  return 0;
}
