#include "oracle/world.h"

#include <algorithm>

#include "oracle/require.h"

namespace disclosure {
namespace {

using efface::Errc;

efface::Bytes bytes(std::string_view text) { return efface::as_bytes(text); }

constexpr std::size_t names_each = 6;

}  // namespace

// Noon of some day, and a millisecond more each time that somebody asks.
std::chrono::system_clock::time_point World::now() {
  clock_ += std::chrono::milliseconds(1);
  return clock_;
}

std::uint32_t World::today() {
  return static_cast<std::uint32_t>(
      std::chrono::floor<std::chrono::days>(clock_.time_since_epoch()).count());
}

World::World(const WorldOptions& options) : options_(options), random_(options.seed) {
  clock_ = first_noon;
  recorder_.watch_for(std::string(marker));
  make_root_stores();
  auto made = efface::Store::create(this->options());
  require(made, "create");
  store_ = *std::move(made);
  tenants_.resize(options.tenants);
  for (std::size_t i = 0; i < tenants_.size(); ++i) declare(i);
}

void World::make_root_stores() {
  root_stores_.clear();
  for (const std::string& region : options_.regions) {
    if (options_.root_store != RootStore::file) {
      auto memory = std::make_unique<efface::test::MemoryRootKeyStore>();
      memory->lying = options_.root_store == RootStore::lying;
      root_stores_.push_back(std::move(memory));
      continue;
    }
    efface::FileRootKeyStoreOptions where;
    where.path = home_ / (region + ".key");
    where.accept_l0 = true;
    auto opened = std::filesystem::exists(where.path) ? efface::FileRootKeyStore::open(where)
                                                      : efface::FileRootKeyStore::create(where);
    require(opened, "root key file");
    root_stores_.push_back(*std::move(opened));
  }
}

efface::OpenOptions World::options() {
  efface::OpenOptions out;
  out.directory = store_path();
  for (std::size_t i = 0; i < options_.regions.size(); ++i)
    out.regions.push_back({options_.regions[i], root_stores_[i].get(), {}});
  out.regions.front().keyring_mirrors = {mirror_path()};
  out.require_locked_memory = false;
  out.accept_l0 = true;
  out.now = &now;
  return out;
}

void World::open() {
  auto opened = efface::Store::open(options());
  require(opened, "open");
  store_ = *std::move(opened);
  for (TenantHere& tenant : tenants_) {
    auto handle = store_->tenant(tenant.name, efface::Actor("test"));
    require(handle, "tenant");
    tenant.handle = *std::move(handle);
  }
}

void World::reopen() {
  for (TenantHere& tenant : tenants_) tenant.handle.reset();
  store_.reset();
  if (options_.root_store == RootStore::file) make_root_stores();
  open();
}

void World::declare(std::size_t slot) {
  TenantHere& tenant = tenants_[slot];
  tenant.name = "tenant-" + std::to_string(tenants_ever_++);
  auto handle = store_->declare_tenant(tenant.name, store_->regions(), efface::Actor("test"));
  require(handle, "declare");
  tenant.handle = *std::move(handle);
  for (const char* purpose : {"kept", "expiring", "consented"}) {
    efface::PurposeTerms terms;
    terms.name = purpose;
    if (terms.name == "expiring") terms.retention = efface::Days(retention_days);
    if (terms.name == "consented") terms.basis = efface::LegalBasis::consent;
    require(tenant.handle->declare_purpose(terms), "purpose");
  }
}

std::string World::new_value(std::size_t size) {
  std::string value = std::string(marker) + "-" + std::to_string(values_++) + "-";
  while (value.size() < size) value.push_back(static_cast<char>('a' + below(26)));
  return value;
}

std::string World::new_note() { return std::string(marker) + "-note-" + std::to_string(notes_++); }

std::string World::new_id() { return std::string(marker) + "-person-" + std::to_string(people_++); }

std::string World::any_name(const Person& person) {
  const std::string prefix = std::string(marker) + "-name-";
  std::string chosen = prefix + std::to_string(below(names_each));
  if (purpose_of_name(chosen) == consented && person.consent != Consent::granted)
    chosen = prefix + "1";
  return chosen;
}

std::uint16_t World::purpose_of_name(const std::string& record_name) {
  const int last = record_name.back() - '0';
  return last == 5 ? consented : last % 3 == 0 ? expiring : kept;
}

Person& World::anyone() {
  require(!order_.empty(), "nobody lives");
  return living_.at(order_[below(order_.size())]);
}

efface::Activity World::activity(const Person& person, const std::string& record_name) {
  const efface::Tenant& tenant = *tenants_[person.tenant].handle;
  constexpr const char* names[] = {"", "kept", "expiring", "consented"};
  auto purpose = tenant.purpose(names[purpose_of_name(record_name)]);
  require(purpose, "purpose");
  auto activity = tenant.activity(*purpose);
  require(activity, "activity");
  return *std::move(activity);
}

efface::Subject World::subject_of(const Person& person) {
  const std::vector<std::string> ids = person.ids();
  const std::string& id = ids[below(ids.size())];
  auto subject = tenants_[person.tenant].handle->subject(efface::SubjectId(id));
  require(subject, "a living person is not found");
  return *std::move(subject);
}

void World::put_value(Person& person, const std::string& record_name, std::string value) {
  require(activity(person, record_name)
              .put(subject_of(person), efface::RecordName(record_name), bytes(value)),
          "put");
  note_put(person, record_name, std::move(value));
}

void World::note_put(Person& person, const std::string& record_name, std::string value) {
  note_removed(person, record_name);
  const std::uint16_t purpose = purpose_of_name(record_name);
  person.records[record_name] = {std::move(value), purpose,
                                 purpose == expiring ? today() + retention_days : never};
}

bool World::note_removed(Person& person, const std::string& record_name) {
  for (auto* records : {&person.records, &person.past_day}) {
    const auto at = records->find(record_name);
    if (at == records->end()) continue;
    person.residue.push_back(std::move(at->second));
    records->erase(at);
    return true;
  }
  return false;
}

void World::enrol(std::size_t people) {
  // Uneven, so that some trees are small and one is tall.
  const std::size_t tenant = std::min(below(tenants_.size()), below(tenants_.size()));
  const std::size_t region =
      std::min(below(options_.regions.size()), below(options_.regions.size()));
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < people; ++i) ids.push_back(new_id());
  const std::vector<efface::SubjectId> views(ids.begin(), ids.end());
  const auto home = store_->region(options_.regions[region]);
  require(home, "region");
  const auto purpose = tenants_[tenant].handle->purpose("expiring");
  require(purpose, "purpose");
  const auto subjects = tenants_[tenant].handle->find_or_enrol(views, *home, {&*purpose, 1});
  require(subjects, "enrol");
  for (const std::string& id : ids) {
    living_[id] = Person{tenant, region, id};
    order_.push_back(id);
    ids_in_use_.insert(id);
  }
  const std::string record_name = std::string(marker) + "-name-0";
  const efface::Activity writing = activity(living_.at(ids.front()), record_name);
  efface::Batch batch = writing.batch(*home);
  for (std::size_t i = 0; i < people; ++i) {
    Person& person = living_.at(ids[i]);
    std::string value = new_value(20 + below(200));
    require(batch.put((*subjects)[i], efface::RecordName(record_name), bytes(value)), "batch");
    note_put(person, record_name, std::move(value));
  }
  require(writing.commit(std::move(batch)), "commit");
}

void World::enrol_again() {
  for (int attempt = 0; attempt < 8 && !erased_.empty(); ++attempt) {
    const Erased& before = erased_[below(erased_.size())];
    const auto tenant = std::ranges::find(tenants_, before.tenant, &TenantHere::name);
    if (before.ids.empty() || tenant == tenants_.end()) continue;
    const std::string& id = before.ids[below(before.ids.size())];
    if (is_living(id) || suppressed_.contains(id)) continue;
    Person person{static_cast<std::size_t>(tenant - tenants_.begin()),
                  below(options_.regions.size()), id};
    const auto home = store_->region(options_.regions[person.region]);
    require(tenant->handle->enrol(efface::SubjectId(person.id), *home), "enrol again");
    order_.push_back(id);
    ids_in_use_.insert(id);
    Person& again = living_[id] = std::move(person);
    put_value(again, any_name(again), new_value(60));
    return;
  }
}

void World::put() {
  Person& person = anyone();
  put_value(person, any_name(person), new_value(20 + below(500)));
}

void World::put_large() {
  Person& person = anyone();
  put_value(person, any_name(person), new_value(3000 + below(9000)));
}

void World::update() {
  Person& person = anyone();
  const std::string record_name = any_name(person);
  if (person.past_day.contains(record_name)) return;
  const std::string value = new_value(100);
  const auto change = [&](std::optional<efface::Bytes>) -> efface::Result<efface::Update> {
    return efface::Update::put(bytes(value));
  };
  require(activity(person, record_name)
              .update(subject_of(person), efface::RecordName(record_name), change),
          "update");
  note_put(person, record_name, value);
}

void World::remove() {
  Person& person = anyone();
  const std::string record_name = any_name(person);
  const auto removed =
      activity(person, record_name).remove(subject_of(person), efface::RecordName(record_name));
  require(removed, "remove");
  require(*removed == note_removed(person, record_name), "another record was there");
}

void World::read() {
  const Person& person = anyone();
  const std::string record_name = any_name(person);
  const auto found =
      activity(person, record_name).get(subject_of(person), efface::RecordName(record_name));
  if (person.past_day.contains(record_name)) {
    require(!found && found.error().code() == Errc::expired, "what only a hold keeps was read");
    return;
  }
  require(found, "get");
  const auto expected = person.records.find(record_name);
  require(found->has_value() == (expected != person.records.end()), "a record came or went");
  if (*found)
    require(efface::as_text((**found).bytes()) == expected->second.value,
            "a record says something else");
}

std::vector<std::string> Person::ids() const {
  std::vector<std::string> all = further_ids;
  all.push_back(id);
  return all;
}

std::vector<Row> World::rows_of(const Person& person,
                                const std::function<bool(std::uint16_t)>& which) const {
  std::vector<Row> rows;
  for (const auto& [region, tree] : live_trees())
    if (const auto tenant = tree.tenant(tenants_[person.tenant].name))
      for (const std::string& id : person.ids())
        for (Row& row : tree.person(*tenant, id))
          if (which(row.label)) rows.push_back(std::move(row));
  return rows;
}

Erased World::snapshot(const Person& person) const {
  Erased erased{Reason::erased, tenants_[person.tenant].name, person.ids()};
  erased.rows = rows_of(person, [](std::uint16_t) { return true; });
  require(!erased.rows.empty(), "a living person has no rows");
  for (const auto* records : {&person.records, &person.past_day})
    for (const auto& [record, written] : *records) erased.values.push_back(written.value);
  for (const auto* list : {&person.residue, &person.waiting, &person.waiting_residue})
    for (const Written& written : *list) erased.values.push_back(written.value);
  for (const auto* list : {&person.notes, &person.old_notes})
    erased.notes.insert(erased.notes.end(), list->begin(), list->end());
  return erased;
}

void World::note_erased(const std::string& id, Erased erased) {
  for (const std::string& each : living_.at(id).ids()) ids_in_use_.erase(each);
  erased_.push_back(std::move(erased));
  living_.erase(id);
  std::erase(order_, id);
}

void World::erase() {
  Person& person = anyone();
  if (person.hold) return erase_held(person);
  const std::string id = person.id;
  Erased gone = snapshot(person);
  const auto erased = tenants_[person.tenant].handle->erase(subject_of(person));
  require(erased, "erase");
  note_erased(id, std::move(gone));
}

void World::erase_many(std::size_t people) {
  const std::size_t tenant = anyone().tenant;
  std::map<std::string, Erased> gone;
  for (std::size_t i = 0; i < people; ++i)
    if (const Person& person = anyone(); person.tenant == tenant && !person.hold)
      gone.try_emplace(person.id, snapshot(person));
  if (gone.empty()) return;
  std::vector<efface::SubjectId> ids;
  for (const auto& [id, rows] : gone) ids.emplace_back(id);
  const auto erased = tenants_[tenant].handle->erase(ids);
  require(erased, "erase many");
  require(erased->erased == gone.size(), "somebody was not erased");
  for (auto& [id, rows] : gone) note_erased(id, std::move(rows));
}

void World::erase_failing(Fault fault) {
  if (fault == Fault::root_key_write && options_.root_store != RootStore::file) return;
  const Person* const chosen = anyone_free();
  if (chosen == nullptr) return;
  const Person& person = *chosen;
  const std::string id = person.id;
  Erased gone = snapshot(person);
  efface::Subject subject = subject_of(person);
  recorder_.fail(fault);
  const auto erased = tenants_[person.tenant].handle->erase(std::move(subject));
  require(recorder_.has_failed(), "nothing failed");
  recorder_.fail(Fault::none);
  require(!erased, "an erasure answered success over a failure");
  reopen();
  const auto found = tenants_[person.tenant].handle->subject(efface::SubjectId(id));
  if (found) return;
  require(found.error().code() == Errc::subject_unknown, "a person is neither here nor gone");
  note_erased(id, std::move(gone));
}

void World::offboard_and_declare() {
  const std::size_t slot = std::max(below(tenants_.size()), below(tenants_.size()));
  std::vector<std::string> ids;
  for (const auto& [id, person] : living_)
    if (person.tenant == slot && person.hold) ids.push_back(id);
  for (const std::string& id : ids) release(living_.at(id));
  const Images live = live_images();
  const Result all = search(live, root_keys());
  const std::string tenant_name = tenants_[slot].name;
  for (const auto& [region, tree] : live_trees()) {
    const auto tenant = tree.tenant(tenant_name);
    require(tenant.has_value(), "a tenant is not there");
    Erased gone{Reason::offboarded, tenant_name};
    gone.tenant_number = tenant->number;
    for (const Row& row : all.rows())
      if (row.region == region && row.tenant == tenant->number) gone.rows.push_back(row);
    require(gone.rows.size() >= 4, "a tenant has too few rows");
    erased_.push_back(std::move(gone));
  }
  ids.clear();
  for (const auto& [id, person] : living_)
    if (person.tenant == slot) ids.push_back(id);
  for (const std::string& id : ids) note_erased(id, snapshot(living_.at(id)));
  std::erase_if(suppressed_, [&](const auto& each) { return each.second == slot; });
  const auto plan = store_->prepare_offboard(*tenants_[slot].handle);
  require(plan, "plan an offboarding");
  require(store_->offboard(*std::move(tenants_[slot].handle), plan->token), "offboard");
  declare(slot);
}

// Without re-keying: what has residue keeps it until rekey_all.
void World::maintain() {
  efface::MaintainOptions options;
  options.residue_window = std::chrono::hours(24 * 365 * 100);
  const auto done = store_->maintain(options);
  require(done, "maintain");
  require(!done->expiry_waits, "days that expired were not destroyed");
}

void World::step() {
  const std::uint64_t dice = below(1000);
  if (order_.size() < options_.people_min || dice < 20) return enrol(2 + below(40));
  if (dice < 130) return enrol(1);
  if (dice < 150) return enrol_again();
  if (dice < 400) return put();
  if (dice < 410) return put_large();
  if (dice < 450) return update();
  if (dice < 500) return remove();
  if (dice < 590) return read();
  if (dice < 780) return erase();
  if (dice < 800) return erase_many(1 + below(20));
  if (dice < 802) return offboard_and_declare();
  if (dice < 817) return maintain();
  if (dice < 827) return reopen();
  if (dice < 990) return step_of_rights(dice - 827);
  constexpr Fault faults[] = {Fault::meta_write, Fault::meta_write_answer, Fault::page_write,
                              Fault::sync, Fault::root_key_write};
  erase_failing(faults[below(std::size(faults))]);
}

std::vector<std::filesystem::path> World::keyrings() const {
  std::vector<std::filesystem::path> paths;
  for (const std::string& region : options_.regions)
    paths.push_back(store_path() / region / "keyring" / "data.mdb");
  return paths;
}

RootKeys World::root_keys() const {
  RootKeys keys;
  for (std::size_t i = 0; i < options_.regions.size(); ++i) {
    if (options_.root_store == RootStore::file) {
      const auto file = RootKeys::from_file(home_ / (options_.regions[i] + ".key"));
      require(file.has_value(), "a root key file is none");
      keys.add_all(*file);
      continue;
    }
    const auto& memory = static_cast<const efface::test::MemoryRootKeyStore&>(*root_stores_[i]);
    for (const auto* held : {&memory.live(), &memory.kept()})
      for (const auto& [epoch, key] : *held) keys.add(memory.id(), epoch, key_at(key.bytes(), 0));
  }
  return keys;
}

RootKeys World::destroyed_root_keys() const {
  constexpr std::size_t slots_max = 12;
  RootKeys keys;
  for (const std::string& region : options_.regions) {
    const auto file = MappedFile::open(home_ / (region + ".key"));
    require(file.has_value(), "a root key file cannot be read");
    const Id store = id_at(file->bytes(), 16);
    std::size_t found = 0;
    const auto& slots = recorder_.slots();
    for (std::size_t i = slots.size(); i-- > 0 && found < slots_max;)
      if (keys.add_slot(store, slots[i])) ++found;
  }
  return keys;
}

Images World::live_images() const {
  Images images;
  for (const auto& path : keyrings()) require(images.add_live(path), "a keyring cannot be read");
  return images;
}

std::map<Id, LiveTree> World::live_trees() const {
  std::map<Id, LiveTree> trees;
  const RootKeys keys = root_keys();
  for (const auto& path : keyrings()) {
    auto tree = LiveTree::open(path, keys);
    require(tree.has_value(), "a live keyring does not open");
    const Id region = tree->region();
    trees.emplace(region, *std::move(tree));
  }
  return trees;
}

}  // namespace disclosure
