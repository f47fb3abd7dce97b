// The export as FlatBuffers, a message for each thing that is said.
#include <export_generated.h>

#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "codec/export_buffer.h"
#include "codec/flat.h"

namespace efface::codec {
namespace {

namespace wire = schema::portability;
using Text = flatbuffers::Offset<flatbuffers::String>;
using Texts = std::span<const std::string_view>;
using WireTexts = flatbuffers::Vector<Text>;

constexpr std::size_t size_bytes = sizeof(flatbuffers::uoffset_t);
constexpr std::size_t frame_bytes = 256;         // tables, their vtables, lengths and alignment
constexpr std::size_t text_overhead_bytes = 16;  // offset, length, terminator, alignment

std::size_t room_for(Texts texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size() + text_overhead_bytes;
  return bytes;
}

// One message in the making; it is left out of a table what says nothing.
class MessageBuilder {
 public:
  MessageBuilder(Texts texts, Texts list, Texts other_list = {}, std::size_t value_bytes = 0)
      : flat_(frame_bytes + room_for(texts) + room_for(list) + room_for(other_list) + value_bytes) {
    check(texts);
    check(list);
    check(other_list);
  }

  FlatBuilder& flat() noexcept { return flat_; }
  flatbuffers::FlatBufferBuilder& operator*() noexcept { return *flat_; }
  Text text(std::string_view text) { return flat_.text(text); }
  Text optional(std::string_view text) { return text.empty() ? Text() : flat_.text(text); }
  flatbuffers::Offset<WireTexts> optional(Texts texts) {
    if (texts.empty()) return {};
    return flat_.texts(texts);
  }

  template <class Table>
  void finish(flatbuffers::Offset<Table> content, ExportBuffer& out) {
    if (!utf8_) out.fail(Error(Errc::corruption, "a text is not UTF-8"));
    const Plaintext message = flat_.finish_size_prefixed(
        wire::CreateMessage(*flat_, wire::ContentTraits<Table>::enum_value, content.Union()),
        wire::MessageIdentifier());
    if (message.size() - size_bytes > export_message_bytes_max)
      out.fail(Error(Errc::too_large, "a message of an export is too large"));
    out.add(message.bytes());
  }

 private:
  void check(Texts texts) {
    for (const std::string_view text : texts) utf8_ = utf8_ && base::is_utf8(text);
  }

  FlatBuilder flat_;
  bool utf8_ = true;
};

class FlatExportWriter final : public ExportWriter {
 public:
  explicit FlatExportWriter(ExportSink sink) : out_(std::move(sink)) {}

 private:
  Status put(const ExportPerson& person) override {
    MessageBuilder message(std::array{person.tenant, person.region, person.id}, person.aliases);
    const auto aliases = message.optional(person.aliases);
    const Text id = message.text(person.id);
    const Text region = message.text(person.region);
    const Text tenant = message.text(person.tenant);
    message.finish(
        wire::CreateHeader(*message, export_version, tenant, region, id, aliases, person.restricted,
                           person.held, person.erasure_asked, person.events_dropped),
        out_);
    return out_.status();
  }

  Status put(const ExportRecord& record) override {
    MessageBuilder message(
        std::array{record.purpose, record.legal_basis, record.name, record.origin},
        record.recipients, record.also_permitted, record.value.size());
    const auto value = message.flat().bytes(record.value);
    const auto also_permitted = message.optional(record.also_permitted);
    const auto recipients = message.optional(record.recipients);
    const Text origin = message.optional(record.origin);
    const Text name = message.text(record.name);
    const Text basis = message.text(record.legal_basis);
    const Text purpose = message.text(record.purpose);
    message.finish(wire::CreateRecord(*message, purpose, basis, name, value, record.written_ms,
                                      record.expires_ms, origin, recipients, also_permitted,
                                      record.automated_decision, record.kept_by_hold),
                   out_);
    return out_.status();
  }

  Status put(const ExportEvent& event) override {
    MessageBuilder message(
        std::array{event.kind, event.purpose, event.text_version, event.channel, event.actor}, {});
    const Text actor = message.text(event.actor);
    const Text channel = message.optional(event.channel);
    const Text version = message.optional(event.text_version);
    const Text purpose = message.optional(event.purpose);
    const Text kind = message.text(event.kind);
    message.finish(wire::CreateEvent(*message, kind, purpose, event.at_ms, version, channel, actor),
                   out_);
    return out_.status();
  }

  Status put(const ExportHold& hold) override {
    MessageBuilder message(std::array{hold.basis, hold.reason}, {});
    const Text reason = message.text(hold.reason);
    const Text basis = message.text(hold.basis);
    message.finish(
        wire::CreateHold(*message, hold.number, basis, reason, hold.since_ms, hold.until_ms), out_);
    return out_.status();
  }

  Status put(const ExportCounts& counts) override {
    MessageBuilder message({}, {});
    message.finish(wire::CreateEnd(*message, counts.records, counts.events, counts.holds), out_);
    out_.flush();
    return out_.status();
  }

  ExportBuffer out_;
};

Error not_an_export() { return {Errc::corruption, "not what an export is made of"}; }

// What stands between a message's bytes and the writer. Strings of a buffer may overlap: those that
// say more than the buffer holds are refused, or a small one could be written out as a huge one.
class MessageReader {
 public:
  MessageReader(ExportWriter& into, std::size_t message_bytes)
      : into_(into), bytes_left_(message_bytes) {}

  Status put(const wire::Header& header) {
    if (header.version() > export_version)
      return Error(Errc::format_new, "an export of a later version");
    if (header.version() == 0) return not_an_export();
    const std::vector<std::string_view> aliases = texts(header.aliases());
    const ExportPerson person{.tenant = text(header.tenant()),
                              .region = text(header.region()),
                              .id = text(header.id()),
                              .aliases = aliases,
                              .restricted = header.restricted(),
                              .held = header.held(),
                              .erasure_asked = header.erasure_asked(),
                              .events_dropped = header.events_dropped()};
    EFFACE_TRY(check());
    return into_.begin(person);
  }

  Status put(const wire::Record& record) {
    const std::vector<std::string_view> recipients = texts(record.recipients());
    const std::vector<std::string_view> also_permitted = texts(record.also_permitted());
    const ExportRecord out{.purpose = text(record.purpose()),
                           .legal_basis = text(record.legal_basis()),
                           .name = text(record.name()),
                           .value = view(record.value()),
                           .written_ms = record.written_ms(),
                           .expires_ms = record.expires_ms(),
                           .origin = text(record.origin()),
                           .recipients = recipients,
                           .also_permitted = also_permitted,
                           .automated_decision = record.automated_decision(),
                           .kept_by_hold = record.kept_by_hold()};
    take(out.value.size());
    EFFACE_TRY(check());
    return into_.record(out);
  }

  Status put(const wire::Event& event) {
    const ExportEvent out{.kind = text(event.kind()),
                          .purpose = text(event.purpose()),
                          .at_ms = event.at_ms(),
                          .text_version = text(event.text_version()),
                          .channel = text(event.channel()),
                          .actor = text(event.actor())};
    EFFACE_TRY(check());
    return into_.event(out);
  }

  Status put(const wire::Hold& hold) {
    const ExportHold out{.number = hold.number(),
                         .basis = text(hold.basis()),
                         .reason = text(hold.reason()),
                         .since_ms = hold.since_ms(),
                         .until_ms = hold.until_ms()};
    EFFACE_TRY(check());
    return into_.hold(out);
  }

  Status put(const wire::End& end) {
    const ExportCounts counts{end.records(), end.events(), end.holds()};
    if (counts != into_.counts()) return not_an_export();
    return into_.end();
  }

 private:
  void take(std::size_t size) {
    fits_ = fits_ && size <= bytes_left_;
    bytes_left_ -= fits_ ? size : 0;
  }
  std::string_view text(const flatbuffers::String* text) {
    const std::string_view out = view(text);
    take(out.size());
    utf8_ = utf8_ && fits_ && base::is_utf8(out);
    return out;
  }
  std::vector<std::string_view> texts(const WireTexts* texts) {
    std::vector<std::string_view> out;
    if (texts == nullptr) return out;
    out.reserve(texts->size());
    for (const flatbuffers::String* each : *texts) out.push_back(text(each));
    return out;
  }
  Status check() const {
    if (!fits_ || !utf8_) return not_an_export();
    return {};
  }

  ExportWriter& into_;
  std::size_t bytes_left_;
  bool fits_ = true;
  bool utf8_ = true;
};

// As many as the span holds, unless the source ends before.
Result<std::size_t> fill(ExportSource source, MutableBytes out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    EFFACE_ASSIGN(const std::size_t more, source(out.subspan(filled)));
    EFFACE_CHECK(more <= out.size() - filled);
    if (more == 0) break;
    filled += more;
  }
  return filled;
}

// The next message into scratch. False: the source is at its end.
Result<bool> next(ExportSource source, Plaintext& scratch) {
  std::array<std::byte, size_bytes> prefix;
  EFFACE_ASSIGN(const std::size_t prefix_bytes, fill(source, prefix));
  if (prefix_bytes == 0) return false;
  if (prefix_bytes < size_bytes) return Error(Errc::corruption, "an export was cut");
  const std::size_t size = load_le<std::uint32_t>(prefix.data());
  if (size > export_message_bytes_max) return not_an_export();
  scratch.reset(size_bytes + size);
  std::copy(prefix.begin(), prefix.end(), scratch.data());
  EFFACE_ASSIGN(const std::size_t body_bytes, fill(source, scratch.bytes().subspan(size_bytes)));
  if (body_bytes < size) return Error(Errc::corruption, "an export was cut");
  return true;
}

}  // namespace

std::unique_ptr<ExportWriter> flat_export_writer(ExportSink sink) {
  return std::make_unique<FlatExportWriter>(std::move(sink));
}

Result<std::uint64_t> read_flat_export(ExportSource source, ExportWriter& into) {
  Plaintext scratch;
  std::uint64_t people = 0;
  wire::Content last = wire::Content::End;  // What the last message held.
  while (true) {
    EFFACE_ASSIGN(const bool more, next(source, scratch));
    if (!more && last != wire::Content::End) return Error(Errc::corruption, "an export was cut");
    if (!more) return people;

    auto verify = verifier(scratch.bytes());
    if (!wire::VerifySizePrefixedMessageBuffer(verify)) return not_an_export();
    const wire::Message* const message = wire::GetSizePrefixedMessage(scratch.data());
    const wire::Content content = message->content_type();
    // Header, Record..., Event..., Hold..., End: their numbers are in that order too.
    const bool begins = content == wire::Content::Header;
    const bool follows = last != wire::Content::End && content >= last;
    if (content == wire::Content::NONE || content > wire::Content::MAX ||
        (begins ? last != wire::Content::End : !follows))
      return not_an_export();
    last = content;

    MessageReader reader(into, scratch.size());
    if (begins) EFFACE_TRY(reader.put(*message->content_as_Header()));
    if (content == wire::Content::Record) EFFACE_TRY(reader.put(*message->content_as_Record()));
    if (content == wire::Content::Event) EFFACE_TRY(reader.put(*message->content_as_Event()));
    if (content == wire::Content::Hold) EFFACE_TRY(reader.put(*message->content_as_Hold()));
    if (content == wire::Content::End) EFFACE_TRY(reader.put(*message->content_as_End()));
    if (begins) ++people;
  }
}

}  // namespace efface::codec
