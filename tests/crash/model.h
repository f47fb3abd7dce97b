// crash/model.h -- what a store must hold: the people and records of its tenants, and how one
// operation changes them.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace efface::test {

struct PersonModel {
  std::string home;
  std::map<std::pair<std::string, std::string>, std::string> records;  // By purpose and name.
  friend bool operator==(const PersonModel&, const PersonModel&) = default;
};

struct TenantModel {
  std::set<std::string> regions;
  std::set<std::string> purposes;
  std::map<std::string, PersonModel> people;  // By id.
  std::set<std::string> suppressed;           // Ids.
  // Declared or off-boarded in some of its regions alone: to be mended by doing that again. Nothing
  // else is said about it.
  bool half = false;
  friend bool operator==(const TenantModel& a, const TenantModel& b) {
    if (a.half || b.half) return a.half == b.half;
    return a.regions == b.regions && a.purposes == b.purposes && a.people == b.people &&
           a.suppressed == b.suppressed;
  }
};

struct Model {
  bool created = false;
  std::map<std::string, TenantModel> tenants;
  friend bool operator==(const Model&, const Model&) = default;
};

struct Op {
  enum class What : std::uint8_t {
    create,         // The root key files, and a store in regions.
    declare,        // A tenant in regions.
    purpose,        // One more, of the tenant.
    enrol,          // Of ids one, in region.
    enrol_many,     // Of ids all.
    put,            // A record of one who is there.
    put_new,        // Likewise, and enrols her in region.
    put_relaxed,    // A record of one who is there, acknowledged ahead of its commit.
    batch,          // One record for each of ids.
    batch_relaxed,  // Likewise, acknowledged ahead of its commit.
    sync,           // What was acknowledged so.
    remove,         // A record.
    shred,          // A record, and its scope re-keyed at once.
    transfer,       // Of ids one, to region.
    merge,          // Into the first of ids the second, whose id then is another of the first.
    erase,          // Of ids one.
    erase_many,     // Of ids all.
    suppress,       // Of ids one.
    offboard,
    rotate,  // The root key of region.
    maintain,
    reopen,  // Also the root key files.
  };
  What what;
  std::string tenant{};
  std::string purpose{};
  std::vector<std::string> regions{};
  std::vector<std::string> ids{};
  std::string name{};
  std::string value{};
};
std::string_view name(Op::What what) noexcept;

// What may stand there once the operation has begun: each stage it can be cut at, the last one
// when it is done. Never empty.
std::vector<Model> stages(const Op& op, const Model& before);

// Values of megabytes stand in a model by a short text, "#number:bytes". What is stored for a text;
// and the text of what is stored. Any other text stands for itself.
std::string value_of(const std::string& text);
std::string text_of_value(std::string_view value);

std::vector<std::string> numbered(std::string_view prefix, int first, int count);

}  // namespace efface::test
