// gdprbench/spec.h -- the workloads of GDPRbench (Shastri et al., VLDB 2020), written anew.
//
// Shape   A record is a key "key<n>" and ten fields; one value each, made from n. 25 purposes, 100
//         objections, two decisions, ten of the rest, and a person for every ten records.
// Mixes   shipped: the last public parameter files; the regulator's, which they lack, as they were
//         before. paper: of the paper's table, as it is reconstructed.
// Leaves  out the arming of expiry: 30 s would make what is right depend on how fast one is.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace efface::bench::gdpr {

enum class Field : std::uint8_t { pur, ttl, usr, obj, dec, acl, shr, src, cat };
inline constexpr std::size_t field_count = 9;  // Beside the data.
inline constexpr std::size_t data_bytes = 100;

// A value of a field by its number. What the records of a key number begin with.
using Values = std::array<std::uint32_t, field_count>;
inline std::uint32_t of(const Values& values, Field field) {
  return values[static_cast<std::size_t>(field)];
}

struct Row {
  std::uint32_t key = 0;
  Values values{};
  std::string data;
};

std::size_t record_count();     // EFFACE_GDPRBENCH_RECORDS
std::size_t operation_count();  // EFFACE_GDPRBENCH_OPERATIONS
std::size_t value_count(Field field);
const char* name(Field field);

std::string key_text(std::uint32_t key);
std::uint32_t key_number(std::string_view text);
const std::string& value_text(Field field, std::uint32_t value);
std::uint32_t value_number(Field field, std::string_view text);
Row row_of(std::uint32_t key);

enum class Do : std::uint8_t {
  insert,
  read,
  update,
  remove,
  read_where,
  update_where,
  remove_where,
  read_log,
  verify_deletion,
};

struct Step {
  Do what{};
  std::uint32_t key = 0;
  Field where{};  // ... has the value
  std::uint32_t value = 0;
  Field field{};  // of this, the new value
  std::uint32_t to = 0;
  std::uint32_t lines = 0;
};

struct Role {
  const char* name;
  const char* mix;
};
const std::vector<Role>& roles();
// The same in every run, for every database.
std::vector<Step> steps_of(const Role& role);

}  // namespace efface::bench::gdpr
