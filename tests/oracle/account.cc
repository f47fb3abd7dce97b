#include "oracle/account.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unordered_set>

namespace disclosure {
namespace {

constexpr std::uint64_t steps = 10'000;
constexpr std::uint64_t steps_between_verdicts = 2'000;

// How often the first half of a person's or tenant's tag stands in a file of the store.
std::uint64_t tags_in_clear(const World& world) {
  std::unordered_set<std::uint64_t> begins;
  for (const Erased& erased : world.erased())
    for (const Row& row : erased.rows)
      if (row.tree != Tree::retention) begins.insert(little<std::uint64_t>(row.tag, 0));
  std::uint64_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.store_path())) {
    const auto file = MappedFile::open(entry.path());
    if (!file) continue;
    const Bytes bytes = file->bytes();
    for (std::size_t at = 0; at + 8 <= bytes.size(); ++at)
      found += begins.count(little<std::uint64_t>(bytes, at));
  }
  return found;
}

std::uint64_t ms_since(std::chrono::steady_clock::time_point began) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now() - began)
                                        .count());
}

}  // namespace

const Account& Account::given() {
  static const Account account;
  return account;
}

Account::Account() {
  const char* const told = std::getenv("EFFACE_ORACLE_ACCOUNT");
  if (told != nullptr && read(told)) return;
  live_through();
  if (const char* const to = std::getenv("EFFACE_ORACLE_SAVES"); to != nullptr) save(to);
}

bool Account::read(const char* path) {
  std::ifstream in(path);
  std::string what;
  for (std::uint64_t number = 0; in >> what >> number;) numbers_[what] = number;
  return !numbers_.empty();
}

void Account::save(const char* path) const { std::ofstream(path) << text(); }

std::string Account::text() const {
  std::ostringstream out;
  for (const auto& [what, number] : numbers_) out << what << ' ' << number << '\n';
  return out.str();
}

void Account::live_through() {
  const auto began = std::chrono::steady_clock::now();
  WorldOptions options;
  options.seed = 4711;
  options.regions = {"eu", "us"};
  options.tenants = 5;
  options.people_min = 1'600;
  World world(options);
  std::uint64_t judged_ms = 0;
  for (std::uint64_t i = 1; i < steps; ++i) {
    world.step();
    if (i % steps_between_verdicts != 0) continue;
    const auto before = std::chrono::steady_clock::now();
    add(judge(world, Reach::its_place));
    judged_ms += ms_since(before);
  }
  world.erase();
  const auto before = std::chrono::steady_clock::now();
  const Verdict last = judge(world, Reach::its_tree);
  add(last);
  numbers_["ms_judging"] = judged_ms + ms_since(before);
  look_at_the_end(world, last);
  numbers_["operations"] = steps;
  numbers_["ms"] = ms_since(began);
}

// What must be none is added up. Of what must be there, the least counts.
void Account::add(const Verdict& verdict) {
  const auto sum = [&](const char* what, std::size_t number) { numbers_[what] += number; };
  const auto least = [&](const char* what, std::size_t number) {
    const auto [at, fresh] = numbers_.try_emplace(what, number);
    at->second = std::min<std::uint64_t>(at->second, number);
  };
  sum("verdicts", 1);
  sum("erased_keys_reached", verdict.keys_reached);
  sum("erased_handles_reached", verdict.handles_reached);
  sum("erased_records_opened", verdict.records_opened);
  sum("erased_values_opened", verdict.values_opened);
  sum("erased_terms_opened", verdict.terms_opened);
  sum("erased_files_opened", verdict.files_opened);
  sum("erased_notes_opened", verdict.notes_opened);
  sum("erased_told", verdict.could_be_told);
  for (const Reason reason : reasons) {
    const auto count_of = [&](const std::map<Reason, std::size_t>& counts) {
      const auto at = counts.find(reason);
      return at == counts.end() ? 0 : at->second;
    };
    sum((std::string(name(reason)) + "_reached").c_str(), count_of(verdict.reached));
    numbers_[name(reason)] = count_of(verdict.destroyed);  // The last verdict's are the most.
  }
  sum("living_keys_missed", verdict.keys_missed);
  sum("living_people_missed", verdict.people_missed);
  sum("living_values_missed", verdict.values_missed);
  sum("living_notes_missed", verdict.notes_missed);
  sum("tombstones_missed", verdict.tombstones_missed);
  sum("tombstones", verdict.tombstones);
  sum("residue_opened", verdict.residue_opened);
  least("superseded_nodes_opened", verdict.superseded_nodes_opened);
  least("people_living", verdict.people_living);
  least("notes_living", verdict.notes_living);
  for (const Finding finding : verdict.findings) sum(name(finding), 1);
}

void Account::look_at_the_end(World& world, const Verdict& last) {
  numbers_["people_erased"] = last.people_erased;
  numbers_["keys_erased"] = last.keys_erased;
  numbers_["keys_living"] = last.keys_living;
  numbers_["node_images"] = last.nodes;
  numbers_["nodes_opened_at_the_end"] = last.nodes_opened;
  numbers_["levels"] = last.levels;
  numbers_["writes"] = world.recorder().writes();
  numbers_["mirror_writes"] = world.recorder().mirror_writes();
  numbers_["bytes_written"] = world.recorder().bytes_written();
  numbers_["writes_with_plaintext"] = world.recorder().seen_in_clear();
  numbers_["tags_in_clear"] = tags_in_clear(world);

  const Verdict control = judge(world, Reach::its_place, world.destroyed_root_keys());
  numbers_["control_keys_reached"] = control.keys_reached;
  numbers_["control_values_opened"] = control.values_opened;
  numbers_["control_told"] = control.could_be_told;

  Images& images = world.recorder().images();
  const std::size_t recorded = images.nodes() + images.records() + images.root_records();
  images.add_directory(world.store_path());
  images.add_directory(world.mirror_path());
  numbers_["images_not_recorded"] =
      images.nodes() + images.records() + images.root_records() - recorded;
}

}  // namespace disclosure
