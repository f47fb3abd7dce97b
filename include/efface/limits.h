// efface/limits.h -- a limit on everything. What is larger answers Errc::too_large.
//
// Example
//   if (value.size() <= limits::value_bytes_max)
//     selling.put(alice, RecordName("flyer"), as_bytes(value)).value();
#pragma once
#include <cstddef>
#include <cstdint>

namespace efface::limits {

inline constexpr std::size_t subject_id_bytes_max = 256;          // UTF-8
inline constexpr std::size_t record_name_bytes_max = 1024;        // UTF-8
inline constexpr std::size_t value_bytes_max = 16 * 1024 * 1024;  // one record
inline constexpr std::size_t seal_context_bytes_max = 1024;
inline constexpr std::size_t label_bytes_max = 64;  // region, tenant, purpose, actor
inline constexpr std::size_t purposes_per_tenant_max = 256;
inline constexpr std::size_t categories_per_purpose_max = 16;
inline constexpr std::size_t transfer_rules_max = 256;    // of a tenant
inline constexpr std::size_t people_per_record_max = 64;  // who share it
inline constexpr std::size_t recipients_per_record_max = 16;
inline constexpr std::size_t recipients_per_scope_max = 256;
inline constexpr std::size_t holds_per_subject_max = 64;
inline constexpr std::size_t identifiers_per_subject_max = 64;  // beside the first
inline constexpr std::size_t events_per_subject_max = 1'000;
inline constexpr std::size_t token_bytes_max = 64;
inline constexpr std::size_t reason_bytes_max = 1'024;  // UTF-8
inline constexpr std::size_t updates_per_incident_max = 1'000;
inline constexpr std::size_t regions_per_store_max = 64;
inline constexpr std::size_t batch_records_max = 65'536;
inline constexpr std::size_t batch_bytes_max = 64 * 1024 * 1024;  // sealed
// Of a region, in one process: what is acknowledged ahead of its commit (Durability::relaxed).
inline constexpr std::size_t relaxed_records_max = 4'096;
inline constexpr std::size_t relaxed_bytes_max = 4 * 1024 * 1024;  // sealed
inline constexpr std::size_t subjects_per_call_max = 100'000;      // enrol or erase at once
inline constexpr std::size_t passphrase_bytes_max = 1024;
inline constexpr std::uint32_t retention_days_max = 36'525;  // a hundred years

}  // namespace efface::limits
