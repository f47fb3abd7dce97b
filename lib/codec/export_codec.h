// codec/export_codec.h -- all that is known of a person, as a stream that she or another service
// can read: JSON, or FlatBuffers messages.
//
// A writer is told the person, then her records, then her events, then her holds, then the end;
// after which another person may begin. Every other order is a broken invariant of the caller.
//
// Shape     docs/format/export.md, docs/format/export.schema.json, export.fbs (EFX1). JSON: one
//           object per person and line.
// Lifetime  All fields are views into the caller's memory and are read during the call alone.
// Errors    The sink's, which every later call answers again. corruption for a text that is not
//           UTF-8 and for a time outside of the years 0 to 9999. too_large for a message over
//           export_message_bytes_max. After an error the stream is cut: the reader notices.
// Cost      64 KiB of memory that is wiped; FlatBuffers: and the record that is written.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "codec/plaintext.h"
#include "efface/result.h"

namespace efface::codec {

inline constexpr std::uint16_t export_version = 1;
inline constexpr std::size_t export_buffer_bytes = 64 * 1024;
// Of one FlatBuffers message: the largest value, and a megabyte for what stands beside it.
inline constexpr std::size_t export_message_bytes_max = 17 * 1024 * 1024;

struct ExportPerson {
  std::string_view tenant{};
  std::string_view region{};
  std::string_view id{};
  std::span<const std::string_view> aliases{};
  bool restricted = false;
  bool held = false;
  bool erasure_asked = false;        // Waits for the release of her holds.
  std::uint32_t events_dropped = 0;  // Older than those that follow, and no longer on file.
};

struct ExportRecord {
  std::string_view purpose{};
  std::string_view legal_basis{};
  std::string_view name{};
  Bytes value{};
  std::int64_t written_ms = 0;  // Since 1970, UTC.
  std::int64_t expires_ms = 0;  // 0: never
  std::string_view origin{};    // Empty: not said.
  std::span<const std::string_view> recipients{};
  std::span<const std::string_view> also_permitted{};  // Purposes.
  bool automated_decision = false;
  bool kept_by_hold = false;
};

struct ExportEvent {
  std::string_view kind{};     // As EventKind is named.
  std::string_view purpose{};  // Empty: the whole person.
  std::int64_t at_ms = 0;
  std::string_view text_version{};  // Empty, and so is the channel: not said.
  std::string_view channel{};
  std::string_view actor{};
};

struct ExportHold {
  std::uint32_t number = 0;
  std::string_view basis{};
  std::string_view reason{};
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;  // 0: until it is released
};

struct ExportCounts {
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t holds = 0;
  bool operator==(const ExportCounts&) const = default;
};

class ExportWriter {
 public:
  virtual ~ExportWriter() = default;
  ExportWriter(const ExportWriter&) = delete;
  ExportWriter& operator=(const ExportWriter&) = delete;

  Status begin(const ExportPerson& person);
  Status record(const ExportRecord& record);
  Status event(const ExportEvent& event);
  Status hold(const ExportHold& hold);
  Status end();  // Says how many of each there were, and gives the sink all that it has not yet.

  // Of the person in hand, or the last.
  const ExportCounts& counts() const noexcept { return counts_; }

 protected:
  ExportWriter() = default;

 private:
  enum class Part : std::uint8_t { none, records, events, holds };
  void enter(Part part);

  virtual Status put(const ExportPerson& person) = 0;
  virtual Status put(const ExportRecord& record) = 0;
  virtual Status put(const ExportEvent& event) = 0;
  virtual Status put(const ExportHold& hold) = 0;
  virtual Status put(const ExportCounts& counts) = 0;

  Part part_ = Part::none;
  ExportCounts counts_;
};

using ExportSink = std::function<Status(Bytes)>;
std::unique_ptr<ExportWriter> json_export_writer(ExportSink sink);
std::unique_ptr<ExportWriter> flat_export_writer(ExportSink sink);

// Fills some of the span, at least one byte, and says how many; none: the end.
using ExportSource = FunctionRef<Result<std::size_t>(MutableBytes)>;

// Reads a FlatBuffers stream of any number of people into a writer; answers how many there were.
// Errors: corruption for whatever no writer wrote: messages that the verifier refuses or that stand
// in another order, counts that are wrong, a person without an end. format_new. The source's and
// the writer's.
Result<std::uint64_t> read_flat_export(ExportSource source, ExportWriter& into);

}  // namespace efface::codec
