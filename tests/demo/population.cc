#include "demo/population.h"

#include <array>
#include <random>
#include <string_view>

namespace efface::demo {
namespace {

constexpr std::uint32_t seed = 20'260'801;
constexpr std::uint32_t busy_person = 4711;  // Who leaves: she has more than most.

constexpr std::array<std::string_view, 20> given{
    "Ada",   "Amina", "Bela", "Chidi", "Dana",  "Elif", "Farid", "Greta", "Hana",  "Ines",
    "Jonas", "Kofi",  "Lea",  "Mateo", "Nadia", "Olga", "Priya", "Rosa",  "Sanna", "Tomas"};
constexpr std::array<std::string_view, 20> family{"Adler",   "Bauer",  "Cohen",  "Diallo", "Evans",
                                                  "Ferrari", "Garcia", "Hansen", "Ito",    "Jansen",
                                                  "Kaplan",  "Lopez",  "Moreau", "Nguyen", "Okafor",
                                                  "Petrov",  "Rossi",  "Sato",   "Tamm",   "Weiss"};
constexpr std::array<std::string_view, 8> cities{"Aarhus",  "Bologna", "Cork",  "Graz",
                                                 "Leipzig", "Nantes",  "Porto", "Turku"};
constexpr std::array<std::string_view, 6> events{"view",   "cart",   "purchase",
                                                 "refund", "review", "newsletter_open"};

template <class T, std::size_t N>
const T& pick(const std::array<T, N>& from, std::mt19937& random) {
  return from[random() % N];
}

std::string event_line(std::string_view email, std::mt19937& random) {
  return std::string(R"({"event":")") + std::string(pick(events, random)) + R"(","item":)" +
         std::to_string(random() % 9000 + 1000) + R"(,"price_cents":)" +
         std::to_string(random() % 20'000 + 99) + R"(,"by":")" + std::string(email) + R"("})";
}

}  // namespace

Person make_person(std::uint32_t number) {
  std::mt19937 random(seed + number);
  const std::string first(pick(given, random));
  const std::string last(pick(family, random));
  Person person;
  person.id = "person-" + std::to_string(number);
  person.full_name = first + " " + last;
  person.email = first + "." + last + "." + std::to_string(number) + "@shop.example";
  person.records.emplace_back("profile", R"({"name":")" + person.full_name + R"(","email":")" +
                                             person.email + R"(","city":")" +
                                             std::string(pick(cities, random)) + R"(","born":)" +
                                             std::to_string(1930 + random() % 78) + "}");
  const std::uint32_t count = number == busy_person ? 250 : random() % 4;
  for (std::uint32_t i = 0; i < count; ++i)
    person.records.emplace_back("event/" + std::to_string(i), event_line(person.email, random));
  return person;
}

}  // namespace efface::demo
