// access/tenant_state.h -- a tenant of an open store: where it may live, and its purposes.
//
// Threads  Shared. Purposes are only ever added, under a lock; what a purpose means never changes.
//          Other processes add too.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <vector>

#include "access/region.h"
#include "base/combiner.h"
#include "efface/limits.h"
#include "subjects/terms.h"

namespace efface::access {

// A tenant in one of its regions.
struct TenantRegion {
  std::shared_ptr<RegionState> region;
  keyring::TenantRef ref{};  // Meaningful where the region is open.

  keyring::TreeRef people() const noexcept { return {ref, keyring::TreeKind::subjects}; }
  keyring::TreeRef buckets() const noexcept { return {ref, keyring::TreeKind::retention}; }
};

// What an open store says to all its tenants.
struct Setting {
  TimeSource clock;
  std::string processing_region{};  // Empty: wherever the data is.
  bool require_agreement = false;
  std::function<bool(std::string_view, Bytes)> on_erased{};
  std::function<bool(std::string_view, IncidentNumber)> on_incident{};
  std::shared_ptr<const base::Observer> observer{};
};

struct EnrolJob;  // enrol.cc

class TenantState {
 public:
  // complete: the same terms stand in all of the regions that are open.
  TenantState(std::uint64_t instance, subjects::Terms terms, bool complete,
              std::vector<TenantRegion> regions, Setting setting)
      : instance_(instance),
        terms_(std::move(terms)),
        complete_(complete),
        regions_(std::move(regions)),
        setting_(std::move(setting)),
        seen_(regions_.size()) {}
  ~TenantState();  // Commits what waits of it (relaxed.h).
  TenantState(const TenantState&) = delete;
  TenantState& operator=(const TenantState&) = delete;

  // A number that no other tenant of this process has: binds a Purpose to its tenant.
  std::uint64_t instance() const noexcept { return instance_; }
  const std::string& name() const noexcept { return terms_.name; }
  const std::vector<TenantRegion>& regions() const noexcept { return regions_; }  // By name.
  std::chrono::system_clock::time_point now() const { return setting_.clock(); }

  const std::function<bool(std::string_view, Bytes)>& on_erased() const noexcept {
    return setting_.on_erased;
  }

  const base::Observer* observer() const noexcept { return setting_.observer.get(); }
  base::Watch watch() const { return {setting_.observer, {}}; }

  bool all_open() const noexcept;
  // Errors: tenant_unknown (off-boarded), region_unknown, region_not_permitted, region_not_open.
  Result<const TenantRegion*> region(const RegionState* state) const;

  subjects::Terms terms() const;
  std::optional<subjects::NumberedPurpose> purpose(std::string_view purpose_name) const;
  std::optional<subjects::NumberedPurpose> purpose(subjects::PurposeNumber number) const;
  Result<LegalBasis> basis_of(subjects::PurposeNumber number) const;  // Errors: corruption.
  // Whether people at home there may be read here. Errors: transfer_not_permitted.
  Status check_residency(const TenantRegion& home) const;
  Status check_agreement() const;  // Errors: agreement_missing.
  // Stores what change makes of the terms in every region's keyring, in name order. Errors: those
  // of change; region_not_open.
  Status change_terms(std::string_view actor, FunctionRef<Status(subjects::Terms&)> change);
  // Stores the purpose in every region's keyring, in name order; again where a crash left one of
  // them behind. Errors: as Tenant::declare_purpose.
  Result<subjects::PurposeNumber> declare(const PurposeTerms& purpose, std::string_view actor);

  base::Combiner<EnrolJob>& enrolments() noexcept { return enrolments_; }

  // People whom a transfer in this process takes away; who is marked as moving and is none of them
  // was left so by a crash.
  void begin_move(const keyring::Handle& person);
  void end_move(const keyring::Handle& person);
  bool is_moving(const keyring::Handle& person) const;
  // How many have ended here; nothing while one is under way.
  std::optional<std::uint64_t> moves() const;

  bool gone() const noexcept { return gone_.load(std::memory_order_acquire); }
  void set_gone() noexcept { gone_.store(true, std::memory_order_release); }
  // tenant_unknown when it is gone. Of a store that processes share: sees first what others made of
  // its terms.
  Status check_here() const;

 private:
  const std::uint64_t instance_;
  mutable std::shared_mutex mutex_;
  std::mutex declaring_;
  base::Combiner<EnrolJob> enrolments_{256, limits::subjects_per_call_max};
  mutable subjects::Terms terms_;
  bool complete_;  // Guarded by declaring_.
  const std::vector<TenantRegion> regions_;
  const Setting setting_;
  Status look_for_others() const;
  mutable std::atomic<bool> gone_{false};
  mutable std::vector<std::uint64_t> seen_;  // Of each region's keyring: its removals. By mutex_.
  mutable std::mutex moving_mutex_;
  std::set<keyring::Handle> moving_;
  std::uint64_t moves_ = 0;
};

}  // namespace efface::access
