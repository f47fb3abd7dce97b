#include "oracle/verdict.h"

#include <algorithm>
#include <unordered_map>

namespace disclosure {
namespace {

// What key_from_survivor of keyring/mutant.h makes of a region and a place.
Key derived_from_survivor(const Id& region, const Place& place) {
  Key survivor{};
  std::ranges::copy(region, survivor.begin());
  Concatenation where;
  where.add_little(place.tree).add_little(place.level).add_little(place.index);
  return hash<32>(survivor, {where.bytes()});
}

// The live trees, by which an image is told from one that should have stayed shut.
class Present {
 public:
  Present(World& world, const RootKeys& keys)
      : trees_(world.live_trees()), live_(search(world.live_images(), keys)) {
    for (const OpenedNode& node : live_.nodes()) nodes_.insert({node.region, node.place, node.key});
    for (const Row& row : live_.rows())
      if (row.tree == Tree::top && row.label == 1)
        subject_buckets_[{row.region, row.tenant}] = row.aux;
  }

  const Result& live() const { return live_; }
  Finding classify(const Result& found, const Row& erased, std::size_t node) const;

 private:
  bool is_root_key(const Id& region, const Fingerprint& key) const {
    const auto tree = trees_.find(region);
    return tree != trees_.end() && fingerprint(tree->second.root_key()) == key;
  }
  bool has_left(const Row& erased, const Place& leaf) const {
    const auto buckets = subject_buckets_.find({erased.region, erased.tenant});
    return erased.tree == Tree::subjects && buckets != subject_buckets_.end() &&
           bucket_of(erased.tag, buckets->second) != leaf.index;
  }

  std::map<Id, LiveTree> trees_;
  Result live_;
  std::set<std::tuple<Id, Place, Fingerprint>> nodes_;
  std::map<std::pair<Id, std::uint32_t>, std::uint32_t> subject_buckets_;
};

// Upwards from the leaf, until something lives.
Finding Present::classify(const Result& found, const Row& erased, std::size_t node) const {
  for (;;) {
    const OpenedNode& here = found.nodes()[node];
    if (!here.from_node && !here.from_root) return Finding::derived_key;
    if (fingerprint(derived_from_survivor(here.region, here.place)) == here.key)
      return Finding::derived_key;
    if (is_root_key(here.region, here.key)) return Finding::kept_root_key;
    if (nodes_.contains({here.region, here.place, here.key})) {
      if (here.place.level > 0) return Finding::kept_inner_key;
      return has_left(erased, here.place) ? Finding::kept_bucket_key : Finding::kept_leaf_key;
    }
    if (here.from_node) {
      node = *here.from_node;
      continue;
    }
    const OpenedRoot& root = found.roots()[*here.from_root];
    const auto tree = trees_.find(here.region);
    if (tree == trees_.end()) return Finding::something_else;
    return root.epoch == tree->second.epoch() ? Finding::spent_spare : Finding::destroyed_epoch;
  }
}

void judge_erased(const World& world, const Result& found, const Present& present,
                  Verdict& verdict) {
  std::map<Key, std::size_t> by_key;
  for (std::size_t i = 0; i < found.rows().size(); ++i) by_key.emplace(found.rows()[i].key, i);
  for (const Erased& erased : world.erased()) {
    verdict.people_erased += erased.id.empty() ? 0 : 1;
    for (const Row& row : erased.rows) {
      ++verdict.keys_erased;
      if (found.reaches_handle(row.handle)) ++verdict.handles_reached;
      if (found.opens_record(row.handle)) ++verdict.records_opened;
      if (!found.reaches_key(fingerprint(row.key))) continue;
      ++verdict.keys_reached;
      const auto reached = by_key.find(row.key);
      if (reached == by_key.end()) {
        verdict.findings.insert(Finding::something_else);
        continue;
      }
      for (const std::size_t node : found.rows()[reached->second].nodes)
        verdict.findings.insert(present.classify(found, row, node));
    }
    for (const std::string& value : erased.values)
      if (found.opens_value(value)) ++verdict.values_opened;
    if (erased.id.empty() && found.opens_terms(erased.tenant_number)) ++verdict.terms_opened;
    if (!erased.id.empty() && !world.is_living(erased.id) && found.could_tell(erased.id))
      ++verdict.could_be_told;
  }
}

void judge_living(const World& world, const Result& found, const Result& live, Verdict& verdict) {
  for (const Row& row : live.rows()) {
    ++verdict.keys_living;
    if (!found.reaches_key(fingerprint(row.key))) ++verdict.keys_missed;
  }
  for (const auto& [id, person] : world.living()) {
    ++verdict.people_living;
    if (!found.could_tell(id)) ++verdict.people_missed;
    for (const auto& [record, value] : person.records)
      if (!found.opens_value(value)) ++verdict.values_missed;
  }
}

}  // namespace

const char* name(Finding finding) {
  switch (finding) {
    case Finding::kept_leaf_key:
      return "kept_leaf_key";
    case Finding::kept_inner_key:
      return "kept_inner_key";
    case Finding::kept_root_key:
      return "kept_root_key";
    case Finding::derived_key:
      return "derived_key";
    case Finding::kept_bucket_key:
      return "kept_bucket_key";
    case Finding::spent_spare:
      return "spent_spare";
    case Finding::destroyed_epoch:
      return "destroyed_epoch";
    case Finding::something_else:
      break;
  }
  return "something_else";
}

Verdict judge(World& world, Reach reach, const std::optional<RootKeys>& keys) {
  const RootKeys live_keys = world.root_keys();
  Options options;
  options.reach = reach;
  options.guess = &derived_from_survivor;
  const Images& images = world.recorder().images();
  const Result found = search(images, keys ? *keys : live_keys, options);
  const Present present(world, live_keys);
  Verdict verdict;
  judge_erased(world, found, present, verdict);
  judge_living(world, found, present.live(), verdict);
  verdict.nodes = images.nodes();
  verdict.nodes_opened = found.nodes_opened();
  verdict.superseded_nodes_opened = found.superseded_nodes_opened();
  for (const OpenedNode& node : present.live().nodes())
    verdict.levels = std::max<std::size_t>(verdict.levels, node.place.level);
  return verdict;
}

}  // namespace disclosure
