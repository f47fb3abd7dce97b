// codec/record_codec.h -- the bytes of one record before they are sealed, and after.
//
// Shape     A FlatBuffer of record.fbs, identifier EFR1. Bytes after it are ignored (padding).
// Lifetime  What decode_record answers are views into the plaintext given to it.
// Errors    corruption for bytes that the verifier refuses. That they start at a multiple of eight,
//           as a Plaintext does, is an invariant.
// Cost      encode: one allocation, two with recipients. decode_record: none without recipients and
//           permitted purposes.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/plaintext.h"
#include "efface/result.h"

namespace efface::codec {

struct RecordFields {
  Bytes name;
  Bytes value;
  std::int64_t written_ms = 0;
  std::int64_t expires_ms = 0;           // 0: never
  std::vector<std::uint16_t> permitted;  // further purposes, by number
  std::string_view origin;
  std::vector<std::string_view> recipients;
  bool automated_decision = false;
  Bytes shared{};  // A link to a record of several people; value is empty then.
};

Plaintext encode(const RecordFields& fields);
Result<RecordFields> decode_record(Bytes plain);

}  // namespace efface::codec
