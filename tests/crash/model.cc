#include "crash/model.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace efface::test {
namespace {

using What = Op::What;

constexpr std::size_t large_bytes_min = std::size_t{1} << 20;

// Begins with its number, and does not compress.
std::string large_value(std::uint64_t number, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::uint64_t state = number;
  for (std::size_t at = 0; at + sizeof state <= bytes; at += sizeof state) {
    std::memcpy(out.data() + at, &state, sizeof state);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
  }
  return out;
}

std::vector<Model> erased(const Op& op, const Model& before) {
  std::vector<Model> out;
  std::set<std::string> homes;
  for (const std::string& id : op.ids) {
    const auto& people = before.tenants.at(op.tenant).people;
    if (const auto at = people.find(id); at != people.end()) homes.insert(at->second.home);
  }
  // Each region by itself, in any order, and in the end all.
  const auto without = [&](const std::set<std::string>& done) {
    Model next = before;
    std::erase_if(next.tenants.at(op.tenant).people, [&](const auto& one) {
      return done.contains(one.second.home) && std::ranges::find(op.ids, one.first) != op.ids.end();
    });
    return next;
  };
  if (homes.size() > 1)
    for (const std::string& home : homes) out.push_back(without({home}));
  out.push_back(without(homes));
  return out;
}

void put(TenantModel& tenant, const std::string& id, const Op& op) {
  if (const auto at = tenant.people.find(id); at != tenant.people.end())
    at->second.records[{op.purpose, op.name}] = op.value;
}

std::vector<Model> half_first(const Model& before, const Model& after, const std::string& tenant,
                              std::size_t regions) {
  if (regions < 2) return {after};
  Model half = before;
  half.tenants[tenant].half = true;
  return {half, after};
}

std::vector<Model> of_known_tenant(const Op& op, const Model& before) {
  Model next = before;
  TenantModel& tenant = next.tenants.at(op.tenant);
  switch (op.what) {
    case What::purpose:
      tenant.purposes.insert(op.purpose);
      break;
    case What::enrol:
    case What::enrol_many:
      for (const std::string& id : op.ids)
        tenant.people.try_emplace(id, PersonModel{op.regions.front(), {}});
      break;
    case What::put:
    case What::put_relaxed:
    case What::batch:
    case What::batch_relaxed:
      for (const std::string& id : op.ids) put(tenant, id, op);
      break;
    case What::put_new: {
      tenant.people.try_emplace(op.ids.front(), PersonModel{op.regions.front(), {}});
      Model enrolled = next;
      put(tenant, op.ids.front(), op);
      return {enrolled, next};
    }
    case What::transfer:
      if (const auto at = tenant.people.find(op.ids.front()); at != tenant.people.end())
        at->second.home = op.regions.front();
      break;
    case What::merge: {
      PersonModel& into = tenant.people.at(op.ids.at(0));
      PersonModel& from = tenant.people.at(op.ids.at(1));
      into.records.insert(from.records.begin(), from.records.end());
      from = into;
      break;
    }
    case What::remove:
    case What::shred:
      if (const auto at = tenant.people.find(op.ids.front()); at != tenant.people.end())
        at->second.records.erase({op.purpose, op.name});
      break;
    case What::erase:
    case What::erase_many:
      return erased(op, before);
    case What::suppress:
      tenant.people.erase(op.ids.front());
      tenant.suppressed.insert(op.ids.front());
      break;
    case What::offboard: {
      const std::size_t regions = tenant.regions.size();
      next.tenants.erase(op.tenant);
      return half_first(before, next, op.tenant, regions);
    }
    case What::create:
    case What::declare:
    case What::maintain:
    case What::sync:
    case What::rotate:
    case What::reopen:
      break;
  }
  return {next};
}

}  // namespace

std::string_view name(Op::What what) noexcept {
  switch (what) {
    case What::create:
      return "create";
    case What::declare:
      return "declare";
    case What::purpose:
      return "purpose";
    case What::enrol:
      return "enrol";
    case What::enrol_many:
      return "enrol many";
    case What::put:
      return "put";
    case What::put_new:
      return "put that enrols";
    case What::put_relaxed:
      return "relaxed put";
    case What::batch:
      return "batch";
    case What::batch_relaxed:
      return "relaxed batch";
    case What::sync:
      return "sync";
    case What::remove:
      return "remove";
    case What::shred:
      return "remove and re-key";
    case What::transfer:
      return "transfer";
    case What::merge:
      return "merge";
    case What::erase:
      return "erase";
    case What::erase_many:
      return "erase many";
    case What::suppress:
      return "suppress";
    case What::offboard:
      return "offboard";
    case What::rotate:
      return "rotate the root key";
    case What::maintain:
      return "maintain";
    case What::reopen:
      return "open";
  }
  return "?";
}

std::vector<Model> stages(const Op& op, const Model& before) {
  if (op.what == What::create) {
    Model next = before;
    next.created = true;
    return {next};
  }
  if (op.what == What::declare) {
    const auto at = before.tenants.find(op.tenant);
    if (at != before.tenants.end() && !at->second.half) return {before};
    Model next = before;
    next.tenants[op.tenant] = {{op.regions.begin(), op.regions.end()}, {}, {}, {}};
    return half_first(before, next, op.tenant, op.regions.size());
  }
  const auto at = before.tenants.find(op.tenant);
  if (at == before.tenants.end()) return {before};
  if (at->second.half && op.what != What::offboard) return {before};
  return of_known_tenant(op, before);
}

std::string value_of(const std::string& text) {
  unsigned long number = 0;
  std::size_t bytes = 0;
  if (std::sscanf(text.c_str(), "#%lu:%zu", &number, &bytes) != 2) return text;
  return large_value(number, bytes);
}

std::string text_of_value(std::string_view value) {
  if (value.size() < large_bytes_min) return std::string(value);
  std::uint64_t number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  if (value != large_value(number, value.size())) return "a large value that nobody wrote";
  return "#" + std::to_string(number) + ":" + std::to_string(value.size());
}

std::vector<std::string> numbered(std::string_view prefix, int first, int count) {
  std::vector<std::string> out;
  for (int i = first; i < first + count; ++i)
    out.push_back(std::string(prefix) + std::to_string(i));
  return out;
}

}  // namespace efface::test
