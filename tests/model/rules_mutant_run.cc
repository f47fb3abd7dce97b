// Random programs on a library with one breakage of access/mutant.h, and whether the model of the
// rules differs from it.
//
//   rules_mutant_NAME found | none   succeeds when a difference was found; or when there was none.
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "model/rules_session.h"

namespace efface::test {
namespace {

constexpr int size = 1'000;
constexpr std::uint64_t programs_of_each_theme = 40;

std::string first_difference() {
  for (std::uint64_t seed = 1; seed <= programs_of_each_theme; ++seed)
    for (const Theme theme : {Theme::access, Theme::consent, Theme::holds, Theme::days}) {
      const auto operations = program(theme)(rc::Random(seed), size).value();
      RulesSession session;
      std::string difference = session.run(operations);
      if (!difference.empty()) return difference;
    }
  return {};
}

}  // namespace
}  // namespace efface::test

int main(int argc, char** argv) {
  const bool expects_one = argc == 2 && argv[1] == std::string_view("found");
  const std::string difference = efface::test::first_difference();
  std::printf("%s\n", difference.empty() ? "not one difference" : difference.c_str());
  return difference.empty() != expects_one ? 0 : 1;
}
