#include "model/kill_program.h"

#include <array>
#include <ostream>
#include <random>

namespace efface::test {
namespace {

using What = Op::What;

constexpr std::uint32_t people = 8;
constexpr std::uint32_t records = 3;
constexpr std::uint32_t small_bytes_max = 6'000;
constexpr std::uint32_t large_bytes = 12 << 20;  // Five of them are more than the first map holds.
const std::vector<std::string> purposes{"ratings", "mail"};
const std::vector<std::string> regions{"eu", "us"};

std::string person(std::uint32_t number) { return "p" + std::to_string(number); }

std::string value(const Step& step) {
  const std::string number = std::to_string(step.number);
  if (step.bytes >= large_bytes) return "#" + number + ":" + std::to_string(step.bytes);
  return number + std::string(step.bytes, static_cast<char>('a' + step.number % 26));
}

std::vector<What> bag() {
  std::vector<What> out;
  const auto add = [&](int times, std::initializer_list<What> some) {
    for (int i = 0; i < times; ++i) out.insert(out.end(), some);
  };
  add(1, {What::suppress, What::rotate});
  add(2, {What::maintain, What::reopen, What::remove, What::shred, What::erase_many});
  add(3, {What::transfer, What::batch, What::erase, What::enrol});
  add(6, {What::put_new, What::put});
  return out;
}

const char* name(Then then) {
  return then == Then::stop ? "kill" : then == Then::stop_torn ? "kill torn" : "power loss";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Step& step) {
  if (step.what == Step::What::kill) return out << name(step.then) << " after " << step.after;
  return out << name(step.op) << " p" << step.person << " of " << step.others << " u"
             << step.purpose << " r" << step.record << " g" << step.region << " n" << step.number
             << " b" << step.bytes;
}

Program program_of(std::uint64_t seed) {
  static const std::vector<What> all = bag();
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return static_cast<std::uint32_t>(random() % n); };
  const bool grows = below(8) == 0;
  Program out(16 + below(32));
  for (Step& step : out) {
    step.op = all[below(all.size())];
    step.person = below(people);
    step.others = below(1U << people);
    step.purpose = below(purposes.size());
    step.record = below(records);
    step.region = below(regions.size());
    step.number = 1 + below(1'000);
    step.bytes = 8 + below(small_bytes_max);
    if (grows && below(2) == 0) step.bytes = large_bytes;
    if (below(6) != 0) continue;
    step.what = Step::What::kill;
    step.after = 1 + below(below(2) == 0 ? 12 : 60);
    step.then = std::array{Then::stop, Then::stop_torn, Then::power_loss}[below(3)];
  }
  return out;
}

std::vector<Op> beginning() {
  return {{.what = What::create},
          {.what = What::declare, .tenant = "acme", .regions = regions},
          {.what = What::purpose, .tenant = "acme", .purpose = purposes[0]},
          {.what = What::purpose, .tenant = "acme", .purpose = purposes[1]}};
}

std::optional<Op> operation_of(const Step& step, const Model& model) {
  const TenantModel& tenant = model.tenants.at("acme");
  Op op{.what = step.op,
        .tenant = "acme",
        .purpose = purposes[step.purpose],
        .regions = {regions[step.region]},
        .ids = {person(step.person)},
        .name = "n" + std::to_string(step.record),
        .value = value(step)};
  const auto her = tenant.people.find(op.ids.front());
  const bool is_there = her != tenant.people.end();
  const bool is_suppressed = tenant.suppressed.contains(op.ids.front());
  switch (op.what) {
    case What::enrol:
      if (is_there || is_suppressed) return std::nullopt;
      return op;
    case What::put_new:
      if (is_suppressed) return std::nullopt;
      if (is_there) op.regions = {her->second.home};
      return op;
    case What::suppress:
      if (is_suppressed) return std::nullopt;
      return op;
    case What::transfer:
      if (!is_there || her->second.home == op.regions.front()) return std::nullopt;
      return op;
    case What::shred:
      if (!is_there || !her->second.records.contains({op.purpose, op.name})) return std::nullopt;
      return op;
    case What::batch:
    case What::erase_many:
      if (!is_there) return std::nullopt;
      for (const auto& [id, other] : tenant.people)
        if ((step.others >> (id.back() - '0') & 1) != 0 && id != op.ids.front() &&
            (op.what == What::erase_many || other.home == her->second.home))
          op.ids.push_back(id);
      return op;
    case What::maintain:
    case What::rotate:
    case What::reopen:
      return op;
    default:
      if (!is_there) return std::nullopt;
      return op;
  }
}

}  // namespace efface::test
