// What is on file about a person: refused, or the same again after it is written anew; and what is
// added to it is in it.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "efface/limits.h"
#include "input.h"
#include "subjects/dossier.h"

namespace efface::fuzz {
namespace {

using subjects::DossierFile;

std::string_view text(Input& input) { return as_text(input.take(input.byte())); }

bool same_fields(const codec::DossierFields& a, const codec::DossierFields& b) {
  const auto event = [](const codec::EventFields& x, const codec::EventFields& y) {
    return x.kind == y.kind && x.purpose == y.purpose && x.at_ms == y.at_ms &&
           x.text_version == y.text_version && x.channel == y.channel && x.actor == y.actor;
  };
  const auto hold = [](const codec::HoldFields& x, const codec::HoldFields& y) {
    return x.number == y.number && x.basis == y.basis && x.reason == y.reason &&
           x.since_ms == y.since_ms && x.until_ms == y.until_ms;
  };
  const auto asked = [](const codec::AskedFields& x, const codec::AskedFields& y) {
    return x.kind == y.kind && x.handle == y.handle && same(x.token, y.token);
  };
  return std::ranges::equal(a.events, b.events, event) &&
         std::ranges::equal(a.holds, b.holds, hold) &&
         std::ranges::equal(a.asked, b.asked, asked) &&
         std::ranges::equal(a.aliases, b.aliases, [](Bytes x, Bytes y) { return same(x, y); }) &&
         a.events_dropped == b.events_dropped && a.last_hold == b.last_hold;
}

DossierFile again(const DossierFile& file) {
  auto read = DossierFile::read(file.encode());
  EFFACE_CHECK(read && same_fields(read->fields(), file.fields()));
  for (const codec::EventFields& event : read->fields().events)
    touch(as_bytes(std::string_view(name(static_cast<EventKind>(event.kind)))));
  return *std::move(read);
}

void change(DossierFile& file, Input& input) {
  const TimePoint now{std::chrono::milliseconds(input.number<std::uint32_t>())};
  switch (input.below(8)) {
    case 0:
    case 1:
      file.add_event(static_cast<EventKind>(input.below(16)), input.byte(), now, text(input),
                     {text(input), text(input), std::nullopt});
      EFFACE_CHECK(!file.fields().events.empty());
      break;
    case 2: {
      const bool ends = input.below(2) != 0;
      const auto number =
          file.add_hold({text(input), text(input), ends ? std::optional(now) : std::nullopt}, now);
      EFFACE_CHECK(number || file.fields().holds.size() >= limits::holds_per_subject_max);
      if (number && input.below(2) != 0) EFFACE_CHECK(file.remove_hold(*number));
      break;
    }
    case 3:
      file.remove_ended(now);
      break;
    case 4:
      file.ask(static_cast<subjects::Asked>(1 + input.below(2)), input.array<16>(),
               input.take(input.byte()));
      EFFACE_CHECK(!file.fields().asked.empty());
      break;
    case 5:
      if (file.erasure_asked()) EFFACE_CHECK(!file.fields().asked.empty());
      file.forget_asked();
      EFFACE_CHECK(!file.erasure_asked());
      break;
    case 6:
      EFFACE_CHECK(file.add_alias(input.take(input.byte())) ||
                   file.fields().aliases.size() >= limits::identifiers_per_subject_max);
      break;
    default: {
      const std::size_t before = file.fields().events.size();
      const DossierFile other = again(file);
      if (before > 100) break;
      file.take_over(other.fields());
      file = again(file);  // While those texts are there.
      EFFACE_CHECK(file.fields().events.size() == 2 * before);
    }
  }
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  fuzz::Input input(data, size);
  const bool raw = input.below(2) == 0;
  auto file = raw ? subjects::DossierFile::read(fuzz::owned(input.rest()))
                  : subjects::DossierFile::read(std::nullopt);
  if (!file) return 0;
  *file = fuzz::again(*file);
  for (int i = 0; i < 16 && !input.empty(); ++i) fuzz::change(*file, input);
  static_cast<void>(fuzz::again(*file));
  return 0;
}
