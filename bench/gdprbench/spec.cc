#include "gdprbench/spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>

#include "support/data.h"
#include "support/must.h"
#include "support/plan.h"

namespace efface::bench::gdpr {
namespace {

constexpr std::uint64_t seed = 20200831;
constexpr std::size_t records_per_person = 10;

// YCSB's: Zipf's law over 10^10 things, each of them somewhere by FNV-1a of 64 bits.
class ScrambledZipf {
 public:
  std::uint64_t next(std::mt19937_64& random, std::uint64_t n) {
    const double u = std::uniform_real_distribution<double>(0, 1)(random);
    const double uz = u * zeta;
    std::uint64_t rank = 0;
    if (uz >= 1 && uz < 1 + std::pow(0.5, theta)) rank = 1;
    if (uz >= 1 + std::pow(0.5, theta))
      rank = static_cast<std::uint64_t>(items * std::pow(eta() * u - eta() + 1, 1 / (1 - theta)));
    return hash(rank) % n;
  }

 private:
  static constexpr double theta = 0.99;
  static constexpr double items = 1e10;
  static constexpr double zeta = 26.46902820178302;
  static double eta() {
    static const double made =
        (1 - std::pow(2 / items, 1 - theta)) / (1 - (1 + std::pow(0.5, theta)) / zeta);
    return made;
  }
  static std::uint64_t hash(std::uint64_t value) {
    std::uint64_t h = 0xcbf2'9ce4'8422'2325;
    for (int byte = 0; byte < 8; ++byte) {
      h = (h ^ (value & 0xff)) * 0x100'0000'01b3;
      value >>= 8;
    }
    return h;
  }
};

std::size_t number_from(const char* variable, std::size_t otherwise) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  std::size_t number = 0;
  const char* const end = text + std::strlen(text);
  if (std::from_chars(text, end, number).ptr != end || number == 0)
    give_up(variable, "is not a number");
  return number;
}

// A share of the operations.
struct Part {
  double share;
  Do what;
  std::vector<Field> where;  // One of them, each as often.
};

struct Mix {
  Role role;
  bool zipf;
  std::vector<Part> parts;
};

const std::vector<Mix>& mixes() {
  using enum Do;
  using enum Field;
  static const std::vector<Mix> all = {
      {{"controller", "shipped"},
       false,
       {{0.25, insert, {}}, {0.25, remove, {}}, {0.5, update_where, {pur, usr}}}},
      {{"customer", "shipped"},
       true,
       {{0.2, read, {}},
        {0.2, read_where, {pur, usr}},
        {0.2, update, {}},
        {0.2, update_where, {pur, usr}},
        {0.2, remove, {}}}},
      {{"processor", "shipped"}, false, {{0.2, read, {}}, {0.8, read_where, {pur, usr}}}},
      {{"regulator", "shipped"}, true, {{0.5, read_where, {pur, usr}}, {0.5, read_log, {}}}},
      {{"controller", "paper"},
       false,
       {{0.25, insert, {}},
        {0.25, remove_where, {pur, ttl, usr}},
        {0.5, update_where, {pur, usr, shr}}}},
      {{"customer", "paper"},
       true,
       {{0.2, read, {}}, {0.2, read_where, {usr}}, {0.4, update, {}}, {0.2, remove, {}}}},
      {{"processor", "paper"}, true, {{0.8, read, {}}, {0.2, read_where, {pur, obj, dec}}}},
      {{"regulator", "paper"},
       true,
       {{0.46, read_where, {usr}}, {0.31, read_log, {}}, {0.23, verify_deletion, {}}}}};
  return all;
}

const Mix& mix_of(const Role& role) {
  for (const Mix& mix : mixes())
    if (mix.role.name == std::string_view(role.name) && mix.role.mix == std::string_view(role.mix))
      return mix;
  give_up("gdprbench", "an unknown role");
}

std::uint32_t number_at_end(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  std::from_chars(text.data() + (text.find_last_not_of("0123456789") + 1), end, number);
  return number;
}

std::uint32_t first_value(std::uint32_t key, Field field) {
  return static_cast<std::uint32_t>(key % value_count(field));
}

}  // namespace

std::size_t record_count() {
  static const std::size_t n =
      number_from("EFFACE_GDPRBENCH_RECORDS", full_or_quick<std::size_t>(100'000, 1'000));
  return n;
}

std::size_t operation_count() {
  static const std::size_t n =
      number_from("EFFACE_GDPRBENCH_OPERATIONS", full_or_quick<std::size_t>(10'000, 100));
  return n;
}

std::size_t value_count(Field field) {
  switch (field) {
    case Field::pur:
      return 25;
    case Field::usr:
      return std::max<std::size_t>(1, record_count() / records_per_person);
    case Field::obj:
      return 100;
    case Field::dec:
      return 2;
    default:
      return 10;
  }
}

const char* name(Field field) {
  static constexpr const char* names[] = {"pur", "ttl", "usr", "obj", "dec",
                                          "acl", "shr", "src", "cat"};
  return names[static_cast<std::size_t>(field)];
}

std::string key_text(std::uint32_t key) { return "key" + std::to_string(key); }

std::uint32_t key_number(std::string_view text) { return number_at_end(text); }

const std::string& value_text(Field field, std::uint32_t value) {
  static const auto* const all = [] {
    static constexpr const char* begins[] = {"purpose", "",    "user", "obj", "dec",
                                             "acl",     "shr", "src",  "cat"};
    static constexpr int seconds[] = {30,     10'000, 12'000, 14'000, 16'000,
                                      18'000, 20'000, 22'000, 24'000, 1'000'000};
    auto* const made = new std::array<std::vector<std::string>, field_count>;
    for (std::size_t f = 0; f < field_count; ++f)
      for (std::size_t v = 0; v < value_count(static_cast<Field>(f)); ++v)
        (*made)[f].push_back(static_cast<Field>(f) == Field::ttl ? std::to_string(seconds[v])
                                                                 : begins[f] + std::to_string(v));
    return made;
  }();
  return (*all)[static_cast<std::size_t>(field)][value];
}

std::uint32_t value_number(Field field, std::string_view text) {
  if (field != Field::ttl) return number_at_end(text);
  std::uint32_t value = 0;
  while (value_text(field, value) != text) ++value;
  return value;
}

Row row_of(std::uint32_t key) {
  Row row;
  row.key = key;
  for (std::size_t f = 0; f < field_count; ++f)
    row.values[f] = first_value(key, static_cast<Field>(f));
  for (std::size_t i = 0; row.data.size() < data_bytes; ++i)
    for (std::uint64_t random = scrambled(key * data_bytes + i); random != 0; random /= 26)
      row.data += static_cast<char>('a' + static_cast<char>(random % 26));
  row.data.resize(data_bytes);
  return row;
}

const std::vector<Role>& roles() {
  static const std::vector<Role> all = [] {
    std::vector<Role> made;
    for (const Mix& mix : mixes()) made.push_back(mix.role);
    return made;
  }();
  return all;
}

std::vector<Step> steps_of(const Role& role) {
  constexpr std::uint32_t log_lines_max = 1'000;
  const Mix& mix = mix_of(role);
  std::mt19937_64 random(seed);
  ScrambledZipf zipf;
  auto next_key = static_cast<std::uint32_t>(record_count());
  std::vector<Step> steps;
  while (steps.size() < operation_count()) {
    double at = std::uniform_real_distribution<double>(0, 1)(random);
    std::size_t which = 0;
    while (which + 1 < mix.parts.size() && at >= mix.parts[which].share)
      at -= mix.parts[which++].share;
    const Part& part = mix.parts[which];
    Step step;
    step.what = part.what;
    step.key = static_cast<std::uint32_t>(mix.zipf ? zipf.next(random, record_count())
                                                   : random() % record_count());
    if (step.what == Do::insert) step.key = next_key++;
    if (!part.where.empty()) {
      step.where = part.where[random() % part.where.size()];
      step.value = first_value(step.key, step.where);
    }
    // Any of the metadata but the purpose.
    step.field = static_cast<Field>(1 + random() % (field_count - 1));
    step.to = first_value(step.key, step.field);
    step.lines = 1 + static_cast<std::uint32_t>(random() % log_lines_max);
    steps.push_back(step);
  }
  return steps;
}

}  // namespace efface::bench::gdpr
