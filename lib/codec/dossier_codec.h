// codec/dossier_codec.h -- what is on file about a person beside her records, as bytes.
//
// Shape     A FlatBuffer of dossier.fbs, identifier EFD1.
// Lifetime  What decode_dossier answers are views into the plaintext given to it.
// Errors    corruption for bytes that the verifier refuses. That they start at a multiple of eight,
//           as a Plaintext does, is an invariant.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/plaintext.h"
#include "efface/result.h"

namespace efface::codec {

struct EventFields {
  std::uint8_t kind = 0;
  std::uint16_t purpose = 0;
  std::int64_t at_ms = 0;
  std::string_view text_version;
  std::string_view channel;
  std::string_view actor;
};

struct HoldFields {
  std::uint32_t number = 0;
  std::string_view basis;
  std::string_view reason;
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;  // 0: until it is released
};

struct AskedFields {
  std::uint8_t kind = 0;
  Id16 handle{};
  Bytes token{};
};

struct DossierFields {
  std::vector<EventFields> events;  // Oldest first.
  std::uint32_t events_dropped = 0;
  std::vector<HoldFields> holds;
  std::uint32_t last_hold = 0;
  std::vector<AskedFields> asked;
  std::vector<Bytes> aliases;
};

Plaintext encode(const DossierFields& fields);
Result<DossierFields> decode_dossier(Bytes plain);

}  // namespace efface::codec
