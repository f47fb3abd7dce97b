// A support desk: what is known of a person, putting a mistake right, and handing all of it out.
//
// support_desk DIRECTORY: whatever stands there is replaced.
#include <fstream>

#include "example.h"

namespace {

using namespace examples;

// begin: overview
// What a clerk sees first: the names of her records, purpose by purpose, and what is on file.
std::string overview(const Tenant& tenant, const Subject& subject) {
  std::string text;
  for (const PurposeTerms& terms : must(tenant.purposes())) {
    const Activity activity = must(tenant.activity(must(tenant.purpose(terms.name))));
    text += terms.name + ":";
    const auto listed = activity.list(subject, {}, [&](std::string_view record) {
      text.append(" ").append(record);
      return Flow::more;
    });
    // A purpose that the clerk may not read for now says why: consent_missing, objected ...
    if (!listed) text.append(" ").append(name(listed.error().code()));
    text += "\n";
  }
  must(tenant.dossier(subject, [&](const Dossier& file) {
    for (const Event& event : file.events)
      text.append(name(event.kind)).append(" by ").append(event.actor).append("\n");
  }));
  return text;
}
// end: overview

// begin: rectify
// What it replaces is read by nobody from now on, and its bytes are shredded by maintain().
void rectify(const Activity& activity, const Subject& subject, std::string_view record,
             std::string_view right) {
  PutOptions options;
  options.rectifies = true;  // Noted in her file, with the desk that did it.
  must(activity.put(subject, RecordName(record), as_bytes(right), options));
}
// end: rectify

// begin: hand_out
// All that is known of her, sealed to a key of hers: nobody on its way reads it.
void hand_out(const Tenant& tenant, const Subject& subject, const RecipientPublicKey& hers,
              const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary);
  ExportOptions options;
  options.recipient = hers;
  must(tenant.export_subject(subject, options, [&](Bytes some) -> Status {
    const std::string_view text = as_text(some);
    if (file.write(text.data(), static_cast<std::streamsize>(text.size()))) return {};
    return Error(Errc::io, "the export could not be written");
  }));
  check(file.flush().good());
}
// end: hand_out

std::string opened(const std::filesystem::path& path, const RecipientKeyPair& keys) {
  std::ifstream file(path, std::ios::binary);
  std::string json;
  must(open_export(
      [&](std::span<std::byte> into) -> Result<std::size_t> {
        file.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
        return static_cast<std::size_t>(file.gcount());
      },
      keys,
      [&](Bytes some) -> Status {
        json += as_text(some);
        return {};
      }));
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Trial trial(argv[1]);
  const Store store = trial.create();
  const Region eu = must(store.region("eu"));
  const Tenant desk = must(store.declare_tenant("acme", {&eu, 1}, Actor("support")));
  const Activity orders = must(desk.activity(must(desk.declare_purpose({"orders"}))));
  must(desk.declare_purpose({"news", LegalBasis::consent}));
  const Subject alice = must(desk.enrol(SubjectId("alice"), eu));
  must(orders.put(alice, RecordName("address"), as_bytes("1 Main Street")));
  must(orders.put(alice, RecordName("order-1"), as_bytes("tea")));

  rectify(orders, alice, "address", "7 Main Street");
  std::fputs(overview(desk, alice).c_str(), stdout);

  const RecipientKeyPair hers = must(RecipientKeyPair::generate());
  const auto path = std::filesystem::path(argv[1]) / "alice.export";
  hand_out(desk, alice, hers.public_key(), path);
  const std::string json = opened(path, hers);
  check(json.find("7 Main Street") != json.npos && json.find("1 Main Street") == json.npos);
  return 0;
}
