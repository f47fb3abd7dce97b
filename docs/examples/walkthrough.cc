// One person, from consent to suppression. docs/walkthrough.md tells it with the pieces that stand
// here between begin and end; the program runs as a test and ends at the first surprise.
//
// walkthrough DIRECTORY: whatever stands there is replaced.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "efface/efface.h"

namespace {

using namespace efface;

[[noreturn]] void surprised(const char* what, std::source_location at) {
  std::fprintf(stderr, "line %u: %s\n", static_cast<unsigned>(at.line()), what);
  std::exit(1);
}

// begin: helpers
// The value of a call that has to succeed.
template <class T>
T must(Result<T> result, std::source_location at = std::source_location::current()) {
  if (!result) surprised(name(result.error().code()), at);
  return *std::move(result);
}
// What a call is refused with.
template <class T>
void refused(const Result<T>& result, Errc code,
             std::source_location at = std::source_location::current()) {
  if (result || result.error().code() != code) surprised("not refused as it should be", at);
}
// end: helpers

void must(const Status& status, std::source_location at = std::source_location::current()) {
  if (!status) surprised(name(status.error().code()), at);
}

void check(bool holds, std::source_location at = std::source_location::current()) {
  if (!holds) surprised("not so", at);
}

// What a reader sees: the value, or that nothing of that name is there.
std::string read(const Activity& activity, const Subject& subject, std::string_view record,
                 std::source_location at = std::source_location::current()) {
  const std::optional<Record> found = must(activity.get(subject, RecordName(record)), at);
  return found ? std::string(as_text(found->bytes())) : "nothing";
}

std::unique_ptr<FileRootKeyStore> root_keys(const std::filesystem::path& path) {
  FileRootKeyStoreOptions options;
  options.path = path;
  options.accept_l0 = true;  // Whatever file system this runs on.
  return must(FileRootKeyStore::create(options));
}

Days days_passed{0};
std::chrono::system_clock::time_point now() {
  return std::chrono::system_clock::now() + days_passed;
}

std::vector<std::string> told;  // By on_erased.

struct Shop {
  Store store;
  Region eu;
  Region us;
  Tenant acme;
  Purpose orders;
  Purpose news;
  Purpose fraud;
};

Store open_store(const std::filesystem::path& home, RootKeyStore& eu_keys, RootKeyStore& us_keys) {
  // begin: store
  OpenOptions options;
  options.directory = home / "people";
  options.regions = {{"eu-west", &eu_keys, {}}, {"us-east", &us_keys, {}}};
  options.on_erased = [](std::string_view, Bytes token) {
    told.emplace_back(as_text(token));  // A service drops what it derived, and says that it did.
    return true;
  };
  // end: store
  options.now = now;
  options.accept_l0 = true;
  options.require_locked_memory = false;
  return must(Store::create(options));
}

Shop open_shop(Store store) {
  // begin: purposes
  const Region eu = must(store.region("eu-west"));
  const Region us = must(store.region("us-east"));
  const Region both[] = {eu, us};
  const Tenant acme = must(store.declare_tenant("acme", both, Actor("shop")));
  const Purpose orders = must(acme.declare_purpose({"orders", LegalBasis::contract}));
  const Purpose news = must(acme.declare_purpose({"news", LegalBasis::consent}));
  const Purpose fraud = must(acme.declare_purpose({"fraud", LegalBasis::legitimate_interest}));
  // end: purposes
  return {std::move(store), eu, us, acme, orders, news, fraud};
}

void consent(const Shop& shop) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  // begin: consent
  const Subject alice = must(acme.enrol(SubjectId("alice"), eu));
  const Activity newsletter = must(acme.activity(news));
  refused(newsletter.put(alice, RecordName("likes"), as_bytes("films")), Errc::consent_missing);

  must(acme.grant(alice, news, {.text_version = "terms-2026-05", .channel = "web"}));
  PutOptions from_form;
  from_form.origin = "sign-up form";
  const std::string_view recipients[] = {"printer"};
  from_form.recipients = recipients;
  must(newsletter.put(alice, RecordName("likes"), as_bytes("films"), from_form));
  // end: consent
  check(read(newsletter, alice, "likes") == "films");
}

void purpose(const Shop& shop, const Subject& alice) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  // begin: purpose
  const Activity selling = must(acme.activity(orders));
  const Activity newsletter = must(acme.activity(news));
  const Activity watching = must(acme.activity(fraud));
  PutOptions also_for_fraud;
  also_for_fraud.also_permitted = {&fraud, 1};
  must(selling.put(alice, RecordName("order-1"), as_bytes("tea"), also_for_fraud));

  const std::optional<Record> seen = must(watching.get(alice, RecordName("order-1")));
  refused(newsletter.get(alice, RecordName("order-1")), Errc::purpose_not_permitted);
  // end: purpose
  check(seen && as_text(seen->bytes()) == "tea");
}

void objection(const Shop& shop, const Subject& alice) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity selling = must(acme.activity(orders));
  const Activity watching = must(acme.activity(fraud));
  // begin: objection
  must(acme.object(alice, fraud));
  refused(watching.get(alice, RecordName("order-1")), Errc::objected);
  must(acme.lift_objection(alice, fraud));
  // end: objection
  check(read(watching, alice, "order-1") == "tea");
  // begin: restriction
  must(acme.restrict(alice));
  refused(selling.get(alice, RecordName("order-1")), Errc::restricted);
  refused(selling.put(alice, RecordName("order-2"), as_bytes("cake")), Errc::restricted);
  // end: restriction
}

void access_and_portability(const Shop& shop, const Subject& alice) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  // begin: export
  std::string json;
  must(acme.export_subject(alice, {}, [&](Bytes some) -> Status {
    json += as_text(some);
    return {};
  }));

  const RecipientKeyPair hers = must(RecipientKeyPair::generate());
  ExportOptions sealed;
  sealed.recipient = hers.public_key();
  std::string for_her_alone;
  must(acme.export_subject(alice, sealed, [&](Bytes some) -> Status {
    for_her_alone += as_text(some);
    return {};
  }));
  must(acme.lift_restriction(alice));
  // end: export
  for (const char* const said : {"\"tea\"", "\"films\"", "\"terms-2026-05\"", "\"printer\""})
    check(json.find(said) != std::string::npos);
  check(for_her_alone.find("films") == std::string::npos);
  // begin: open
  std::string opened;
  std::size_t at = 0;
  must(open_export(
      [&](std::span<std::byte> into) -> Result<std::size_t> {
        const std::size_t some =
            for_her_alone.copy(reinterpret_cast<char*>(into.data()), into.size(), at);
        at += some;
        return some;
      },
      hers,
      [&](Bytes some) -> Status {
        opened += as_text(some);
        return {};
      }));
  // end: open
  check(opened.find("\"films\"") != std::string::npos);
}

void rectification(const Shop& shop, const Subject& alice) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity selling = must(acme.activity(orders));
  // begin: rectification
  PutOptions corrected;
  corrected.rectifies = true;
  must(selling.put(alice, RecordName("order-1"), as_bytes("green tea"), corrected));
  // end: rectification
  check(read(selling, alice, "order-1") == "green tea");
}

void retention(const Shop& shop, const Subject& alice) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity selling = must(acme.activity(orders));
  // begin: retention
  PutOptions for_a_month;
  for_a_month.retention = Days(30);
  must(selling.put(alice, RecordName("delivery-1"), as_bytes("back door"), for_a_month));

  days_passed += Days(31);
  refused(selling.get(alice, RecordName("delivery-1")), Errc::expired);
  const Maintained done = must(store.maintain());
  // end: retention
  check(done.buckets_expired == 1);
  check(done.scopes_rekeyed == 1);  // The order before it was rectified.
  check(read(selling, alice, "delivery-1") == "nothing");
}

void hold(const Shop& shop) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity selling = must(acme.activity(orders));
  // begin: hold
  const Subject alice = must(acme.subject(SubjectId("alice")));
  const HoldNumber number =
      must(acme.hold(alice, {.basis = "litigation", .reason = "case 17 of the district court"}));

  const EraseOptions ticket{as_bytes("ticket-4711")};
  refused(acme.erase(must(acme.subject(SubjectId("alice"))), ticket), Errc::legal_hold);
  refused(selling.get(alice, RecordName("order-1")), Errc::restricted);
  // end: hold
  check(told.empty());
  // begin: dossier
  must(acme.dossier(alice, [](const Dossier& file) {
    if (file.erasure_asked)
      for (const Hold& hold : file.holds)
        std::printf("an erasure waits for hold %u (%.*s)\n", hold.number,
                    static_cast<int>(hold.basis.size()), hold.basis.data());
  }));
  // end: dossier
  // begin: release
  const Erasure erasure = must(acme.release(alice, number));
  for (const Erasure::InRegion& region : erasure.regions)
    std::printf("%s: epoch %llu is over (%s: %s)\n", region.region.c_str(),
                static_cast<unsigned long long>(region.epoch_before), name(region.assurance.level),
                region.assurance.rests_on);
  refused(acme.subject(SubjectId("alice")), Errc::subject_unknown);
  refused(selling.get(alice, RecordName("order-1")), Errc::subject_erased);
  // end: release
  check(erasure.erased == 1 && erasure.regions.size() == 1);
  check(told == std::vector<std::string>{"ticket-4711"});
}

void again(const Shop& shop) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity newsletter = must(acme.activity(news));
  // begin: again
  const Subject alice = must(acme.enrol(SubjectId("alice"), eu));
  refused(newsletter.get(alice, RecordName("likes")), Errc::consent_missing);
  // end: again
  // begin: withdrawal
  must(acme.grant(alice, news, {.text_version = "terms-2026-06", .channel = "shop"}));
  must(newsletter.put(alice, RecordName("likes"), as_bytes("tea, not films")));
  const Erasure destroyed = must(acme.withdraw(alice, news, {.channel = "phone"}));
  refused(newsletter.get(alice, RecordName("likes")), Errc::consent_missing);

  must(acme.grant(alice, news, {.text_version = "terms-2026-06", .channel = "web"}));
  // end: withdrawal
  check(destroyed.erased == 1 && read(newsletter, alice, "likes") == "nothing");
}

void transfer(const Shop& shop) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity selling = must(acme.activity(orders));
  Subject alice = must(acme.subject(SubjectId("alice")));
  must(selling.put(alice, RecordName("order-2"), as_bytes("cake")));
  // begin: transfer
  must(acme.permit_transfer({"us-east", "eu-west", TransferBasis::adequacy}));
  must(acme.transfer(alice, us, TransferBasis::standard_clauses));
  refused(selling.get(alice, RecordName("order-2")), Errc::subject_erased);  // Who she was there.
  alice = must(acme.subject(SubjectId("alice")));
  // end: transfer
  check(alice.home() == us && read(selling, alice, "order-2") == "cake");
}

void suppression(const Shop& shop) {
  const auto& [store, eu, us, acme, orders, news, fraud] = shop;
  const Activity selling = must(acme.activity(orders));
  // begin: suppression
  must(acme.suppress(SubjectId("alice")));
  refused(acme.enrol(SubjectId("alice"), eu), Errc::suppressed);
  refused(selling.put(SubjectId("alice"), us, RecordName("order-3"), as_bytes("tea")),
          Errc::suppressed);

  must(acme.reinstate(SubjectId("alice"), "opened an account again, in the shop"));
  const Subject alice = must(acme.enrol(SubjectId("alice"), eu));
  // end: suppression
  check(read(selling, alice, "order-2") == "nothing");
}

int run(const std::filesystem::path& home) {
  std::filesystem::remove_all(home);
  std::filesystem::create_directories(home);
  std::filesystem::permissions(home, std::filesystem::perms::owner_all);
  const auto eu_keys = root_keys(home / "eu-west.root");
  const auto us_keys = root_keys(home / "us-east.root");
  const Shop shop = open_shop(open_store(home, *eu_keys, *us_keys));
  consent(shop);
  {
    const Subject alice = must(shop.acme.subject(SubjectId("alice")));
    purpose(shop, alice);
    objection(shop, alice);
    access_and_portability(shop, alice);
    rectification(shop, alice);
    retention(shop, alice);
  }
  hold(shop);
  again(shop);
  transfer(shop);
  suppression(shop);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("walkthrough DIRECTORY\n", stderr);
    return 2;
  }
  return run(argv[1]);
}
