// Streams sealed to a recipient: bytes that nobody sealed, and honest streams that were changed,
// cut or lengthened. Only what was sealed opens, and what the sink got before an error is its
// beginning.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "crypto/sealed_stream.h"
#include "input.h"

namespace efface::fuzz {
namespace {

using Octets = std::vector<std::byte>;

const crypto::RecipientKeys& recipient() {
  static const crypto::RecipientKeys keys = [] {
    auto secret = crypto::SecretKey::zeroed();
    secret.bytes()[0] = std::byte{9};
    return crypto::RecipientKeys::of(std::move(secret));
  }();
  return keys;
}

Status open_into(Bytes sealed, std::size_t piece_bytes, Octets& out) {
  return crypto::open_stream(
      recipient(),
      [&](MutableBytes into) -> Result<std::size_t> {
        const Bytes piece = sealed.first(std::min({piece_bytes, into.size(), sealed.size()}));
        std::copy(piece.begin(), piece.end(), into.begin());
        sealed = sealed.subspan(piece.size());
        return piece.size();
      },
      [&](Bytes plain) -> Status {
        out.insert(out.end(), plain.begin(), plain.end());
        return {};
      });
}

void seal_into(Octets& out, Bytes plain, std::size_t piece_bytes) {
  auto sealer = crypto::StreamSealer::begin(recipient().public_key, [&](Bytes sealed) -> Status {
    out.insert(out.end(), sealed.begin(), sealed.end());
    return {};
  });
  EFFACE_CHECK(sealer.has_value());
  while (!plain.empty()) {
    const Bytes piece = plain.first(std::min(piece_bytes, plain.size()));
    EFFACE_CHECK(sealer->write(piece).has_value());
    plain = plain.subspan(piece.size());
  }
  EFFACE_CHECK(sealer->finish().has_value());
}

void open_a_changed_one(Input& input) {
  const std::size_t chosen = input.number<std::uint16_t>();
  const bool repeated = input.below(16) == 3;  // Several chunks of few bytes: they cost.
  const std::size_t piece_bytes = (repeated ? 4'096U : 1U) + chosen;
  const std::uint32_t changes = input.below(4);
  // Kept: memory of this size is mapped anew each time.
  static Octets plain, sealed, changed, out;
  for (Octets* const each : {&plain, &sealed, &out}) each->clear();
  std::vector<std::array<std::byte, 4>> where(changes);
  for (auto& at : where) at = input.array<4>();
  const int length_change = static_cast<int>(input.below(64)) - 32;
  const Bytes text = input.rest();
  plain.assign(text.begin(), text.end());
  while (repeated && !text.empty() && plain.size() < 2 * crypto::stream_chunk_bytes_max) {
    plain.resize(2 * plain.size());
    std::copy_n(plain.begin(), plain.size() / 2, plain.data() + plain.size() / 2);
  }
  seal_into(sealed, plain, piece_bytes);

  changed = sealed;
  for (const auto& at : where) {
    const std::size_t place = load_le<std::uint16_t>(at.data()) * std::size_t{3} % changed.size();
    changed[place] ^= at[2];
  }
  if (length_change > -16)
    changed.resize(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(changed.size()) +
                                            std::max(length_change, -15)));
  const Status opened = open_into(changed, piece_bytes, out);
  const bool unchanged = same(changed, sealed);
  EFFACE_CHECK(!unchanged || (opened && same(out, plain)));
  if (!authentic) return;
  EFFACE_CHECK(opened.has_value() == unchanged);
  EFFACE_CHECK(out.size() <= plain.size() && same(out, Bytes(plain).first(out.size())));
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  EFFACE_CHECK(crypto::initialise().has_value());
  fuzz::Input input(data, size);
  if (input.below(2) == 0) {
    fuzz::open_a_changed_one(input);
    return 0;
  }
  std::vector<std::byte> out;
  static_cast<void>(fuzz::open_into(input.rest(), SIZE_MAX, out));
  return 0;
}
