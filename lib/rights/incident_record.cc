#include "rights/incident_record.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/utf8.h"

namespace efface::rights {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t flags_known = 0x1f;

std::uint64_t to_ms(TimePoint when) {
  return static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count());
}

TimePoint from_ms(std::uint64_t ms) {
  return TimePoint(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

class Writer {
 public:
  template <std::unsigned_integral T>
  void number(T value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    store_le(out_.data() + at, value);
  }
  void time(TimePoint when) { number(to_ms(when)); }
  void time(const std::optional<TimePoint>& when) {
    number(when ? to_ms(*when) : std::uint64_t{0});
  }
  void text(std::string_view text) {
    EFFACE_CHECK(text.size() <= UINT16_MAX);
    number(static_cast<std::uint16_t>(text.size()));
    const Bytes bytes = as_bytes(text);
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> finish() && { return std::move(out_); }

 private:
  std::vector<std::byte> out_;
};

// What is not there reads as zero, and is noticed at the end.
class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {}

  template <std::unsigned_integral T>
  T number() {
    const Bytes bytes = take(sizeof(T));
    return bytes.empty() ? T{0} : load_le<T>(bytes.data());
  }
  TimePoint time() { return from_ms(milliseconds()); }
  std::optional<TimePoint> time_if_any() {
    const std::uint64_t ms = milliseconds();
    if (ms == 0) return std::nullopt;
    return from_ms(ms);
  }
  std::string text() {
    const auto size = number<std::uint16_t>();
    const std::string_view text = as_text(take(size));
    ok_ = ok_ && base::is_utf8(text);
    return std::string(text);
  }
  // Of things that take at least a byte each: no count makes more of them than there are bytes.
  std::size_t count() {
    const auto count = number<std::uint32_t>();
    ok_ = ok_ && count <= left_.size();
    return ok_ ? count : 0;
  }
  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return ok_ && left_.empty(); }

 private:
  Bytes take(std::size_t size) {
    ok_ = ok_ && size <= left_.size();
    if (!ok_) return {};
    const Bytes taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  // What the clock can say: it ends in 2262.
  std::uint64_t milliseconds() {
    const auto ms = number<std::uint64_t>();
    ok_ = ok_ && ms <= to_ms(TimePoint::max());
    return ok_ ? ms : 0;
  }

  Bytes left_;
  bool ok_ = true;
};

std::uint8_t flags_of(const Incident& incident) {
  const Exposed& exposed = incident.terms.exposed;
  return static_cast<std::uint8_t>((exposed.records ? 1 : 0) | (exposed.keyring ? 2 : 0) |
                                   (exposed.root_key ? 4 : 0) | (exposed.memory ? 8 : 0) |
                                   (incident.every_tenant ? 16 : 0));
}

}  // namespace

std::vector<std::byte> encode(const IncidentRecord& record) {
  const Incident& incident = record.incident;
  EFFACE_CHECK(record.told.size() == incident.terms.tenants.size());
  Writer out;
  out.number(version);
  out.number(flags_of(incident));
  out.number(std::uint16_t{0});
  out.time(incident.opened);
  out.time(incident.terms.discovered);
  out.time(incident.terms.from);
  out.time(incident.terms.until);
  out.time(incident.authority_notified);
  out.time(incident.people_notified);
  out.time(incident.closed);
  out.text(incident.opened_by);
  out.text(incident.terms.reference);
  out.number(static_cast<std::uint32_t>(incident.terms.regions.size()));
  for (const std::string& region : incident.terms.regions) out.text(region);
  out.number(static_cast<std::uint32_t>(incident.terms.tenants.size()));
  for (std::size_t i = 0; i < incident.terms.tenants.size(); ++i) {
    out.text(incident.terms.tenants[i]);
    out.number(static_cast<std::uint8_t>(record.told[i] ? 1 : 0));
  }
  out.number(static_cast<std::uint32_t>(incident.updates.size()));
  for (const IncidentUpdate& update : incident.updates) {
    out.time(update.when);
    out.text(update.actor);
    out.text(update.text);
  }
  return std::move(out).finish();
}

Result<IncidentRecord> decode_incident(Bytes bytes) {
  const Error damaged(Errc::corruption, "not an incident of the register");
  Reader in(bytes);
  const auto of_version = in.number<std::uint8_t>();
  if (of_version > version)
    return Error(Errc::format_new, "an incident that a later version wrote");
  const auto flags = in.number<std::uint8_t>();
  if (of_version != version || (flags & ~flags_known) != 0 || in.number<std::uint16_t>() != 0)
    return damaged;
  IncidentRecord record;
  Incident& incident = record.incident;
  incident.terms.exposed = {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0};
  incident.every_tenant = (flags & 16) != 0;
  incident.opened = in.time();
  incident.terms.discovered = in.time();
  incident.terms.from = in.time();
  incident.terms.until = in.time();
  incident.authority_notified = in.time_if_any();
  incident.people_notified = in.time_if_any();
  incident.closed = in.time_if_any();
  incident.opened_by = in.text();
  incident.terms.reference = in.text();
  for (std::size_t count = in.count(); count > 0 && in.ok(); --count)
    incident.terms.regions.push_back(in.text());
  for (std::size_t count = in.count(); count > 0 && in.ok(); --count) {
    incident.terms.tenants.push_back(in.text());
    const auto told = in.number<std::uint8_t>();
    if (told > 1) return damaged;
    record.told.push_back(told != 0);
  }
  for (std::size_t count = in.count(); count > 0 && in.ok(); --count) {
    IncidentUpdate& update = incident.updates.emplace_back();
    update.when = in.time();
    update.actor = in.text();
    update.text = in.text();
  }
  if (!in.at_end() || incident.terms.regions.empty()) return damaged;
  return record;
}

}  // namespace efface::rights
