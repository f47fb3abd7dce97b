#include "crash/scenarios.h"

#include <cstdint>

namespace efface::test {
namespace {

using What = Op::What;
using Ids = std::vector<std::string>;

// Does not compress: larger than a page of LMDB's.
std::string large_value() {
  std::string out;
  std::uint32_t state = 1;
  while (out.size() < 9'000) {
    state = state * 1664525 + 1013904223;
    out.push_back(static_cast<char>('a' + (state >> 24) % 26));
  }
  return out;
}

Op declare(std::string tenant, std::vector<std::string> regions = {"eu"}) {
  return {.what = What::declare, .tenant = std::move(tenant), .regions = std::move(regions)};
}
Op purpose(std::string tenant, std::string purpose) {
  return {.what = What::purpose, .tenant = std::move(tenant), .purpose = std::move(purpose)};
}
Op people(What what, std::string tenant, Ids ids, std::string region = "eu") {
  return {.what = what,
          .tenant = std::move(tenant),
          .regions = {std::move(region)},
          .ids = std::move(ids)};
}
Op write(What what, Ids ids, std::string name, std::string value = {},
         std::string purpose = "ratings", std::string region = "eu") {
  return {.what = what,
          .tenant = "acme",
          .purpose = std::move(purpose),
          .regions = {std::move(region)},
          .ids = std::move(ids),
          .name = std::move(name),
          .value = std::move(value)};
}
Op offboard(std::string tenant) { return {.what = What::offboard, .tenant = std::move(tenant)}; }

// Two tenants; acme has so many people, each with a record.
std::vector<Op> populated(int count) {
  const Ids ids = numbered("p", 0, count);
  return {{.what = What::create},
          declare("acme"),
          purpose("acme", "ratings"),
          purpose("acme", "mail"),
          declare("other"),
          people(What::enrol, "other", {"o0"}),
          people(What::enrol_many, "acme", ids),
          write(What::batch, ids, "first", "one"),
          write(What::put, {"p0"}, "letter", "dear", "mail")};
}

}  // namespace

Scenario creating() {
  return {.label = "create", .place = {}, .before = {}, .ops = {{.what = What::create}}};
}

Scenario creating_two_regions() {
  return {.label = "create two regions",
          .place = {.home = {}, .regions = {"eu", "us"}, .elsewhere = {"us"}},
          .before = {},
          .ops = {{.what = What::create}}};
}

Scenario declaring() {
  return {.label = "declare",
          .place = {},
          .before = {{.what = What::create}},
          .ops = {declare("acme"), purpose("acme", "ratings"), purpose("acme", "mail")}};
}

Scenario enrolling() {
  return {.label = "enrol",
          .place = {},
          .before = populated(3),
          .ops = {people(What::enrol, "acme", {"q0"}), people(What::enrol, "acme", {"q1"}),
                  people(What::enrol, "other", {"q0"})}};
}

Scenario enrolling_many() {
  return {.label = "enrol many",
          .place = {},
          .before = populated(20),
          .ops = {people(What::enrol_many, "acme", numbered("q", 0, 100)),
                  people(What::enrol_many, "acme", numbered("q", 95, 10))}};
}

Scenario putting() {
  return {.label = "put",
          .place = {},
          .before = populated(3),
          .ops = {write(What::put, {"p1"}, "second", "two"),
                  write(What::put, {"p1"}, "second", "two again"),
                  write(What::put, {"p2"}, "long", large_value(), "mail"),
                  write(What::batch, {"p0", "p1", "p2"}, "third", "three"),
                  write(What::remove, {"p0"}, "first"),
                  write(What::put_new, {"q0"}, "first", "one", "mail")}};
}

Scenario erasing() {
  return {.label = "erase",
          .place = {},
          .before = populated(3),
          .ops = {people(What::erase, "acme", {"p1"}), write(What::put, {"p2"}, "second", "two"),
                  people(What::erase, "acme", {"p0"})}};
}

Scenario erasing_many() {
  return {.label = "erase many",
          .place = {},
          .before = populated(60),
          .ops = {people(What::erase_many, "acme", numbered("p", 20, 40))}};
}

Scenario offboarding() {
  return {.label = "offboard",
          .place = {},
          .before = populated(30),
          .ops = {offboard("acme"), people(What::enrol, "other", {"o1"})}};
}

Scenario maintaining() {
  std::vector<Op> before = populated(12);
  before.push_back(people(What::enrol_many, "other", numbered("o", 0, 12)));
  before.push_back(people(What::erase_many, "acme", numbered("p", 0, 8)));
  before.push_back(offboard("other"));
  return {.label = "maintain",
          .place = {},
          .before = std::move(before),
          .ops = {{.what = What::maintain}}};
}

Scenario rekeying() {
  std::vector<Op> before = populated(3);
  for (const char* name : {"second", "third", "fourth"})
    before.push_back(write(What::put, {"p1"}, name, "there"));
  return {.label = "re-key",
          .place = {},
          .before = std::move(before),
          .ops = {write(What::shred, {"p1"}, "second"), write(What::put, {"p1"}, "fifth", "new"),
                  write(What::shred, {"p0"}, "first")}};
}

Scenario transferring() {
  std::vector<Op> before = {{.what = What::create},
                            declare("acme", {"eu", "us"}),
                            purpose("acme", "ratings"),
                            purpose("acme", "mail"),
                            people(What::enrol_many, "acme", numbered("p", 0, 3), "eu"),
                            write(What::batch, numbered("p", 0, 3), "first", "one"),
                            write(What::put, {"p1"}, "letter", "dear", "mail")};
  return {.label = "transfer",
          .place = {.home = {}, .regions = {"eu", "us"}},
          .before = std::move(before),
          .ops = {people(What::transfer, "acme", {"p1"}, "us"),
                  write(What::put, {"p1"}, "second", "two", "ratings", "us"),
                  people(What::transfer, "acme", {"p1"}, "eu")}};
}

Scenario merging() {
  std::vector<Op> before = populated(3);
  before.push_back(write(Op::What::put, {"p1"}, "second", "two"));
  before.push_back(write(Op::What::put, {"p1"}, "letter", "dear", "mail"));
  return {.label = "merge",
          .place = {},
          .before = std::move(before),
          .ops = {{.what = What::merge, .tenant = "acme", .ids = {"p2", "p1"}}}};
}

Scenario opening() {
  return {.label = "open",
          .place = {},
          .before = populated(3),
          .ops = {{.what = What::reopen}},
          .counts_opening = true};
}

Scenario in_two_regions() {
  std::vector<Op> before = {{.what = What::create},
                            declare("other", {"us"}),
                            people(What::enrol, "other", {"o0"}, "us"),
                            declare("acme", {"eu", "us"}),
                            purpose("acme", "ratings"),
                            people(What::enrol_many, "acme", numbered("p", 0, 4), "eu"),
                            people(What::enrol_many, "acme", numbered("r", 0, 4), "us"),
                            write(What::batch, numbered("r", 0, 4), "first", "one")};
  return {.label = "two regions",
          .place = {.home = {}, .regions = {"eu", "us"}},
          .before = std::move(before),
          .ops = {declare("both", {"eu", "us"}), purpose("acme", "mail"),
                  people(What::enrol, "acme", {"q0"}, "us"),
                  write(What::put, {"q0"}, "first", "one", "mail", "us"),
                  people(What::erase_many, "acme", {"p0", "r0", "p1", "r1"}), offboard("acme")}};
}

Scenario suppressing() {
  return {
      .label = "suppress",
      .place = {},
      .before = populated(3),
      .ops = {people(What::suppress, "acme", {"p1"}), people(What::suppress, "acme", {"nobody"}),
              write(What::put, {"p2"}, "second", "two")}};
}

// Each synced operation takes along what waits.
Scenario relaxing() {
  return {.label = "relax",
          .place = {},
          .before = populated(3),
          .ops = {write(What::put_relaxed, {"p1"}, "second", "two"),
                  write(What::batch_relaxed, {"p0", "p1", "p2"}, "third", "three"),
                  write(What::put_relaxed, {"p2"}, "long", large_value(), "mail"),
                  {.what = What::sync},
                  write(What::put_relaxed, {"p1"}, "second", "two again"),
                  write(What::put, {"p1"}, "second", "the last"),
                  write(What::put_relaxed, {"p0"}, "second", "two"),
                  people(What::erase, "acme", {"p0"}),
                  write(What::put_relaxed, {"p2"}, "second", "two")}};
}

Scenario rotating() {
  const Op rotate{.what = What::rotate, .regions = {"eu"}};
  return {.label = "rotate the root key",
          .place = {},
          .before = populated(3),
          .ops = {rotate, write(What::put, {"p2"}, "second", "two"), rotate}};
}

Scenario sweeping() {
  std::vector<Op> before = populated(12);
  before.push_back(people(What::erase_many, "acme", numbered("p", 0, 8)));
  return {.label = "sweep",
          .place = {},
          .before = std::move(before),
          .ops = {{.what = What::maintain}}};
}

Scenario mirrored(Scenario scenario) {
  scenario.label += ", mirrored";
  scenario.place.mirrored = true;
  return scenario;
}

std::vector<Scenario> all_scenarios() {
  return {creating(),       creating_two_regions(),
          declaring(),      enrolling(),
          enrolling_many(), putting(),
          erasing(),        erasing_many(),
          offboarding(),    maintaining(),
          rekeying(),       transferring(),
          merging(),        opening(),
          in_two_regions()};
}

}  // namespace efface::test
