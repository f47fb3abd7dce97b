// codec/export_sample.h -- people to export, and places to export them to.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codec/export_codec.h"

namespace efface::test {

struct Collected {
  std::vector<std::byte> bytes;
  std::size_t piece_bytes_max = 0;

  codec::ExportSink sink() {
    return [this](Bytes more) -> Status {
      bytes.insert(bytes.end(), more.begin(), more.end());
      piece_bytes_max = std::max(piece_bytes_max, more.size());
      return {};
    };
  }
  std::string text() const { return std::string(as_text(bytes)); }
};

// Read in pieces of one size.
inline auto source_of(Bytes bytes, std::size_t piece_bytes = SIZE_MAX) {
  return [bytes, piece_bytes](MutableBytes into) mutable -> Result<std::size_t> {
    const Bytes piece = bytes.first(std::min({piece_bytes, into.size(), bytes.size()}));
    std::copy(piece.begin(), piece.end(), into.begin());
    bytes = bytes.subspan(piece.size());
    return piece.size();
  };
}

inline constexpr std::array<std::string_view, 2> sample_aliases{"alice@example.org", "device-7"};
inline constexpr std::array<std::string_view, 2> sample_recipients{"post", "newsletter"};
inline constexpr std::array<std::string_view, 1> sample_permitted{"billing"};

// Every kind of thing, with all that it can say, and with as little as it can.
inline Status write_alice(codec::ExportWriter& writer) {
  Status all;
  const auto also = [&](const Status& status) {
    if (all && !status) all = status;
  };
  also(writer.begin({.tenant = "shop",
                     .region = "eu",
                     .id = "alice",
                     .aliases = sample_aliases,
                     .restricted = true,
                     .held = true,
                     .erasure_asked = true,
                     .events_dropped = 3}));
  also(writer.record({.purpose = "orders",
                      .legal_basis = "contract",
                      .name = "e-mail",
                      .value = as_bytes("alice@example.org"),
                      .written_ms = 1'700'000'000'000,
                      .expires_ms = 1'800'000'000'001,
                      .origin = "sign-up form",
                      .recipients = sample_recipients,
                      .also_permitted = sample_permitted,
                      .automated_decision = true,
                      .kept_by_hold = true}));
  constexpr std::array picture{std::byte{0xff}, std::byte{0xd8}, std::byte{0}, std::byte{1}};
  also(writer.record({.purpose = "orders",
                      .legal_basis = "contract",
                      .name = "picture",
                      .value = picture,
                      .written_ms = 1'700'000'000'000}));
  also(writer.event({.kind = "consent_granted",
                     .purpose = "newsletter",
                     .at_ms = 1'600'000'000'999,
                     .text_version = "v3",
                     .channel = "web",
                     .actor = "sign-up"}));
  also(writer.event({.kind = "restricted", .at_ms = 1'650'000'000'000, .actor = "desk"}));
  also(writer.hold({.number = 1,
                    .basis = "litigation",
                    .reason = "case 12/2026",
                    .since_ms = 1'700'000'000'000,
                    .until_ms = 1'800'000'000'000}));
  also(writer.hold({.number = 4, .basis = "audit", .reason = "r", .since_ms = 1}));
  also(writer.end());
  return all;
}

inline Status write_bob(codec::ExportWriter& writer) {
  const Status begun = writer.begin({.tenant = "shop", .region = "eu", .id = "bob"});
  const Status ended = writer.end();
  return begun ? ended : begun;
}

}  // namespace efface::test
