#include "access/relaxed.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/check.h"

namespace efface::access {
namespace {

struct Batch final : records::Waiting {
  Activity activity{};
  const TenantRegion* region = nullptr;
  SealedWrites writes;  // But for the changes.
};

// The same, and does not keep it.
std::shared_ptr<TenantState> unowned(const std::shared_ptr<TenantState>& tenant) noexcept {
  return {std::shared_ptr<TenantState>(), tenant.get()};
}

Batch& batch_of(records::Waiting& waiting) noexcept { return static_cast<Batch&>(waiting); }

// What is said of a person or a record, and so not of the others that wait. Anything else is said
// of the world, and nothing is dropped for it.
constexpr std::array refusals = {
    Errc::tenant_unknown, Errc::subject_erased,  Errc::suppressed, Errc::transfer_pending,
    Errc::restricted,     Errc::consent_missing, Errc::objected,   Errc::expired,
    Errc::conflict,       Errc::corruption};

// Answers what keeps all of them from being stored.
Status note(records::Waiting& batch, const Status& decided) {
  batch.refused.reset();
  if (decided) return {};
  const Errc why = decided.error().code();
  if (std::ranges::find(refusals, why) == refusals.end()) return decided;
  batch.refused = decided.error();
  return {};
}

// But for recipients, whom the summary names already.
void add(SummaryChange& into, const SummaryChange& more) {
  into.any = into.any || more.any;
  into.automated = into.automated || more.automated;
  into.earliest = std::min(into.earliest, more.earliest);
  into.latest = std::max(into.latest, more.latest);
}

// A scope that was written to, once, and by whom.
struct Written {
  const Activity* activity;
  SealedWrites one;  // The scope alone.
  std::vector<records::Waiting*> by;
};

std::vector<Written> scopes_of(std::span<records::Waiting* const> all) {
  std::vector<Written> scopes;
  std::unordered_map<Id16, std::size_t, Id16Hash> at;
  for (records::Waiting* waiting : all) {
    if (waiting->refused) continue;
    const Batch& batch = batch_of(*waiting);
    for (const SealedWrites::Scope& scope : batch.writes.scopes) {
      if (!scope.summary.any) continue;
      const auto [found, fresh] = at.try_emplace(scope.handle, scopes.size());
      if (fresh) {
        scopes.push_back({&batch.activity, {}, {}});
        scopes.back().one.scopes.push_back({scope.person, scope.handle, {}});
      }
      Written& written = scopes[found->second];
      add(written.one.scopes.front().summary, scope.summary);
      written.by.push_back(waiting);
    }
  }
  return scopes;
}

}  // namespace

Result<bool> leave_waiting(const Activity& activity, const TenantRegion& region,
                           SealedWrites& writes) {
  const bool discloses = std::ranges::any_of(
      writes.scopes, [](const auto& scope) { return !scope.summary.recipients.empty(); });
  if (discloses) {
    std::vector<records::Change> news;
    EFFACE_TRY(seal_summaries(activity, writes, news));
    if (!news.empty()) return false;
  }
  auto batch = std::make_unique<Batch>();
  batch->now_ms = records::to_ms(activity.tenant->now());
  batch->owner = activity.tenant.get();
  batch->activity = {unowned(activity.tenant), activity.purpose};
  batch->region = &region;
  batch->writes = std::move(writes);
  for (SealedWrites::Scope& scope : batch->writes.scopes)
    scope.person.tenant = batch->activity.tenant;
  batch->changes = std::move(batch->writes.changes);
  Batch& waiting = *batch;
  std::unique_ptr<records::Waiting> left = std::move(batch);
  const auto give_back = [&] {
    waiting.writes.changes = std::move(waiting.changes);
    writes = std::move(waiting.writes);
    for (SealedWrites::Scope& scope : writes.scopes) scope.person.tenant = activity.tenant;
  };
  const Result<bool> waits = region.region->vault->leave_waiting(
      left, [&] { return still_valid(waiting.activity, region, waiting.writes); });
  if (!waits || !*waits) give_back();
  return waits;
}

Status prepare_waiting(std::span<records::Waiting* const> all,
                       std::vector<records::Change>& beside) {
  for (records::Waiting* waiting : all) {
    const Batch& batch = batch_of(*waiting);
    EFFACE_TRY(note(*waiting, still_valid(batch.activity, *batch.region, batch.writes)));
  }
  for (bool again = true; again;) {
    again = false;
    beside.clear();
    for (const Written& scope : scopes_of(all)) {
      const Status sealed = seal_summaries(*scope.activity, scope.one, beside);
      if (sealed) continue;
      for (records::Waiting* waiting : scope.by) EFFACE_TRY(note(*waiting, sealed));
      again = true;  // Without those, of their other scopes too.
      break;
    }
  }
  return {};
}

}  // namespace efface::access
