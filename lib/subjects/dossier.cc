#include "subjects/dossier.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "efface/limits.h"

namespace efface {

const char* name(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::consent_granted:
      return "consent_granted";
    case EventKind::consent_withdrawn:
      return "consent_withdrawn";
    case EventKind::objected:
      return "objected";
    case EventKind::objection_lifted:
      return "objection_lifted";
    case EventKind::restricted:
      return "restricted";
    case EventKind::restriction_lifted:
      return "restriction_lifted";
    case EventKind::held:
      return "held";
    case EventKind::hold_released:
      return "hold_released";
    case EventKind::erasure_asked:
      return "erasure_asked";
    case EventKind::rectified:
      return "rectified";
    case EventKind::reinstated:
      return "reinstated";
    case EventKind::transferred:
      return "transferred";
    case EventKind::identifier_added:
      return "identifier_added";
    case EventKind::merged:
      return "merged";
  }
  return "unknown";
}

}  // namespace efface

namespace efface::subjects {
namespace {

std::int64_t to_ms(TimePoint when) noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count();
}

}  // namespace

Result<DossierFile> DossierFile::read(std::optional<codec::Plaintext> file) {
  DossierFile dossier;
  if (!file) return dossier;
  dossier.file_ = *std::move(file);
  EFFACE_ASSIGN(dossier.fields_, codec::decode_dossier(std::as_const(dossier.file_).bytes()));
  return dossier;
}

void DossierFile::add_event(EventKind kind, PurposeNumber purpose, TimePoint when,
                            std::string_view actor, const Evidence& evidence) {
  auto& events = fields_.events;
  events.push_back({static_cast<std::uint8_t>(kind), purpose, to_ms(when), evidence.text_version,
                    evidence.channel, actor});
  if (events.size() <= limits::events_per_subject_max) return;
  // The oldest that is not the last of its purpose: how each purpose stands can always be shown.
  for (auto at = events.begin(); at != events.end(); ++at) {
    const PurposeNumber of = at->purpose;
    if (std::none_of(at + 1, events.end(), [&](const auto& later) { return later.purpose == of; }))
      continue;
    events.erase(at);
    ++fields_.events_dropped;
    return;
  }
}

Result<HoldNumber> DossierFile::add_hold(const HoldTerms& terms, TimePoint now) {
  if (fields_.holds.size() == limits::holds_per_subject_max)
    return Error(Errc::too_large, "a person has at most 64 legal holds at once");
  const HoldNumber number = ++fields_.last_hold;
  fields_.holds.push_back(
      {number, terms.basis, terms.reason, to_ms(now), terms.until ? to_ms(*terms.until) : 0});
  return number;
}

bool DossierFile::remove_hold(HoldNumber number) {
  return std::erase_if(fields_.holds, [&](const auto& h) { return h.number == number; }) != 0;
}

std::size_t DossierFile::remove_ended(TimePoint now) {
  const std::int64_t now_ms = to_ms(now);
  return std::erase_if(fields_.holds,
                       [&](const auto& h) { return h.until_ms != 0 && h.until_ms <= now_ms; });
}

void DossierFile::ask(Asked what, const keyring::Handle& handle, Bytes token) {
  const auto kind = static_cast<std::uint8_t>(what);
  for (const auto& each : fields_.asked)
    if (each.kind == kind && each.handle == handle) return;
  fields_.asked.push_back({kind, handle, token});
}

bool DossierFile::erasure_asked() const noexcept {
  return std::any_of(fields_.asked.begin(), fields_.asked.end(), [](const auto& each) {
    return each.kind == static_cast<std::uint8_t>(Asked::erasure);
  });
}

Status DossierFile::add_alias(Bytes id) {
  if (fields_.aliases.size() == limits::identifiers_per_subject_max)
    return Error(Errc::too_large, "a person has at most 64 further identifiers");
  fields_.aliases.push_back(id);
  return {};
}

void DossierFile::take_over(const codec::DossierFields& other) {
  std::vector<codec::EventFields> all;
  std::merge(fields_.events.begin(), fields_.events.end(), other.events.begin(), other.events.end(),
             std::back_inserter(all),
             [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
  fields_.events = std::move(all);
  fields_.events_dropped += other.events_dropped;
}

}  // namespace efface::subjects
