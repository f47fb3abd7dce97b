// access/access.h -- the choke point: every read and every write is decided here, and nowhere else.
//
// In this order, and closed by default: the tenant is here and the region open; the person is the
// one that was enrolled, not erased since; the purpose is declared and its legal basis satisfied;
// the record's own scope alive, and the record permits the purpose; the record not expired. Unknown
// or missing anything refuses, with the code that says why.
//
// A read that an erasure overtook looks again before it answers: erasure beats snapshot isolation.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "access/people.h"
#include "efface/activity.h"
#include "records/envelope.h"

namespace efface::access {

// One tenant, one purpose.
struct Activity {
  std::shared_ptr<TenantState> tenant;
  subjects::NumberedPurpose purpose;
};

// A person's keys, for the length of one operation.
struct Admission {
  keyring::SharedKeys keys;
  std::uint64_t removals = 0;  // Of the keyring, before it was looked into.
};
// Whether the purpose's legal basis allows anything at all. Errors: consent_missing.
Status check_basis(const Activity& activity);
// Errors: tenant_unknown, subject_erased, consent_missing, purpose_unknown (another tenant's
// person).
Result<Admission> admit(const Activity& activity, const Person& person);
// Whether nothing was removed since; otherwise whether she is still admitted.
Status still_admitted(const Activity& activity, const Person& person, const Admission& admission);

Result<std::optional<records::OpenRecord>> read(const Activity& activity, const Person& person,
                                                RecordName name);

// The purpose's own scope, in name order. value is empty when values are not wanted.
Result<ScanEnd> scan(const Activity& activity, const Person& person, const ScanOptions& options,
                     bool with_values, FunctionRef<Flow(std::string_view name, Bytes value)> each);

// What one read of the purpose's own scope found, for read-modify-write.
struct OwnRecord {
  std::optional<records::OpenRecord> record;
  records::Change::Expect expect = records::Change::Expect::absent;
  std::array<std::byte, crypto::nonce_bytes> nonce{};
};
Result<OwnRecord> read_own(const Activity& activity, const Person& person, RecordName name);

// ---- writing ----

struct PutTerms {
  std::vector<subjects::PurposeNumber> also_permitted;
  std::optional<Days> retention;
  std::string_view origin;
};

// A sealed change and whose it is: decided again, under the records lock, when it is stored.
struct SealedWrites {
  std::vector<records::Change> changes;
  struct Scope {
    Person person;
    keyring::Handle handle;
  };
  std::vector<Scope> scopes;  // Distinct.
  std::uint64_t removals = UINT64_MAX;
  std::size_t bytes = 0;
};

Status seal_put(const Activity& activity, const Person& person, RecordName name, Bytes value,
                const PutTerms& terms, SealedWrites& into);
Status seal_remove(const Activity& activity, const Person& person, RecordName name,
                   SealedWrites& into);
Status commit(const Activity& activity, const TenantRegion& region, SealedWrites& writes);

}  // namespace efface::access
