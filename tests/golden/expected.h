// golden/expected.h -- what every golden store holds: people, two purposes, a batch, an erasure.
#pragma once
#include <string>
#include <vector>

namespace efface::test {

struct GoldenRecord {
  std::string person;
  std::string purpose;
  std::string name;
  std::string value;
};

inline const std::vector<std::string>& golden_people() {
  static const std::vector<std::string> people = [] {
    std::vector<std::string> all;
    for (int i = 0; i < 40; ++i) all.push_back("person-" + std::to_string(i));
    return all;
  }();
  return people;
}
inline constexpr int golden_erased_each = 8;  // Of every eight people the first was erased.

inline std::vector<GoldenRecord> golden_records() {
  std::vector<GoldenRecord> records;
  for (const std::string& person : golden_people()) {
    records.push_back({person, "orders", "first", "value of " + person});
    records.push_back({person, "orders", "long", std::string(600, 'z') + person});
    records.push_back({person, "support", "first", "ticket of " + person});
  }
  return records;
}

}  // namespace efface::test
