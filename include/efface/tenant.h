// efface/tenant.h -- a controller [GDPR 4(7)]: one customer's silo, as seen by one actor.
//
// Names nothing outside itself. Copyable: a handle. Once the tenant is off-boarded every use
// answers Errc::tenant_unknown.
//
// Threads   Shared freely.
// Lifetime  Keeps the store open.
// Errors    Every call may answer io, corruption, busy (a deadline), closed, forked.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "efface/activity.h"
#include "efface/result.h"
#include "efface/subject.h"

namespace efface {

class EFFACE_EXPORT Tenant {
 public:
  std::string_view name() const noexcept EFFACE_BORROWED;
  std::vector<Region> regions() const;  // Those it was declared for, in name order.

  // ---- purposes: at most 256 ----
  // Declaring one again with the same terms answers the one that is there. Needs all of the
  // tenant's regions open. Errors: conflict (other terms), too_large, region_not_open,
  // invalid_argument. Durable when it answers; a crash in between is mended by declaring again.
  Result<Purpose> declare_purpose(const PurposeTerms& terms) const;
  Result<Purpose> purpose(std::string_view name) const;  // Errors: purpose_unknown.
  Result<std::vector<PurposeTerms>> purposes() const;    // In the order they were declared.
  Result<Activity> activity(Purpose purpose) const;  // Errors: purpose_unknown (another tenant's).

  // ---- people ----
  // Makes her keys; durable when it answers. Needs all of the tenant's regions open, to be sure
  // that she has no other home. Errors: exists, region_mismatch (she lives in another region),
  // region_unknown (another store's), region_not_permitted, region_not_open, invalid_argument,
  // too_large, full.
  Result<Subject> enrol(SubjectId id, const Region& home) const;
  // The same for many in one commit, and without exists: who is there already is answered as she
  // is. All or none are enrolled. In the order of ids. At most 100,000. What will be written for
  // them first is cheaper when its purposes are named: their scopes are made in the same commit.
  Result<std::vector<Subject>> find_or_enrol(std::span<const SubjectId> ids, const Region& home,
                                             std::span<const Purpose> purposes = {}) const;
  // Errors: subject_unknown; region_not_open when she may live in a region that is not open here.
  Result<Subject> subject(SubjectId id) const;
  // The same, when one expects her there. Errors: region_mismatch when her home is another region.
  Result<Subject> subject(SubjectId id, const Region& home) const;

  // ---- erasure ----
  // Destroys all her keys. When it has answered, nobody can read one byte of her records, whatever
  // copy of the files they have: the root key that led to them is destroyed and the caches here are
  // wiped. Costs the same whatever she had. The Subject is used up, whatever the answer.
  // Errors: subject_erased (somebody was faster); erase_pending: the keyring has forgotten, but the
  // root key store did not confirm that the old root key is destroyed: the next erase, maintain or
  // open tries again; outcome_unknown: reopen, then look her up.
  Result<Erasure> erase(Subject&& subject) const;
  // Many in one epoch, at a fraction of the cost each. Who is not there is counted as unknown. At
  // most 100,000. When a region of theirs is not open: region_not_open, and nothing is erased.
  Result<Erasure> erase(std::span<const SubjectId> ids) const;

 private:
  friend struct internal::Access;
  struct State;
  explicit Tenant(std::shared_ptr<const State> state) noexcept;
  std::shared_ptr<const State> state_;
};

}  // namespace efface
