// The export as JSON (RFC 8259), written as it comes: a document tree would hold a whole person.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include "base/utf8.h"
#include "codec/export_buffer.h"

namespace efface::codec {
namespace {

constexpr std::int64_t year_0_ms = -62'167'219'200'000;
constexpr std::int64_t year_10000_ms = 253'402'300'800'000;

class JsonExportWriter final : public ExportWriter {
 public:
  explicit JsonExportWriter(ExportSink sink) : out_(std::move(sink)) {}

 private:
  enum class Array : std::uint8_t { records, events, holds, closed };

  Status put(const ExportPerson& person) override {
    first_ = true;
    array_ = Array::records;
    out_.add(R"({"format":"efface.export","version":)");
    number(export_version);
    member("tenant", person.tenant);
    member("region", person.region);
    out_.add(R"(,"subject":{"id":)");
    text(person.id);
    member("aliases", person.aliases);
    member("restricted", person.restricted);
    member("held", person.held);
    member("erasure_asked", person.erasure_asked);
    key("events_dropped");
    number(person.events_dropped);
    out_.add(R"(},"records":[)");
    return out_.status();
  }

  Status put(const ExportRecord& record) override {
    item(Array::records, R"({"purpose":)");
    text(record.purpose);
    member("legal_basis", record.legal_basis);
    member("name", record.name);
    const bool is_text = base::is_utf8(as_text(record.value));
    out_.add(is_text ? R"(,"value":{"text":)" : R"(,"value":{"base64":)");
    if (is_text)
      quoted(as_text(record.value));
    else
      base64(record.value);
    out_.add("}");
    key("written");
    time(record.written_ms);
    time_or_null("expires", record.expires_ms);
    text_or_null("origin", record.origin);
    member("recipients", record.recipients);
    member("also_permitted", record.also_permitted);
    member("automated_decision", record.automated_decision);
    member("kept_by_hold", record.kept_by_hold);
    out_.add("}");
    return out_.status();
  }

  Status put(const ExportEvent& event) override {
    item(Array::events, R"({"kind":)");
    text(event.kind);
    text_or_null("purpose", event.purpose);
    key("at");
    time(event.at_ms);
    text_or_null("text_version", event.text_version);
    text_or_null("channel", event.channel);
    member("actor", event.actor);
    out_.add("}");
    return out_.status();
  }

  Status put(const ExportHold& hold) override {
    item(Array::holds, R"({"number":)");
    number(hold.number);
    member("basis", hold.basis);
    member("reason", hold.reason);
    key("since");
    time(hold.since_ms);
    time_or_null("until", hold.until_ms);
    out_.add("}");
    return out_.status();
  }

  Status put(const ExportCounts& counts) override {
    move_to(Array::closed);
    out_.add(R"(,"counts":{"records":)");
    number(counts.records);
    key("events");
    number(counts.events);
    key("holds");
    number(counts.holds);
    out_.add("}}\n");
    out_.flush();
    return out_.status();
  }

  // All three arrays are there, also when they are empty.
  void move_to(Array array) {
    for (; array_ != array; array_ = static_cast<Array>(static_cast<int>(array_) + 1)) {
      first_ = true;
      if (array_ == Array::records) out_.add(R"(],"events":[)");
      if (array_ == Array::events) out_.add(R"(],"holds":[)");
      if (array_ == Array::holds) out_.add("]");
    }
  }

  void item(Array array, std::string_view opening) {
    move_to(array);
    if (!first_) out_.add(",");
    first_ = false;
    out_.add(opening);
  }

  void key(std::string_view plain_name) {
    out_.add(",\"");
    out_.add(plain_name);
    out_.add("\":");
  }
  void member(std::string_view of, std::string_view value) {
    key(of);
    text(value);
  }
  void member(std::string_view of, bool value) {
    key(of);
    out_.add(value ? "true" : "false");
  }
  // A literal is a text, not a bool.
  void member(std::string_view of, const char* value) = delete;
  void member(std::string_view of, std::span<const std::string_view> values) {
    key(of);
    std::string_view before = "[";
    for (const std::string_view value : values) {
      out_.add(std::exchange(before, ","));
      text(value);
    }
    out_.add(values.empty() ? "[]" : "]");
  }
  void text_or_null(std::string_view of, std::string_view value) {
    if (!value.empty()) return member(of, value);
    key(of);
    out_.add("null");
  }
  void time_or_null(std::string_view of, std::int64_t ms) {
    key(of);
    if (ms == 0)
      out_.add("null");
    else
      time(ms);
  }

  void number(std::uint64_t value) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.add(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  }

  void text(std::string_view value) {
    if (!base::is_utf8(value)) out_.fail(Error(Errc::corruption, "a text is not UTF-8"));
    quoted(value);
  }

  // UTF-8 between quotes: a run that needs no escape goes as it is.
  void quoted(std::string_view value) {
    out_.add("\"");
    std::size_t run = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto c = static_cast<unsigned char>(value[i]);
      if (c >= 0x20 && c != '"' && c != '\\') continue;
      out_.add(value.substr(run, i - run));
      escape(c);
      run = i + 1;
    }
    out_.add(value.substr(run));
    out_.add("\"");
  }

  void escape(unsigned char c) {
    constexpr std::string_view with_letter = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    constexpr std::string_view digits = "0123456789abcdef";
    if (const std::size_t at = with_letter.find(static_cast<char>(c));
        at != std::string_view::npos) {
      out_.add("\\");
      out_.add(letters.substr(at, 1));
      return;
    }
    out_.add("\\u00");
    out_.add(digits.substr(c >> 4, 1));
    out_.add(digits.substr(c & 15, 1));
  }

  // RFC 4648, section 4.
  void base64(Bytes bytes) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out_.add("\"");
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
      const Bytes group = bytes.subspan(i, std::min<std::size_t>(3, bytes.size() - i));
      std::uint32_t bits = 0;
      for (std::size_t j = 0; j < 3; ++j)
        bits = bits << 8 | (j < group.size() ? std::to_integer<std::uint32_t>(group[j]) : 0);
      std::array<char, 4> digits{'=', '=', '=', '='};
      for (std::size_t j = 0; j <= group.size(); ++j)
        digits[j] = alphabet[bits >> (18 - 6 * j) & 63];
      out_.add(std::string_view(digits.data(), digits.size()));
      crypto::wipe(std::as_writable_bytes(std::span(digits)));
    }
    out_.add("\"");
  }

  // RFC 3339.
  void time(std::int64_t ms) {
    using namespace std::chrono;
    if (ms < year_0_ms || ms >= year_10000_ms)
      return out_.fail(Error(Errc::corruption, "a time outside of the years 0 to 9999"));
    const sys_time<milliseconds> at{milliseconds(ms)};
    const auto day = floor<days>(at);
    const year_month_day date(day);
    const hh_mm_ss clock(at - day);
    std::array<char, 27> out{"\"0000-00-00T00:00:00.000Z\""};
    const auto digits = [&](std::size_t end, auto value) {
      for (auto left = static_cast<unsigned>(value); left != 0; left /= 10)
        out[--end] = static_cast<char>('0' + left % 10);
    };
    digits(5, static_cast<int>(date.year()));
    digits(8, static_cast<unsigned>(date.month()));
    digits(11, static_cast<unsigned>(date.day()));
    digits(14, clock.hours().count());
    digits(17, clock.minutes().count());
    digits(20, clock.seconds().count());
    digits(24, clock.subseconds().count());
    out_.add(std::string_view(out.data(), out.size() - 1));
  }

  ExportBuffer out_;
  Array array_ = Array::closed;
  bool first_ = true;
};

}  // namespace

std::unique_ptr<ExportWriter> json_export_writer(ExportSink sink) {
  return std::make_unique<JsonExportWriter>(std::move(sink));
}

}  // namespace efface::codec
