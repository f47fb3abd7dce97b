// demo/population.h -- a seeded population of people who do not exist, with what a shop knows of
// them.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace efface::demo {

struct Person {
  std::string id;  // "person-4711"
  std::string full_name;
  std::string email;
  std::vector<std::pair<std::string, std::string>> records;  // Name and value: a profile, events.
};

// The same person for the same number, on every machine.
Person make_person(std::uint32_t number);

}  // namespace efface::demo
