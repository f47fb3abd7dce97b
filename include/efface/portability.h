// efface/portability.h -- taking along all that is known of a person [GDPR 15, 20].
//
// An export is JSON or a stream of FlatBuffers messages, in clear or sealed to a recipient's public
// key: then nobody on its way reads it, and only the holder of the secret key opens it.
// docs/format/export.md describes all three to the byte.
//
// Threads   RecipientKeyPair: shared freely. A sink and a source are called on the caller's thread.
// Lifetime  A sink's bytes are valid during its call, and wiped after it.
// Errors    What a sink or a source answers is answered by the call. io: no randomness.
//
// Example
//   const RecipientKeyPair hers = RecipientKeyPair::generate().value();
//   ExportOptions sealed;
//   sealed.recipient = hers.public_key();
//   std::string for_her_alone;
//   const auto sink = [&](Bytes some) -> Status {
//     for_her_alone += as_text(some);
//     return {};
//   };
//   shop.export_subject(alice, sealed, sink).value();
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "efface/bytes.h"
#include "efface/export.h"
#include "efface/result.h"

namespace efface {

namespace internal {
struct Access;
}  // namespace internal

enum class ExportFormat : std::uint8_t {
  json = 1,         // One object per person and line.
  flatbuffers = 2,  // Size-prefixed messages.
};

// X25519. May be published.
struct RecipientPublicKey {
  std::array<std::byte, 32> bytes{};
  friend bool operator==(const RecipientPublicKey&, const RecipientPublicKey&) = default;
};

struct ExportOptions {
  ExportFormat format = ExportFormat::json;
  std::optional<RecipientPublicKey> recipient = std::nullopt;  // Nothing: in clear.
};

using ExportSink = FunctionRef<Status(Bytes)>;
// Fills some of the span, at least one byte, and says how many; none: the end.
using ExportSource = FunctionRef<Result<std::size_t>(std::span<std::byte>)>;

// The two keys of whoever exports are sealed to. The secret one stands in locked memory.
class EFFACE_EXPORT RecipientKeyPair {
 public:
  // Errors: memory_not_locked, out_of_memory, io.
  static Result<RecipientKeyPair> generate();
  // The caller's copy stays the caller's. Errors: also invalid_argument for zeros.
  static Result<RecipientKeyPair> from_secret(std::span<const std::byte, 32> secret);

  RecipientKeyPair(RecipientKeyPair&&) noexcept;
  RecipientKeyPair& operator=(RecipientKeyPair&&) noexcept;
  ~RecipientKeyPair();

  RecipientPublicKey public_key() const noexcept;
  // To store it somewhere safe: whoever has it opens every export that was sealed to this pair.
  // Errors: forked (a child has no keys).
  Status with_secret(FunctionRef<void(std::span<const std::byte, 32>)> look) const;

 private:
  friend struct internal::Access;
  struct State;
  explicit RecipientKeyPair(std::unique_ptr<const State> state) noexcept;
  std::unique_ptr<const State> state_;
};

// Gives the sink what a sealed export holds, in either format. Only when it answers without an
// error is that the whole of it: on one, drop what the sink got. Errors: corruption: it was
// changed, cut, or sealed for another key; format_new; forked.
EFFACE_EXPORT Status open_export(ExportSource source, const RecipientKeyPair& keys,
                                 ExportSink sink);

// Reads an export in FlatBuffers, checks it, and gives the sink the same in JSON; answers how many
// people it holds. Errors: corruption: it was changed or cut (except where one person ends: that
// only a sealed one tells); format_new.
EFFACE_EXPORT Result<std::uint64_t> export_to_json(ExportSource source, ExportSink sink);

}  // namespace efface
