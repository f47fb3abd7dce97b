#include "faults/world.h"

#include <array>

#include "base/check.h"
#include "faults/injector.h"
#include "faults/library_step.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

std::chrono::seconds offset{};

TimePoint now() { return std::chrono::system_clock::now() + offset; }

bool is_there(const std::filesystem::path& path) {
  const Unhindered own;
  return std::filesystem::exists(path);
}

// Each call of it may be one that fails.
class RootKeysThatFail final : public RootKeyStore {
 public:
  explicit RootKeysThatFail(RootKeyStore& real) : real_(real) {}
  StoreId id() const override { return real_.id(); }
  Assurance assurance() const override { return real_.assurance(); }
  Replicas replicas() const override { return real_.replicas(); }
  Result<std::vector<Epoch>> list() override {
    if (fails()) return refusal();
    return real_.list();
  }
  Result<Anchor> anchor() override {
    if (fails()) return refusal();
    return real_.anchor();
  }
  Status create(Epoch epoch, const Anchor& anchor) override {
    if (fails()) return refusal();
    return real_.create(epoch, anchor);
  }
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    if (fails()) return refusal();
    return real_.wrap(epoch, context, key);
  }
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    if (fails()) return refusal();
    return real_.unwrap(epoch, context, wrapped, out);
  }
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    if (fails()) return refusal();
    return real_.rotate(destroyed, created, anchor);
  }
  Status destroy(Epoch epoch) override {
    if (fails()) return refusal();
    return real_.destroy(epoch);
  }
  Result<bool> lies_within(const std::string& directory) const override {
    if (fails()) return refusal();
    return real_.lies_within(directory);
  }
  Result<bool> shares_volume(const std::string& directory) const override {
    if (fails()) return refusal();
    return real_.shares_volume(directory);
  }
  bool keeps_in_clear() const override { return real_.keeps_in_clear(); }
  bool may_be_shared() const override { return real_.may_be_shared(); }

 private:
  static bool fails() { return library_step(Call::root_keys) != 0; }
  static Error refusal() { return {Errc::token_unavailable, "told to fail"}; }
  RootKeyStore& real_;
};

// Of a purpose, a person or a record: absence and refusal are part of what there is.
bool is_state(Errc code) {
  switch (code) {
    case Errc::subject_unknown:
    case Errc::suppressed:
    case Errc::restricted:
    case Errc::objected:
    case Errc::consent_missing:
    case Errc::expired:
    case Errc::tenant_unknown:
    case Errc::purpose_not_permitted:
    case Errc::purpose_unknown:
    case Errc::transfer_pending:
      return true;
    default:
      return false;
  }
}

}  // namespace

World::World(std::filesystem::path home, bool two_regions, Days later, Manner manner)
    : home_(std::move(home)), region_names_{"eu"}, manner_(manner) {
  if (two_regions) region_names_.push_back("us");
  offset = later;
}

std::vector<Region> World::regions() const {
  const Unhindered own;
  return store_->regions();
}

std::filesystem::path World::backup() const {
  const Unhindered own;
  return home_ / "backup";
}

std::filesystem::path World::capsule() const {
  const Unhindered own;
  return home_ / "capsule";
}

OpenOptions World::options() const {
  const Unhindered own;
  OpenOptions options;
  options.directory = home_ / "store";
  for (const std::string& name : region_names_) {
    const auto held = root_keys_.find(name);
    options.regions.push_back(
        {name, held == root_keys_.end() ? nullptr : held->second.given.get()});
    if (manner_ == Manner::mirrored) options.regions.back().keyring_mirrors = {mirror(name)};
    if (manner_ == Manner::elsewhere) {
      options.regions.back().directory = elsewhere(name);
      options.regions.back().ledger_copy = home_ / (name + ".ledger");
    }
  }
  options.shared = manner_ == Manner::shared;
  options.verify_structure = manner_ == Manner::verified;
  options.require_locked_memory = false;
  options.accept_l0 = true;
  options.deadline = std::chrono::milliseconds(300);  // Somebody else has a lock for ever.
  options.now = now;
  if (also) also(options);
  return options;
}

std::vector<FileRootKeyStoreOptions> World::root_key_files(const std::string& region) const {
  const Unhindered own;
  std::vector<FileRootKeyStoreOptions> files{root_key_options(root_key(region))};
  files[0].shared = manner_ == Manner::shared;
  if (manner_ == Manner::passphrase) {
    files[0].passphrase = as_bytes("correct horse");
    files[0].passphrase_memory_kib = 8;
    files[0].passphrase_passes = 1;
  }
  if (manner_ == Manner::composite || manner_ == Manner::replicated)
    files.push_back(root_key_options(home_ / (region + ".other.key")));
  return files;
}

Status World::hold_root_keys(const std::string& region, bool creates) {
  RootKeys opened;
  std::vector<RootKeyStore*> all;
  for (const FileRootKeyStoreOptions& file : root_key_files(region)) {
    EFFACE_ASSIGN(auto one, creates && !is_there(file.path) ? FileRootKeyStore::create(file)
                                                            : FileRootKeyStore::open(file));
    const Unhindered own;
    all.push_back(one.get());
    opened.files.push_back(std::move(one));
  }
  if (manner_ == Manner::composite) {
    EFFACE_ASSIGN(opened.over, CompositeRootKeyStore::over(all));
  } else if (manner_ == Manner::replicated) {
    EFFACE_ASSIGN(opened.over, ReplicatedRootKeyStore::over(all));
  }
  const Unhindered own;
  opened.given = std::make_unique<RootKeysThatFail>(
      opened.over != nullptr ? *opened.over : static_cast<RootKeyStore&>(*opened.files[0]));
  root_keys_[region] = std::move(opened);
  return {};
}

Status World::open_root_keys() {
  for (const std::string& name : region_names_) {
    if (!root_keys_.contains(name)) EFFACE_TRY(hold_root_keys(name, false));
  }
  return {};
}

Status World::open_next_root_keys() {
  const auto path = root_key_options(next_root_key());
  EFFACE_ASSIGN(other_root_keys_, std::filesystem::exists(path.path)
                                      ? FileRootKeyStore::open(path)
                                      : FileRootKeyStore::create(path));
  return {};
}

Status World::open_left_root_keys() {
  EFFACE_ASSIGN(other_root_keys_, FileRootKeyStore::open(root_key_files("eu")[0]));
  return {};
}

bool World::has_moved() const { return is_there(next_root_key()); }

Status World::open_store() {
  auto opened = Store::open(options());
  if (!opened && opened.error().code() == Errc::root_key_mismatch && has_moved()) {
    root_keys_.clear();
    EFFACE_ASSIGN(auto next, FileRootKeyStore::open(root_key_options(next_root_key())));
    const Unhindered own;
    root_keys_["eu"].given = std::make_unique<RootKeysThatFail>(*next);
    root_keys_["eu"].files.push_back(std::move(next));
    opened = Store::open(options());
  }
  EFFACE_TRY(opened);
  store_.emplace(*std::move(opened));
  auto tenant = store_->tenant("acme", Actor("desk"));
  if (tenant) tenant_.emplace(*std::move(tenant));
  if (tenant || tenant.error().code() == Errc::tenant_unknown) return {};
  store_.reset();
  return tenant.error();
}

Status World::open() {
  EFFACE_TRY(open_root_keys());
  return open_store();
}

void World::close() {
  tenant_.reset();
  store_.reset();
  root_keys_.clear();
  other_root_keys_.reset();
}

Status World::put(std::string_view id, std::string_view purpose, std::string_view name,
                  std::string_view value) {
  return activity(purpose).put(subject(id), RecordName(name), as_bytes(value));
}

Status World::create_root_keys() {
  for (const std::string& name : region_names_) EFFACE_TRY(hold_root_keys(name, true));
  return {};
}

Status World::create_store() {
  EFFACE_ASSIGN(Store made, Store::create(options()));
  store_.emplace(std::move(made));
  return {};
}

Status World::make() {
  EFFACE_TRY(create_root_keys());
  EFFACE_TRY(create_store());
  const std::vector<Region> all = regions();
  EFFACE_ASSIGN(Tenant tenant, store_->declare_tenant("acme", all, Actor("desk")));
  tenant_.emplace(std::move(tenant));
  EFFACE_TRY(tenant_->declare_purpose({"orders", LegalBasis::contract, Days(2)}));
  EFFACE_TRY(tenant_->declare_purpose({"news", LegalBasis::consent}));
  EFFACE_TRY(tenant_->declare_purpose({"ads", LegalBasis::legitimate_interest}));
  EFFACE_TRY(make_people());
  return make_duties();
}

Status World::make_people() {
  const std::vector<SubjectId> ids(std::begin(everyone), std::end(everyone) - 3);
  EFFACE_TRY(tenant_->find_or_enrol(ids, region()));
  EFFACE_TRY(tenant_->enrol(SubjectId(bystander), region()));
  EFFACE_TRY(put(bystander, "ads", "probe~7Qz3Vw9K", "before"));
  for (const char* id :
       {"ann~7Qz3Vw9K", "bob~7Qz3Vw9K", "cat~7Qz3Vw9K", "fay~7Qz3Vw9K", "gus~7Qz3Vw9K"}) {
    EFFACE_TRY(put(id, "orders", "first~7Qz3Vw9K", "one~7Qz3Vw9K"));
    EFFACE_TRY(put(id, "orders", "second~7Qz3Vw9K", std::string(300, 'x')));
    EFFACE_TRY(put(id, "ads", "third~7Qz3Vw9K", "three~7Qz3Vw9K"));
  }
  // What is replaced is residue; and who was told what, and how, is in her summary.
  const std::array<std::string_view, 2> told{"a courier", "a bank"};
  PutOptions with;
  with.recipients = told;
  with.automated_decision = true;
  EFFACE_TRY(activity("orders").put(subject("ann~7Qz3Vw9K"), RecordName("first~7Qz3Vw9K"),
                                    as_bytes("won~7Qz3Vw9K"), with));
  EFFACE_TRY(tenant_->grant(subject("ann~7Qz3Vw9K"), purpose("news"), {"v1", "web"}));
  EFFACE_TRY(put("ann~7Qz3Vw9K", "news", "topic~7Qz3Vw9K", "sports~7Qz3Vw9K"));
  return {};
}

Status World::make_duties() {
  EFFACE_TRY(tenant_->object(subject("bob~7Qz3Vw9K"), purpose("ads")));
  EFFACE_TRY(tenant_->hold(subject("cat~7Qz3Vw9K"), {"litigation", "a reason"}));
  EFFACE_TRY(tenant_->restrict(subject("dan~7Qz3Vw9K")));
  EFFACE_TRY(tenant_->suppress(SubjectId("eve~7Qz3Vw9K")));
  EFFACE_TRY(tenant_->add_identifier(subject("ann~7Qz3Vw9K"), SubjectId("anna~7Qz3Vw9K")));
  EraseOptions asked;
  asked.receipt.request = as_bytes("request-1");
  EFFACE_TRY(tenant_->erase(subject("gus~7Qz3Vw9K"), asked));  // Her ciphertexts wait for maintain.
  IncidentTerms terms;
  terms.from = terms.until = terms.discovered = now() - std::chrono::hours(1);
  terms.exposed.records = true;
  terms.reference = "a lost disk";
  EFFACE_TRY(store_->open_incident(terms, Actor("desk")));
  return {};
}

Status World::observe_person(std::string_view id, std::string& into) {
  into += id;
  const auto found = tenant_->subject(SubjectId(id));
  if (!found) {
    if (!is_state(found.error().code())) return found.error();
    into += std::string(" ") + efface::name(found.error().code()) + "\n";
    return {};
  }
  into += " in " + std::string(found->home().name());
  EFFACE_TRY(tenant_->dossier(*found, [&](const Dossier& file) {
    into += file.restricted ? " restricted" : "";
    into += file.erasure_asked ? " erasure_asked" : "";
    for (const Event& event : file.events) into += std::string(" ") + efface::name(event.kind);
    into += " holds " + std::to_string(file.holds.size());
    into += " ids " + std::to_string(file.identifiers.size());
  }));
  for (const char* why : purposes) {
    const auto known = tenant_->purpose(why);
    if (!known) return known.error();
    const auto reader = tenant_->activity(*known);
    if (!reader) return reader.error();
    into += std::string("; ") + why;
    for (const char* record : {"first~7Qz3Vw9K", "second~7Qz3Vw9K", "third~7Qz3Vw9K",
                               "topic~7Qz3Vw9K", "new~7Qz3Vw9K", "shared~7Qz3Vw9K"}) {
      const auto got = reader->get(*found, RecordName(record));
      if (!got && !is_state(got.error().code())) return got.error();
      into += " ";
      if (!got)
        into += efface::name(got.error().code());
      else
        into += *got ? std::string(as_text((**got).bytes())) : "-";
    }
  }
  into += "\n";
  return {};
}

Status World::observe_terms(std::string& into) {
  for (const TenantInfo& tenant : store_->tenants()) {
    into += "tenant " + tenant.name;
    for (const std::string& region : tenant.regions) into += " " + region;
    into += "\n";
  }
  EFFACE_ASSIGN(const auto incidents, store_->incidents());
  for (const Incident& incident : incidents)
    into += "incident, updates " + std::to_string(incident.updates.size()) +
            (incident.authority_notified ? " notified" : "") + (incident.closed ? " closed" : "") +
            "\n";
  if (!tenant_) return {};
  const auto terms = tenant_->purposes();
  if (!terms && terms.error().code() == Errc::tenant_unknown) return {};
  EFFACE_TRY(terms);
  for (const PurposeTerms& purpose : *terms) into += "purpose " + purpose.name + "\n";
  EFFACE_ASSIGN(const auto rules, tenant_->transfer_rules());
  EFFACE_ASSIGN(const auto agreement, tenant_->agreement());
  into += "rules " + std::to_string(rules.size()) + (agreement ? " agreement" : "") + "\n";
  for (const char* id : everyone) EFFACE_TRY(observe_person(id, into));
  return {};
}

Result<std::string> World::observe() {
  std::string all;
  EFFACE_TRY(observe_terms(all));
  return all;
}

Result<std::map<std::string, Epoch>> World::epochs() {
  EFFACE_ASSIGN(const Stats stats, store_->stats());
  std::map<std::string, Epoch> all;
  for (const RegionStats& region : stats.regions) all[region.name] = region.epoch;
  return all;
}

}  // namespace efface::test
