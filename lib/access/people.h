// access/people.h -- finding and enrolling people.
//
// A person has one home. Enrolling locks the keyrings of all of the tenant's regions, in name
// order, and looks in each, so that no two processes or threads give her two.
//
// Errors  subject_unknown, suppressed, exists, region_mismatch, region_not_open; those of the
//         keyring.
#pragma once
#include <span>
#include <vector>

#include "access/tenant_state.h"

namespace efface::access {

// One person where she lives. The handle tells her from anyone enrolled later under the same id.
struct Person {
  std::shared_ptr<TenantState> tenant;
  const TenantRegion* home = nullptr;  // Of that tenant.
  keyring::Tag tag{};
  keyring::Handle handle{};  // Of her own row.
};

// By any of her identifiers. Errors: suppressed, when she is and nothing of her is there.
Result<Person> find_person(const std::shared_ptr<TenantState>& tenant, SubjectId id);
// The same, when she is expected there.
Result<Person> find_person(const std::shared_ptr<TenantState>& tenant, SubjectId id,
                           const TenantRegion& home);

enum class IfThere : bool { refuse, accept };
// All or none, with their scopes for these purposes. In the order of ids. Cost: one commit of the
// keyring and one of the records, which those who enrol at the same time share.
Result<std::vector<Person>> enrol(const std::shared_ptr<TenantState>& tenant,
                                  std::span<const SubjectId> ids, const TenantRegion& home,
                                  IfThere if_there, std::string_view actor,
                                  std::span<const subjects::PurposeNumber> purposes = {});

inline constexpr std::uint32_t first_generation = 1;  // Of a scope.

// The key of a retention bucket of the tenant in a region; made where it is missing. Errors:
// expired when its day has been destroyed: it is never made again.
Result<keyring::SharedKeys> bucket_for_writing(const TenantState& tenant, const TenantRegion& home,
                                               records::Bucket bucket);
Status bucket_is_there(const TenantRegion& home, records::Bucket bucket);  // Errors: expired.
// The last day whose buckets have been destroyed; 0 when none has.
Result<records::Bucket> high_water_of(const TenantRegion& home);

// The id itself stands sealed under the key of her own row, where only her rights look for it.
records::Change seal_id(const TenantRegion& home, const keyring::Keys& keys,
                        const keyring::Keys& bucket, SubjectId id, TimePoint now);

// Flags of her row, in one commit. Nothing is done when she has been erased.
Status set_flags(const Person& person, std::uint16_t set, std::uint16_t clear,
                 const ledger::Entry& decision = {});
// Destroys what a transfer, or a merge, copied and lets her be written again. Errors:
// region_not_open.
Status abandon_transfer(const Person& person, SubjectId id);

// Her keys as they are now. Errors: subject_erased.
Result<keyring::SharedKeys> keys_of(const Person& person);

// The keyrings of all of the tenant's regions, in name order: nobody is enrolled, moved or
// suppressed meanwhile. Errors: region_not_open.
using AllLocks = std::vector<keyring::Keyring::Lock>;
Result<AllLocks> lock_all(const TenantState& tenant);

// Her tag in a region of the tenant.
Result<keyring::Tag> tag_of(const TenantRegion& region, SubjectId id);

// Many ids are looked for together: the keys of the next of them are read before find_person needs
// them.
class LoadAhead {
 public:
  // ids[next] is looked for.
  Status before(const TenantState& tenant, std::span<const SubjectId> ids, std::size_t next);

 private:
  std::size_t ahead_ = 0;  // So many are read.
};

}  // namespace efface::access
