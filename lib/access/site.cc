#include "access/site.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "access/custody.h"
#include "access/info.h"
#include "base/check.h"
#include "base/utf8.h"
#include "codec/manifest_codec.h"
#include "efface/limits.h"
#include "os/parent.h"
#include "subjects/pseudonym.h"

namespace efface::access {
namespace {

constexpr std::uint64_t manifest_bytes_max = 256 * 1024;

std::uint64_t next_instance() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::chrono::system_clock::time_point system_now() { return std::chrono::system_clock::now(); }

Status start(const OpenOptions& options) {
  EFFACE_TRY(crypto::initialise());
  if (!options.require_locked_memory) return {};
  crypto::require_locked_memory();
  return crypto::probe_locked_memory();
}

Status check_options(const OpenOptions& options) {
  if (options.directory.empty() || options.directory.filename().empty())
    return Error(Errc::invalid_argument, "a store needs a directory with a name");
  if (options.regions.size() > limits::regions_per_store_max)
    return Error(Errc::too_large, "a store has at most 64 regions");
  if (!options.processing_region.empty() && !base::is_label(options.processing_region))
    return Error(Errc::invalid_argument, "a processing region is 1 to 64 of [a-z0-9_.-]");
  std::set<std::string_view> names;
  for (const RegionOptions& region : options.regions) {
    if (options.shared && region.root_keys != nullptr && !region.root_keys->may_be_shared())
      return Error(Errc::unsupported, "processes cannot share this root key store");
    if (options.shared && !region.keyring_mirrors.empty())
      return Error(Errc::unsupported, "a store that processes share has no mirrors");
    if (!base::is_label(region.name))
      return Error(Errc::invalid_argument, "a region's name is 1 to 64 of [a-z0-9_.-]");
    if (!names.insert(region.name).second)
      return Error(Errc::invalid_argument, "a region is named twice");
  }
  return {};
}

// Beside all data, and without the root keys.
Status check_mirrors(const RegionOptions& region,
                     std::span<const std::filesystem::path> directories) {
  for (const std::filesystem::path& mirror : region.keyring_mirrors) {
    for (const std::filesystem::path& directory : directories) {
      EFFACE_ASSIGN(const bool inside, os::lies_within(mirror, directory));
      if (inside) return Error(Errc::unsafe_path, "a mirror lies inside the data that it mirrors");
    }
    EFFACE_TRY(check_outside(*region.root_keys, mirror));
  }
  return {};
}

Result<codec::StoreFields> read_manifest(const os::Directory& directory) {
  EFFACE_ASSIGN(const os::File file,
                os::File::open(directory, store_info_file, os::File::Access::read));
  EFFACE_ASSIGN(const std::uint64_t size, file.size());
  if (size == 0 || size > manifest_bytes_max)
    return Error(Errc::corruption, "the store's description has an impossible size");
  codec::Plaintext bytes(size);
  EFFACE_TRY(file.read_at(0, bytes.bytes()));
  EFFACE_ASSIGN(codec::StoreFields fields, codec::decode_store(std::as_const(bytes).bytes()));
  if (fields.format > store_format)
    return Error(Errc::format_new, "the store was written by a newer version");
  if (fields.format < store_format) return Error(Errc::format_old, "the store has an older format");
  for (const codec::StoreRegionFields& region : fields.regions)
    if (!base::is_label(region.name))
      return Error(Errc::corruption, "the store's description names no region");
  std::sort(fields.regions.begin(), fields.regions.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return fields;
}

bool is_elsewhere(std::string_view directory) noexcept { return directory.starts_with('/'); }

Result<os::Directory> region_directory(const os::Directory& store,
                                       const codec::StoreRegionFields& region) {
  if (is_elsewhere(region.directory)) return os::Directory::open(region.directory);
  if (region.directory != region.name)
    return Error(Errc::corruption, "a region lies where no region lies");
  return store.open_child(region.name);
}

}  // namespace

Status Site::create(const OpenOptions& options) {
  EFFACE_TRY(check_options(options));
  EFFACE_TRY(start(options));
  if (options.regions.empty())
    return Error(Errc::invalid_argument, "a store has at least one region");
  for (const RegionOptions& region : options.regions)
    if (region.root_keys == nullptr)
      return Error(Errc::root_key_missing, "creating a region needs its root key store");
  EFFACE_ASSIGN(const os::Directory parent, os::open_parent_of(options.directory));
  const std::string name = options.directory.filename().string();
  EFFACE_ASSIGN(const bool taken, parent.contains(name));
  if (taken) return Error(Errc::exists, "there is something at the store's path");
  std::vector<std::filesystem::path> data{options.directory};
  for (const RegionOptions& region : options.regions)
    if (!region.directory.empty()) data.push_back(region.directory);
  for (const RegionOptions& region : options.regions) EFFACE_TRY(check_mirrors(region, data));

  codec::StoreFields manifest{store_format, {}};
  for (const RegionOptions& region : options.regions) {
    if (region.directory.empty()) {
      manifest.regions.push_back({region.name, region.name});
      continue;
    }
    const auto elsewhere = std::filesystem::absolute(region.directory).lexically_normal();
    EFFACE_ASSIGN(const os::Directory volume, os::open_parent_of(elsewhere));
    EFFACE_TRY(create_region(volume, elsewhere.filename().string(), region.name, *region.root_keys,
                             options));
    EFFACE_TRY(check_outside(*region.root_keys, elsewhere));
    manifest.regions.push_back({region.name, elsewhere.string()});
  }
  const std::string temporary = name + ".new";
  EFFACE_TRY(parent.remove_tree(temporary));  // Left by a crash.
  EFFACE_ASSIGN(const os::Directory store, parent.create_child(temporary));
  for (const RegionOptions& region : options.regions)
    if (region.directory.empty())
      EFFACE_TRY(create_region(store, region.name, region.name, *region.root_keys, options));
  EFFACE_ASSIGN(const os::File file, os::File::create(store, store_info_file));
  const codec::Plaintext bytes = codec::encode(manifest);
  EFFACE_TRY(file.write_at(0, bytes.bytes()));
  EFFACE_TRY(file.sync());
  EFFACE_TRY(store.sync());
  EFFACE_TRY(parent.rename(temporary, name));
  return parent.sync();
}

Result<std::vector<std::string>> Site::region_names(const std::filesystem::path& directory) {
  EFFACE_ASSIGN(const os::Directory store, os::Directory::open(directory));
  EFFACE_ASSIGN(const codec::StoreFields manifest, read_manifest(store));
  std::vector<std::string> names;
  for (const codec::StoreRegionFields& region : manifest.regions) names.push_back(region.name);
  return names;
}

Result<std::vector<RegionPlace>> region_places(const std::filesystem::path& store) {
  EFFACE_TRY(crypto::initialise());
  EFFACE_ASSIGN(const os::Directory directory, os::Directory::open(store));
  EFFACE_ASSIGN(const codec::StoreFields manifest, read_manifest(directory));
  std::vector<RegionPlace> places;
  for (const codec::StoreRegionFields& region : manifest.regions) {
    EFFACE_ASSIGN(os::Directory found, region_directory(directory, region));
    EFFACE_ASSIGN(const Id16 id, region_id(found));
    places.push_back({region.name, id, std::move(found)});
  }
  return places;
}

Result<std::unique_ptr<Site>> Site::open(const OpenOptions& options, Opening opening,
                                         std::shared_ptr<base::Observer> observer) {
  EFFACE_TRY(check_options(options));
  EFFACE_TRY(start(options));
  EFFACE_ASSIGN(const os::Directory store, os::Directory::open(options.directory));
  EFFACE_ASSIGN(const codec::StoreFields manifest, read_manifest(store));
  if (observer == nullptr) observer = base::Observer::of(options.on_log, options.trace);
  std::unique_ptr<Site> site(
      new Site({options.now != nullptr ? options.now : &system_now, options.processing_region,
                options.require_agreement, options.on_erased, options.on_incident, observer}));
  std::vector<std::filesystem::path>& data = site->directories_;
  data.push_back(options.directory);
  for (const codec::StoreRegionFields& region : manifest.regions)
    if (is_elsewhere(region.directory)) data.emplace_back(region.directory);
  std::size_t asked = 0;
  for (const codec::StoreRegionFields& region : manifest.regions) {
    RegionOptions asked_for;
    for (const RegionOptions& wanted : options.regions) {
      if (wanted.name != region.name) continue;
      ++asked;
      asked_for = wanted;
    }
    asked_for.name = region.name;
    EFFACE_ASSIGN(const os::Directory directory, region_directory(store, region));
    if (asked_for.root_keys != nullptr) {
      EFFACE_TRY(check_outside(*asked_for.root_keys, options.directory));
      if (is_elsewhere(region.directory))
        EFFACE_TRY(check_outside(*asked_for.root_keys, region.directory));
      EFFACE_TRY(check_mirrors(asked_for, data));
    }
    base::Watch watch;
    if (observer != nullptr) watch = {observer, observer->keep(region.name)};
    EFFACE_ASSIGN(auto state, open_region(directory, asked_for, options, opening, watch));
    state->apart = data;
    state->apart.insert(state->apart.end(), asked_for.keyring_mirrors.begin(),
                        asked_for.keyring_mirrors.end());
    state->accept_l0 = options.accept_l0;
    state->directory = std::filesystem::absolute(is_elsewhere(region.directory)
                                                     ? std::filesystem::path(region.directory)
                                                     : options.directory / region.name);
    state->ledger_copy = asked_for.ledger_copy.empty()
                             ? state->directory / "ledger"
                             : std::filesystem::absolute(asked_for.ledger_copy);
    for (const std::filesystem::path& mirror : asked_for.keyring_mirrors)
      state->mirrors.push_back(std::filesystem::absolute(mirror));
    state->map_bytes_max = options.map_bytes_max;
    site->regions_.push_back(std::move(state));
  }
  if (asked != options.regions.size())
    return Error(Errc::region_unknown, "the store has no region of that name");
  EFFACE_TRY(site->load_tenants());
  if (const std::size_t unlocked = crypto::arena_stats().unlocked_bytes; unlocked != 0)
    site->watch().note(LogEvent::memory_not_locked, {{"bytes", unlocked}});
  return site;
}

Site::~Site() {
  for (const std::shared_ptr<RegionState>& region : regions_)
    if (region->open) region->vault->let_go(this);
}

struct Site::Loaded {
  subjects::Terms terms;
  bool complete = true;
  std::map<const RegionState*, keyring::TenantRef> refs;
};

Status Site::load_region(const std::shared_ptr<RegionState>& region,
                         std::map<std::string, Loaded, std::less<>>& into) const {
  EFFACE_ASSIGN(const std::vector<keyring::TenantEntry> entries, region->keyring->tenants());
  for (const keyring::TenantEntry& entry : entries) {
    EFFACE_ASSIGN(subjects::Terms terms, subjects::decode_terms(entry.terms));
    const std::string name = terms.name;
    const auto [at, fresh] = into.try_emplace(name);
    Loaded& loaded = at->second;
    if (fresh) {
      loaded.terms = std::move(terms);
    } else if (terms != loaded.terms) {
      EFFACE_ASSIGN(loaded.terms, subjects::merged(loaded.terms, terms));
      loaded.complete = false;
    }
    loaded.refs.emplace(region.get(), entry.tenant);
  }
  return {};
}

std::shared_ptr<TenantState> Site::make_tenant(Loaded loaded) const {
  std::vector<TenantRegion> regions;
  for (const std::shared_ptr<RegionState>& region : regions_) {
    const auto& names = loaded.terms.regions;
    if (std::find(names.begin(), names.end(), region->name) == names.end()) continue;
    TenantRegion here{region, {subjects::tenant_tag(region->id, loaded.terms.name), 0}};
    if (const auto ref = loaded.refs.find(region.get()); ref != loaded.refs.end())
      here.ref = ref->second;
    else if (region->open)
      loaded.complete = false;
    regions.push_back(std::move(here));
  }
  return std::make_shared<TenantState>(next_instance(), std::move(loaded.terms), loaded.complete,
                                       std::move(regions), setting_);
}

Status Site::load_tenants() {
  std::map<std::string, Loaded, std::less<>> all;
  for (const std::shared_ptr<RegionState>& region : regions_)
    if (region->open) EFFACE_TRY(load_region(region, all));
  for (auto& [name, loaded] : all) tenants_.emplace(name, make_tenant(std::move(loaded)));
  return {};
}

Status Site::look_for_others() const {
  std::uint64_t now = 0;
  for (const std::shared_ptr<RegionState>& region : regions_)
    if (region->open && region->processes != nullptr) now += region->keyring->removals();
  if (now == seen_) return {};
  std::map<std::string, Loaded, std::less<>> all;
  for (const std::shared_ptr<RegionState>& region : regions_)
    if (region->open) EFFACE_TRY(load_region(region, all));
  std::erase_if(tenants_, [&](const auto& known) {
    return !all.contains(known.first) || !known.second->check_here();
  });
  for (auto& [name, loaded] : all)
    if (!tenants_.contains(name)) tenants_.emplace(name, make_tenant(std::move(loaded)));
  seen_ = now;
  return {};
}

Result<std::shared_ptr<TenantState>> Site::tenant(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  EFFACE_TRY(look_for_others());
  const auto at = tenants_.find(name);
  if (at == tenants_.end())
    return Error(Errc::tenant_unknown, "no open region has a tenant of that name");
  return at->second;
}

std::vector<std::shared_ptr<TenantState>> Site::tenants() const {
  const std::lock_guard lock(mutex_);
  static_cast<void>(look_for_others());
  std::vector<std::shared_ptr<TenantState>> all;
  for (const auto& [name, tenant] : tenants_) all.push_back(tenant);
  return all;
}

Result<std::shared_ptr<TenantState>> Site::declare_tenant(
    std::string_view name, std::vector<std::shared_ptr<RegionState>> regions,
    std::string_view actor) {
  if (!base::is_label(name))
    return Error(Errc::invalid_argument, "a tenant's name is 1 to 64 of [a-z0-9_.-]");
  if (regions.empty()) return Error(Errc::invalid_argument, "a tenant has at least one region");
  std::sort(regions.begin(), regions.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  Loaded loaded;
  loaded.terms.name = name;
  for (const auto& region : regions) {
    if (std::find(regions_.begin(), regions_.end(), region) == regions_.end())
      return Error(Errc::region_unknown, "a region belongs to another store");
    if (!region->open)
      return Error(Errc::region_not_open, "declaring a tenant needs its regions open");
    if (!loaded.terms.regions.empty() && loaded.terms.regions.back() == region->name)
      return Error(Errc::invalid_argument, "a region is named twice");
    loaded.terms.regions.push_back(region->name);
  }
  const std::lock_guard lock(mutex_);
  EFFACE_TRY(look_for_others());
  if (const auto at = tenants_.find(name); at != tenants_.end()) {
    const TenantState& there = *at->second;
    const bool half =
        std::any_of(there.regions().begin(), there.regions().end(),
                    [](const TenantRegion& r) { return r.region->open && r.ref.number == 0; });
    if (!half || there.terms().regions != loaded.terms.regions)
      return Error(Errc::exists, "there is a tenant of that name");
    loaded.terms = there.terms();
    for (const TenantRegion& r : there.regions())
      if (r.ref.number != 0) loaded.refs.emplace(r.region.get(), r.ref);
  }
  const codec::Plaintext terms = subjects::encode(loaded.terms);
  ledger::Entry declared;
  declared.kind = ledger::Kind::tenant_declared;
  declared.actor = actor;
  for (const auto& region : regions) {
    if (loaded.refs.contains(region.get())) continue;
    EFFACE_ASSIGN(const auto held, region->keyring->lock());
    EFFACE_ASSIGN(const keyring::TenantRef ref,
                  region->keyring->add_tenant(held, subjects::tenant_tag(region->id, name),
                                              terms.bytes(), declared));
    loaded.refs.emplace(region.get(), ref);
  }
  auto tenant = make_tenant(std::move(loaded));
  tenants_.insert_or_assign(std::string(name), tenant);
  return tenant;
}

void Site::forget_tenant(const TenantState& tenant) {
  const std::lock_guard lock(mutex_);
  const auto at = tenants_.find(tenant.name());
  if (at != tenants_.end() && at->second.get() == &tenant) tenants_.erase(at);
}

}  // namespace efface::access
