#include "codec/record_codec.h"

#include <record_generated.h>

#include "base/check.h"
#include "codec/flat.h"

namespace efface::codec {

Plaintext encode(const RecordFields& fields) {
  constexpr std::size_t record_frame_bytes = 160;  // table, its vtable, lengths and alignment
  constexpr std::size_t recipient_overhead_bytes = 12;
  std::size_t expected = record_frame_bytes + fields.name.size() + fields.value.size() +
                         fields.permitted.size() * sizeof(std::uint16_t) + fields.origin.size() +
                         fields.shared.size();
  for (const std::string_view recipient : fields.recipients)
    expected += recipient.size() + recipient_overhead_bytes;

  FlatBuilder flat(expected);
  const auto value = flat.bytes(fields.value);
  const auto name = flat.bytes(fields.name);
  flatbuffers::Offset<flatbuffers::Vector<std::uint16_t>> permitted;
  if (!fields.permitted.empty()) permitted = flat->CreateVector(fields.permitted);
  flatbuffers::Offset<flatbuffers::String> origin;
  if (!fields.origin.empty()) origin = flat.text(fields.origin);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>> recipients;
  if (!fields.recipients.empty()) recipients = flat.texts(fields.recipients);
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> shared;
  if (!fields.shared.empty()) shared = flat.bytes(fields.shared);
  return flat.finish(
      schema::CreateRecord(*flat, name, value, fields.written_ms, fields.expires_ms, permitted,
                           origin, recipients, fields.automated_decision, shared),
      schema::RecordIdentifier());
}

Result<RecordFields> decode_record(Bytes plain) {
  EFFACE_CHECK(is_aligned(plain));
  auto verify = verifier(plain);
  if (!schema::VerifyRecordBuffer(verify)) return Error(Errc::corruption, "not a record");
  const auto* const record = schema::GetRecord(plain.data());
  RecordFields fields;
  fields.name = view(record->name());
  fields.value = view(record->value());
  fields.written_ms = record->written_ms();
  fields.expires_ms = record->expires_ms();
  if (const auto* permitted = record->permitted())
    fields.permitted.assign(permitted->begin(), permitted->end());
  fields.origin = view(record->origin());
  if (const auto* recipients = record->recipients()) {
    fields.recipients.reserve(recipients->size());
    for (const auto* recipient : *recipients) fields.recipients.push_back(view(recipient));
  }
  fields.automated_decision = record->automated_decision();
  fields.shared = view(record->shared());
  return fields;
}

}  // namespace efface::codec
