// access/access.h -- reads and writes that were admitted (admission.h), down to the record.
//
// While a scope is re-keyed it has a successor, and its records move there one by one. A reader
// looks in the scope first and then in the successor: a record that moves in between is found.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "access/admission.h"
#include "records/envelope.h"

namespace efface::access {

Result<std::optional<records::OpenRecord>> read(const Activity& activity, const Person& person,
                                                RecordName name);

// The purpose's own scope, in name order. value is empty when values are not wanted.
Result<ScanEnd> scan(const Activity& activity, const Person& person, const ScanOptions& options,
                     bool with_values, FunctionRef<Flow(std::string_view name, Bytes value)> each);

// What one read of the purpose's own scope found, for read-modify-write.
struct OwnRecord {
  std::optional<records::OpenRecord> record;
  records::RecordKey key{};  // Where it stands, if it does.
  std::array<std::byte, crypto::nonce_bytes> nonce{};
};
Result<OwnRecord> read_own(const Activity& activity, const Person& person, RecordName name);

// ---- places ----

struct Located {
  Id16 tag;
  records::RecordKey key;
};
Located locate(const keyring::Row& scope, std::string_view name) noexcept;

// The key that a record of the bucket needs beside its scope's. Valid while it and her keys live.
// Errors: expired when it is destroyed, corruption when it never was.
struct BucketKey {
  keyring::SharedKeys holder;  // Null: one of her own.
  const keyring::Row* row = nullptr;
};
Result<BucketKey> bucket_key_of(const Person& person, const keyring::Keys& keys,
                                records::Bucket bucket);
// Opens what lies in the map, whether its time is over or not. Errors: expired when its bucket is
// destroyed.
Result<records::OpenRecord> open_value(const Person& person, const keyring::Keys& keys,
                                       const keyring::Row& scope, const Id16& tag, Bytes value);
bool is_over(const Person& person, const records::OpenRecord& record);

// ---- writing ----

// The person's keys, her scope for the purpose among them: made where it is missing.
Result<keyring::SharedKeys> keys_with_scope(const Activity& activity, const Person& person,
                                            const Admission& admission);

struct PutTerms {
  std::vector<subjects::PurposeNumber> also_permitted;
  std::optional<Days> retention;
  std::string_view origin;
  std::span<const std::string_view> recipients{};
  bool automated_decision = false;
  Bytes shared{};  // A link to a shared record (access/shared.h), instead of a value.
};

// What a scope's summary has to say of new records.
struct SummaryChange {
  bool any = false;  // Anything was put.
  bool automated = false;
  records::Bucket earliest = records::never;
  records::Bucket latest = 0;
  std::vector<std::string> recipients;
};

// A sealed change and whose it is: decided again, under the records lock, when it is stored.
struct SealedWrites {
  std::vector<records::Change> changes;
  struct Scope {
    Person person;
    keyring::Handle handle;
    SummaryChange summary;
  };
  std::vector<Scope> scopes;             // Distinct.
  std::vector<records::Bucket> buckets;  // Distinct.
  std::uint64_t removals = UINT64_MAX;
  std::size_t bytes = 0;
};

// The day that a record expires on, unless the purpose's own retention. Errors: invalid_argument.
Result<records::Bucket> bucket_of(const Activity& activity, std::optional<Days> shorter);

Status seal_put(const Activity& activity, const Person& person, RecordName name, Bytes value,
                const PutTerms& terms, SealedWrites& into);
Status seal_remove(const Activity& activity, const Person& person, RecordName name,
                   SealedWrites& into);
// Decides again. Errors: conflict when a scope was re-keyed, or replaced, since its records were
// sealed.
Status still_valid(const Activity& activity, const TenantRegion& region,
                   const SealedWrites& writes);
// Appends the summaries that have to change.
Status seal_summaries(const Activity& activity, const SealedWrites& writes,
                      std::vector<records::Change>& into);
// Relaxed: acknowledged ahead of that, where there is room (relaxed.h). Errors: as still_valid.
Status commit(const Activity& activity, const TenantRegion& region, SealedWrites& writes,
              Durability durability = Durability::synced);

}  // namespace efface::access
