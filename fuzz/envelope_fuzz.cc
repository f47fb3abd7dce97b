// A stored record: any bytes are refused; and what a seal would let through, its plaintext and its
// compressed frame, is judged again behind it.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "codec/compress.h"
#include "crypto/aead.h"
#include "input.h"
#include "records/envelope.h"

namespace efface::fuzz {
namespace {

using records::ScopeKeys;

std::vector<keyring::Row> one_scope() {
  EFFACE_CHECK(crypto::initialise().has_value());
  std::vector<keyring::Row> rows(1);
  rows[0].key = crypto::SecretKey::zeroed();
  rows[0].handle.fill(std::byte{7});
  rows[0].label = 1;
  rows[0].aux = 1;
  return rows;
}

class Scope {
 public:
  Scope() {
    // Sealing derives the key and remembers it, which is how forged() comes by it.
    codec::RecordFields fields;
    fields.name = as_bytes("name");
    EFFACE_CHECK(
        records::open_record(keys(), tag_, records::seal_record(keys(), tag_, fields, true)));
    const auto plain = codec::encode(fields);
    EFFACE_CHECK(records::open_record(keys(), tag_, forged(0, plain.bytes())));
  }

  ScopeKeys keys() const {
    return {region_, 1, rows_, rows_.rows()[0], records::never, bucket_key_.bytes()};
  }
  const Id16& tag() const noexcept { return tag_; }

  // What this library would have stored, had it meant these bytes.
  std::vector<std::byte> forged(std::uint16_t flags, Bytes plain) const {
    std::vector<std::byte> out(records::envelope_overhead_bytes + plain.size());
    out[0] = std::byte{records::record_version};
    out[1] = std::byte{crypto::suite_xchacha20_poly1305};
    store_le(out.data() + 2, flags);
    const keyring::Row& scope = rows_.rows()[0];
    store_le<std::uint16_t>(out.data() + 4, scope.label);
    store_le<std::uint32_t>(out.data() + 8, scope.aux);
    store_le<std::uint32_t>(out.data() + 12, records::never);

    std::vector<std::byte> associated(out.begin(), out.begin() + records::clear_header_bytes);
    associated.insert(associated.end(), region_.begin(), region_.end());
    associated.resize(associated.size() + 4);
    store_le<std::uint32_t>(associated.data() + associated.size() - 4, 1);
    associated.insert(associated.end(), scope.handle.begin(), scope.handle.end());
    associated.insert(associated.end(), tag_.begin(), tag_.end());
    crypto::SecretKey scratch;
    const crypto::KeyView dek =
        rows_.derived(scope.label, records::never, scratch, [](crypto::KeySpan) {});
    crypto::seal(dek, associated, plain, MutableBytes(out).subspan(records::clear_header_bytes));
    return out;
  }

 private:
  keyring::Keys rows_{one_scope()};
  crypto::SecretKey bucket_key_ = crypto::SecretKey::zeroed();
  Id16 region_{};
  Id16 tag_ = records::name_tag(rows_.rows()[0], "name");
};

void look_at(const Result<records::OpenRecord>& record) {
  if (!record) return;
  touch(record->fields.name);
  touch(record->fields.value);
  touch(as_bytes(record->fields.origin));
  for (const std::string_view recipient : record->fields.recipients) touch(as_bytes(recipient));
}

void open_stored(const Scope& scope, Bytes stored) {
  const auto value = owned(stored);
  if (records::read_header(value.bytes())) touch(records::nonce_of(value.bytes()));
  look_at(records::open_record(scope.keys(), scope.tag(), value.bytes()));
  look_at(records::open_group({}, scope.keys().bucket_key, value.bytes()));
}

// What is sealed comes back; with one bit changed, nothing does.
void round_trip(const Scope& scope, Input& input) {
  const bool compress = input.byte() % 2 != 0;
  const std::size_t spot = input.number<std::uint16_t>();
  codec::RecordFields fields;
  fields.name = input.take(input.byte());
  fields.value = input.rest();
  auto sealed = records::seal_record(scope.keys(), scope.tag(), fields, compress);
  {
    const auto open = records::open_record(scope.keys(), scope.tag(), sealed);
    EFFACE_CHECK(open && same(open->fields.name, fields.name));
    EFFACE_CHECK(same(open->fields.value, fields.value));
  }
  sealed[spot % sealed.size()] ^= std::byte{1} << (spot % 8);
  const auto forged = records::open_record(scope.keys(), scope.tag(), sealed);
  EFFACE_CHECK(!authentic || !forged);
  look_at(forged);

  sealed = records::seal_group({}, scope.keys().bucket_key, fields, compress);
  const auto open = records::open_group({}, scope.keys().bucket_key, sealed);
  EFFACE_CHECK(open && same(open->fields.value, fields.value));
  EFFACE_CHECK(!records::open_record(scope.keys(), scope.tag(), sealed));
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  static const fuzz::Scope scope;
  fuzz::Input input(data, size);
  switch (input.below(4)) {
    case 0:
      fuzz::open_stored(scope, input.rest());
      break;
    case 1:  // The plaintext, or with flag 1 the size and frame that it says it is.
      fuzz::open_stored(scope, scope.forged(input.byte() % 4, input.rest()));
      break;
    case 2: {  // An honest frame of it.
      const auto plain = fuzz::owned(input.rest());
      const auto frame = codec::compress(plain.bytes());
      if (!frame) break;
      codec::Plaintext sized(4 + frame->size());
      store_le(sized.data(), static_cast<std::uint32_t>(plain.size()));
      std::copy_n(frame->data(), frame->size(), sized.data() + 4);
      fuzz::open_stored(scope, scope.forged(records::flag_compressed, sized.bytes()));
      break;
    }
    default:
      fuzz::round_trip(scope, input);
  }
  return 0;
}
