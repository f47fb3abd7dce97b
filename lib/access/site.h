// access/site.h -- a store as a whole: the directory that names its regions, and the tenants in
// them.
//
// Shape   DIR/store.info (which regions, and where), DIR/NAME/ per region or a directory elsewhere.
// Threads After open, tenants are added and removed under a lock; regions never change.
// Errors  As Store::create and Store::open.
#pragma once
#include <map>
#include <mutex>
#include <span>

#include "access/tenant_state.h"

namespace efface::access {

// Where a region's data lies, whether or not it opens.
struct RegionPlace {
  std::string name;
  Id16 id{};
  os::Directory directory;
};
Result<std::vector<RegionPlace>> region_places(const std::filesystem::path& store);

class Site {
 public:
  static Status create(const OpenOptions& options);
  // observer: what the options ask for; null: it is made from them, if they ask for one.
  static Result<std::unique_ptr<Site>> open(const OpenOptions& options,
                                            Opening opening = Opening::to_use,
                                            std::shared_ptr<base::Observer> observer = {});
  static Result<std::vector<std::string>> region_names(const std::filesystem::path& directory);
  ~Site();  // Commits what waits, though handles go on.
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  const std::vector<std::shared_ptr<RegionState>>& regions() const noexcept { return regions_; }
  // Where its data lies: what is copied elsewhere must not come to lie in one of these.
  const std::vector<std::filesystem::path>& directories() const noexcept { return directories_; }
  TimePoint now() const { return setting_.clock(); }
  const base::Observer* observer() const noexcept { return setting_.observer.get(); }
  base::Watch watch() const { return {setting_.observer, {}}; }
  const std::function<bool(std::string_view, IncidentNumber)>& on_incident() const noexcept {
    return setting_.on_incident;
  }

  // Those that other processes declared, or off-boarded, are seen first; where they cannot be,
  // those that are known are answered.
  Result<std::shared_ptr<TenantState>> tenant(std::string_view name) const;
  std::vector<std::shared_ptr<TenantState>> tenants() const;  // In name order.
  // Where a crash left a tenant in some of its regions only, this completes it.
  Result<std::shared_ptr<TenantState>> declare_tenant(
      std::string_view name, std::vector<std::shared_ptr<RegionState>> regions,
      std::string_view actor);
  void forget_tenant(const TenantState& tenant);

 private:
  explicit Site(Setting setting) noexcept : setting_(std::move(setting)) {}
  Status load_tenants();
  Status look_for_others() const;  // By mutex_.
  struct Loaded;
  Status load_region(const std::shared_ptr<RegionState>& region,
                     std::map<std::string, Loaded, std::less<>>& into) const;
  std::shared_ptr<TenantState> make_tenant(Loaded loaded) const;

  const Setting setting_;
  std::vector<std::shared_ptr<RegionState>> regions_;  // By name.
  std::vector<std::filesystem::path> directories_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<TenantState>, std::less<>> tenants_;
  mutable std::uint64_t seen_ = 0;  // Of all keyrings that are shared: their removals.
};

}  // namespace efface::access
