// A short history on a library with one breakage of keyring/mutant.h, or on a root store that
// lies, and what the oracle makes of it. Each mutant is given what makes it bite.
//
//   mutant_run FINDING [SEED]    succeeds when that is what was found, and nothing else; or "none".
#include <charconv>
#include <cstdio>
#include <string_view>

#include "oracle/verdict.h"

namespace disclosure {
namespace {

class Trial {
 public:
  explicit Trial(const WorldOptions& options) : world_(options) {}

  // Until the end of the round in which something is found.
  std::set<Finding> run(int rounds) {
    constexpr int steps_a_round = 350;
    for (int i = 0; i < 12; ++i) world_.enrol(30);
    for (int round = 0; round < rounds && findings_.empty(); ++round) {
      for (int i = 0; i < 6; ++i) world_.hold();
      for (int i = 0; i < steps_a_round; ++i) world_.step();
      // People who lived through splits, and few others, so that the buckets they came from stay
      // as they are.
      for (int i = 0; i < 4; ++i) world_.enrol(40);
      for (int i = 0; i < 4; ++i) world_.erase();
      for (int i = 0; i < 3; ++i) world_.release();
      world_.rekey_all();
      world_.pass_days(31);
      look();
      // What the attempt wrote is on disk, under a spare; then an erasure that must not use that
      // spare.
      world_.erase_failing(Fault::meta_write);
      world_.erase();
      look();
    }
    return findings_;
  }

  bool anything_is_missed() const { return missed_ > 0; }
  bool opened_old_images() const { return superseded_ > 0; }

 private:
  void look() {
    const Verdict verdict = judge(world_);
    findings_.insert(verdict.findings.begin(), verdict.findings.end());
    if (!verdict.forgets() && verdict.findings.empty()) findings_.insert(Finding::something_else);
    missed_ += verdict.keeps() ? 0 : 1;
    superseded_ += verdict.superseded_nodes_opened;
    std::printf("%zu people erased: %zu of %zu keys reached, %zu records and %zu values opened\n",
                verdict.people_erased, verdict.keys_reached, verdict.keys_erased,
                verdict.records_opened, verdict.values_opened);
  }

  World world_;
  std::set<Finding> findings_;
  std::size_t missed_ = 0;  // Verdicts that missed something of the living.
  std::size_t superseded_ = 0;
};

int run(std::string_view expected, std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.tenants = 8;
  options.people_min = 300;
  if (expected == name(Finding::destroyed_epoch)) options.root_store = RootStore::lying;
  Trial trial(options);
  // A liar's many keys are tried on many images.
  const std::set<Finding> findings = trial.run(options.root_store == RootStore::lying ? 1 : 4);
  for (const Finding finding : findings) std::printf("found: %s\n", name(finding));
  if (trial.anything_is_missed()) std::printf("something of the living was missed\n");
  if (!trial.opened_old_images()) std::printf("no old image was opened\n");
  if (trial.anything_is_missed() || !trial.opened_old_images()) return 1;
  if (expected == "none") return findings.empty() ? 0 : 1;
  return findings.size() == 1 && name(*findings.begin()) == expected ? 0 : 1;
}

}  // namespace
}  // namespace disclosure

int main(int count, char** arguments) {
  if (count < 2) return 2;
  std::uint64_t seed = 1414;
  if (count > 2) {
    const std::string_view text = arguments[2];
    std::from_chars(text.data(), text.data() + text.size(), seed);
  }
  return disclosure::run(arguments[1], seed);
}
