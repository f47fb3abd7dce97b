// How many instructions does one operation take? Run by callgrind, which counts between the
// toggles; says how many operations there were.
//
// instructions get|visit|put|erase
#include <valgrind/callgrind.h>

#include <cstdio>
#include <string_view>

#include "support/data.h"
#include "support/must.h"
#include "support/people.h"

namespace efface::bench {

bool is_quick() noexcept { return false; }

namespace {

constexpr std::size_t people_count = 250;
constexpr std::size_t records_each = 10;
constexpr std::size_t value_bytes = 200;
constexpr std::size_t operations = 100;

// Twice, the first time uncounted: what is made once is made then.
template <class Body>
void counted(Body&& body) {
  for (std::size_t i = 0; i < operations; ++i) body(i);
  CALLGRIND_TOGGLE_COLLECT;
  for (std::size_t i = operations; i < 2 * operations; ++i) body(i);
  CALLGRIND_TOGGLE_COLLECT;
  std::printf("%zu\n", operations);
}

int run(std::string_view what) {
  const People people("instructions");
  std::vector<Subject> subjects = people.enrol(0, people_count);
  for (const Subject& subject : subjects) people.load(subject, 0, records_each, value_bytes);
  const Activity& activity = people.activity();
  const std::string name = record_name(1);
  if (what == "get") {
    counted([&](std::size_t i) { must(activity.get(subjects[i], RecordName(name))); });
  } else if (what == "visit") {
    counted(
        [&](std::size_t i) { must(activity.visit(subjects[i], RecordName(name), [](Bytes) {})); });
  } else if (what == "put") {
    counted([&](std::size_t i) {
      must(activity.put(subjects[i], RecordName(name), value_of(i, value_bytes)));
    });
  } else if (what == "erase") {
    counted([&](std::size_t i) { must(people.tenant().erase(std::move(subjects[i]))); });
  } else {
    give_up("instructions", "get, visit, put or erase");
  }
  return 0;
}

}  // namespace
}  // namespace efface::bench

int main(int argc, char** argv) { return efface::bench::run(argc == 2 ? argv[1] : ""); }
