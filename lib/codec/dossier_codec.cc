#include "codec/dossier_codec.h"

#include <dossier_generated.h>

#include <algorithm>

#include "base/check.h"
#include "codec/flat.h"

namespace efface::codec {
namespace {

// An empty text takes no room.
flatbuffers::Offset<flatbuffers::String> maybe(FlatBuilder& flat, std::string_view text) {
  return text.empty() ? flatbuffers::Offset<flatbuffers::String>() : flat.text(text);
}

}  // namespace

Plaintext encode(const DossierFields& fields) {
  FlatBuilder flat(usual_bytes);
  std::vector<flatbuffers::Offset<schema::Event>> events;
  for (const EventFields& event : fields.events) {
    const auto version = maybe(flat, event.text_version);
    const auto channel = maybe(flat, event.channel);
    events.push_back(schema::CreateEvent(*flat, event.kind, event.purpose, event.at_ms, version,
                                         channel, maybe(flat, event.actor)));
  }
  std::vector<flatbuffers::Offset<schema::Hold>> holds;
  for (const HoldFields& hold : fields.holds) {
    const auto basis = flat.text(hold.basis);
    holds.push_back(schema::CreateHold(*flat, hold.number, basis, flat.text(hold.reason),
                                       hold.since_ms, hold.until_ms));
  }
  std::vector<flatbuffers::Offset<schema::Asked>> asked;
  for (const AskedFields& each : fields.asked) {
    const auto handle = flat.bytes(each.handle);
    asked.push_back(schema::CreateAsked(*flat, each.kind, handle, flat.bytes(each.token)));
  }
  std::vector<flatbuffers::Offset<schema::Alias>> aliases;
  for (const Bytes id : fields.aliases)
    aliases.push_back(schema::CreateAlias(*flat, flat.bytes(id)));
  const auto all_events = flat->CreateVector(events);
  const auto all_holds = flat->CreateVector(holds);
  const auto all_asked = flat->CreateVector(asked);
  return flat.finish(
      schema::CreateDossier(*flat, all_events, fields.events_dropped, all_holds, fields.last_hold,
                            all_asked, flat->CreateVector(aliases)),
      schema::DossierIdentifier());
}

Result<DossierFields> decode_dossier(Bytes plain) {
  EFFACE_CHECK(is_aligned(plain));
  auto verify = verifier(plain);
  if (!schema::VerifyDossierBuffer(verify)) return Error(Errc::corruption, "not a person's file");
  const auto* const dossier = schema::GetDossier(plain.data());
  DossierFields fields;
  if (const auto* events = dossier->events())
    for (const auto* event : *events)
      fields.events.push_back({event->kind(), event->purpose(), event->at_ms(),
                               view(event->text_version()), view(event->channel()),
                               view(event->actor())});
  fields.events_dropped = dossier->events_dropped();
  if (const auto* holds = dossier->holds())
    for (const auto* hold : *holds)
      fields.holds.push_back({hold->number(), view(hold->basis()), view(hold->reason()),
                              hold->since_ms(), hold->until_ms()});
  fields.last_hold = dossier->last_hold();
  if (const auto* asked = dossier->asked())
    for (const auto* each : *asked) {
      AskedFields& into =
          fields.asked.emplace_back(AskedFields{each->kind(), {}, view(each->token())});
      const Bytes handle = view(each->handle());
      if (handle.size() != into.handle.size())
        return Error(Errc::corruption, "a person's file names no row");
      std::ranges::copy(handle, into.handle.begin());
    }
  if (const auto* aliases = dossier->aliases())
    for (const auto* alias : *aliases) fields.aliases.push_back(view(alias->id()));
  return fields;
}

}  // namespace efface::codec
