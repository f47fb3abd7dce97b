// What the headers of include/efface/ show: the example of each stands here between begin and end,
// so it compiles; tests/docs compares. The program lives through them and ends at the first
// surprise.
//
// headers DIRECTORY: whatever stands there is replaced.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "efface/efface.h"

namespace {

using namespace efface;
using std::chrono::system_clock;

namespace fs = std::filesystem;

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

unsigned long long number(std::uint64_t value) { return value; }

std::unique_ptr<FileRootKeyStore> key_file(const fs::path& path) {
  FileRootKeyStoreOptions keys;
  keys.path = path;
  keys.accept_l0 = true;  // Whatever file system this runs on.
  return FileRootKeyStore::create(keys).value();
}

struct Shop {
  Store store;
  Region eu;
  Tenant tenant;
  Purpose orders;
  Purpose news;
};

std::chrono::nanoseconds took_in_all{0};  // By all calls and their phases.

Store make_store(const fs::path& home, RootKeyStore& root_keys) {
  OpenOptions options;
  options.accept_l0 = true;
  options.require_locked_memory = false;
  // begin: observe.h
  options.on_log = [](const LogEntry& entry) { std::puts(to_text(entry).c_str()); };
  options.trace.end = [](const TraceSpan& span) { took_in_all += span.took; };
  // end: observe.h
  // begin: store.h
  options.directory = home / "people";
  options.regions = {{"eu", &root_keys}};
  Store store = Store::create(options).value();  // And from then on Store::open.
  // end: store.h
  return store;
}

Shop open_shop(Store store) {
  // begin: tenant.h
  const Region eu = store.region("eu").value();
  const Tenant shop = store.declare_tenant("shop", {&eu, 1}, Actor("web")).value();
  const Purpose orders = shop.declare_purpose({"orders", LegalBasis::contract}).value();
  // end: tenant.h
  // begin: types.h
  PurposeTerms terms;
  terms.name = "news";
  terms.basis = LegalBasis::consent;
  terms.retention = Days(365);  // After which maintain() destroys the key of that day.
  const Purpose news = shop.declare_purpose(terms).value();
  // end: types.h
  return {std::move(store), eu, shop, orders, news};
}

void read_and_write(const Shop& all) {
  const auto& [store, eu, shop, orders, news] = all;
  // begin: subject.h
  const Subject alice = shop.enrol(SubjectId("alice"), eu).value();  // Then subject().
  // end: subject.h
  // begin: activity.h
  const Activity selling = shop.activity(orders).value();
  selling.put(alice, RecordName("order-1"), as_bytes("tea")).value();
  const std::optional<Record> order = selling.get(alice, RecordName("order-1")).value();
  // end: activity.h
  check(order.has_value(), "the order is there");
  // begin: record.h
  const std::string_view ordered = as_text(order->bytes());  // As long as order lives.
  const bool for_ever = !order->expires();
  // end: record.h
  check(ordered == "tea" && for_ever, "she ordered tea");
  // begin: bytes.h
  std::size_t names = 0;
  const auto look = [&](std::string_view) { return ++names < 10 ? Flow::more : Flow::stop; };
  selling.list(alice, {}, look).value();
  // end: bytes.h
  check(names == 1, "there is one order");
  // begin: result.h
  const auto found = selling.get(alice, RecordName(""));
  if (!found) std::printf("%s: %s\n", name(found.error().code()), found.error().note());
  // end: result.h
  check(!found && found.error().code() == Errc::invalid_argument, "a name is not empty");
  const std::string value = "an advertisement";
  // begin: limits.h
  if (value.size() <= limits::value_bytes_max)
    selling.put(alice, RecordName("flyer"), as_bytes(value)).value();
  // end: limits.h
}

void rights(const Shop& all, const fs::path&) {
  const auto& [store, eu, shop, orders, news] = all;
  const Subject alice = shop.subject(SubjectId("alice")).value();
  // begin: rights.h
  shop.grant(alice, news, {.text_version = "terms-2026-05", .channel = "web"}).value();
  Query question;
  question.purpose = news;
  question.consent = true;
  const std::uint64_t consenting = shop.count(question).value();
  // end: rights.h
  check(consenting == 1, "she consents");
  // begin: portability.h
  const RecipientKeyPair hers = RecipientKeyPair::generate().value();
  ExportOptions sealed;
  sealed.recipient = hers.public_key();
  std::string for_her_alone;
  const auto sink = [&](Bytes some) -> Status {
    for_her_alone += as_text(some);
    return {};
  };
  shop.export_subject(alice, sealed, sink).value();
  // end: portability.h
  check(for_her_alone.size() > 100 && for_her_alone.find("tea") == std::string::npos, "sealed");
  // begin: sealer.h
  const Sealer notes = shop.sealer(orders).value();
  const SealContext where("orders.note/42");
  const auto bytes = notes.seal(alice, where, as_bytes("Ring twice.")).value();
  // ... into a column, a log, a bucket; later:
  const Unsealed note = notes.open(alice, where, bytes).value();
  // end: sealer.h
  check(as_text(note.bytes()) == "Ring twice.", "the note opens");
}

void operate(const Shop& all, const fs::path& home) {
  const auto& [store, eu, shop, orders, news] = all;
  // begin: stats.h
  const std::string scraped = prometheus_text(store.stats().value());
  // end: stats.h
  check(scraped.find("efface_region_open") != std::string::npos, "there are metrics");
  // begin: doctor.h
  for (const Finding& finding : store.diagnose().value())
    if (finding.severity >= Severity::warning)
      std::printf("%s: %s %s\n", finding.check, finding.says, finding.remedy);
  const bool well = store.check().value().clean();
  // end: doctor.h
  check(well, "nothing is damaged");
  // begin: backup.h
  const BackupReport made = store.backup({.target = home / "monday"}).value();
  Store::verify_backup(home / "monday").value();
  // end: backup.h
  check(made.regions.size() == 1, "one region is backed up");
  // begin: forensics.h
  const fs::path places[] = {home / "monday"};
  const ForensicsCount records = store.forensics(places, {}).value().counts.records;
  std::printf("%llu of %llu open\n", number(records.opened), number(records.found));
  // end: forensics.h
  check(records.opened > 0, "what lives opens");
  // begin: progress.h
  MaintainOptions daily;
  daily.on_progress = [](const Progress& at) {
    std::printf("%llu of %llu steps\n", number(at.done), number(at.total));
  };
  store.maintain(daily).value();
  // end: progress.h
  // begin: incident.h
  IncidentTerms terms;
  terms.from = system_clock::now() - std::chrono::hours(48);
  terms.until = terms.discovered = system_clock::now();
  terms.exposed = {.records = true, .keyring = true};
  terms.reference = "INC-17: a disk was sold";
  const IncidentNumber incident = store.open_incident(terms, Actor("security")).value();
  // end: incident.h
  check(reach_of(store.incident(incident).value().terms.exposed) == Reach::nothing, "no root key");
}

// Answers the capsule's key pair.
RecipientKeyPair make_capsule(const Shop& all, const fs::path& home) {
  const auto& [store, eu, shop, orders, news] = all;
  // begin: capsule.h
  RecipientKeyPair october = RecipientKeyPair::generate().value();  // Its secret: not here.
  CapsuleOptions options;
  options.target = home / "eu.capsule";
  options.recipient = october.public_key();
  options.opens_until = system_clock::now() + std::chrono::days(30);
  store.make_capsule(eu, options, Actor("operations")).value();
  // end: capsule.h
  return october;
}

void erase(const Shop& all) {
  const auto& [store, eu, shop, orders, news] = all;
  Subject alice = shop.subject(SubjectId("alice")).value();
  // begin: receipt.h
  const Erasure erasure = shop.erase(std::move(alice)).value();
  const std::string receipt = shop.receipt(erasure.receipts.front()).value();
  // Elsewhere, with the operator's key, and the salt to show whom it is about:
  const std::string key = store.verifier_key(eu).value();
  const Receipt says = verify_receipt(receipt, key).value();
  verify_about(says, erasure.receipts.front().salt, "shop", "alice").value();
  // end: receipt.h
  check(says.kind == ReceiptKind::erasure, "it says that she was erased");
}

void restore(const fs::path& home, RootKeyStore& root_keys) {
  OpenOptions options;
  options.directory = home / "people";
  options.regions = {{"eu", &root_keys}};
  options.accept_l0 = true;
  options.require_locked_memory = false;
  // begin: restore.h
  RestoreOptions from;
  from.records = home / "monday";
  const RestoreReport report = Store::restore(options, from).value();  // Then the store opens.
  // end: restore.h
  check(report.regions.front().records_replaced, "the records are those of the backup");
  const Store store = Store::open(options).value();
  const Tenant shop = store.tenant("shop", Actor("web")).value();
  check(!shop.subject(SubjectId("alice")), "nobody came back");
}

void several(const fs::path& home) {
  const auto one = key_file(home / "one.key");
  const auto other = key_file(home / "other.key");
  {
    // begin: composite_root_key_store.h
    RootKeyStore* const members[] = {one.get(), other.get()};  // A file and a token, say.
    const auto root_keys = CompositeRootKeyStore::over(members).value();
    // end: composite_root_key_store.h
    check(root_keys->replicas().of == 2, "it has two members");
  }
  // begin: replicated_root_key_store.h
  RootKeyStore* const replicas[] = {one.get(), other.get()};  // In two buildings, say.
  const auto root_keys = ReplicatedRootKeyStore::over(replicas).value();
  // end: replicated_root_key_store.h
  // begin: root_key_store.h
  const Assurance assurance = root_keys->assurance();
  std::printf("%s: %s\n", name(assurance.level), assurance.rests_on);
  // end: root_key_store.h
}

std::unique_ptr<FileRootKeyStore> with_passphrase(const fs::path& home) {
  const std::string_view passphrase = "correct horse battery staple";
  FileRootKeyStoreOptions options;
  options.accept_l0 = true;
  options.passphrase_memory_kib = 8 * 1024;  // Quick, for an example.
  // begin: file_root_key_store.h
  options.path = home / "eu.key";  // Not where the data is, and in no backup.
  options.passphrase = as_bytes(passphrase);
  auto root_keys = FileRootKeyStore::create(options).value();
  // end: file_root_key_store.h
  return root_keys;
}

// Compiled, and not called: nothing here has a token.
[[maybe_unused]] std::unique_ptr<RootKeyStore> in_an_hsm(std::string_view pin) {
  // begin: pkcs11_root_key_store.h
  Pkcs11RootKeyStoreOptions options;
  options.module = "/usr/lib/softhsm/libsofthsm2.so";
  options.token_label = "efface";
  options.pin = as_bytes(pin);
  auto root_keys = Pkcs11RootKeyStore::create(options).value();
  // end: pkcs11_root_key_store.h
  return root_keys;
}
#if EFFACE_HAS_TPM
[[maybe_unused]] std::unique_ptr<RootKeyStore> in_a_tpm(Bytes random) {
  // begin: tpm_root_key_store.h
  TpmRootKeyStoreOptions options;
  options.tcti = "device:/dev/tpmrm0";
  options.auth = random;  // At most 32 bytes, kept by whoever may read the keys.
  auto root_keys = TpmRootKeyStore::create(options).value();
  // end: tpm_root_key_store.h
  return root_keys;
}
#endif

int run(const fs::path& home) {
  // begin: harden.h
  if (!harden_process()) return 1;  // First of all.
  // end: harden.h
  fs::remove_all(home);
  fs::create_directories(home);
  fs::permissions(home, fs::perms::owner_all);
  const auto root_keys = with_passphrase(home);
  {
    const Shop shop = open_shop(make_store(home, *root_keys));
    read_and_write(shop);
    rights(shop, home);
    operate(shop, home);
    check(make_capsule(shop, home).public_key() != RecipientPublicKey{}, "it has a key");
    erase(shop);
  }
  check(took_in_all.count() > 0, "calls took some time");
  restore(home, *root_keys);
  several(home);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("headers DIRECTORY\n", stderr);
    return 2;
  }
  return run(argv[1]);
}
