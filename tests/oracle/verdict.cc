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
      if (row.tree == Tree::top && (row.label == 1 || row.label == 2))
        buckets_[{row.region, row.tenant, row.label == 1 ? Tree::subjects : Tree::retention}] =
            row.aux;
  }

  const Result& live() const { return live_; }
  Finding classify(const Result& found, const Row& erased, std::size_t node) const;

 private:
  bool is_root_key(const Id& region, const Fingerprint& key) const {
    const auto tree = trees_.find(region);
    return tree != trees_.end() && fingerprint(tree->second.root_key()) == key;
  }
  bool has_left(const Row& erased, const Place& leaf) const {
    const auto buckets = buckets_.find({erased.region, erased.tenant, erased.tree});
    return buckets != buckets_.end() && bucket_of(erased.tag, buckets->second) != leaf.index;
  }

  std::map<Id, LiveTree> trees_;
  Result live_;
  std::set<std::tuple<Id, Place, Fingerprint>> nodes_;
  std::map<std::tuple<Id, std::uint32_t, Tree>, std::uint32_t> buckets_;
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

// A row of those leads elsewhere: its handle is a person's tag.
bool is_pointer(const Row& row) {
  return row.tree == Tree::subjects && (row.label == label_alias || row.label == label_merging);
}

class Judge {
 public:
  Judge(const World& world, const Result& found, const Present& present, Verdict& verdict)
      : world_(world), found_(found), present_(present), verdict_(verdict) {
    for (std::size_t i = 0; i < found.rows().size(); ++i) by_key_.emplace(found.rows()[i].key, i);
  }
  void judge(const Erased& erased);

 private:
  void judge_row(const Erased& erased, const Row& row);
  void find_out(const Row& row);
  void count(const Erased& erased, bool is_reached, std::size_t& where) {
    ++verdict_.destroyed[erased.reason];
    if (!is_reached) return;
    ++where;
    ++verdict_.reached[erased.reason];
  }

  const World& world_;
  const Result& found_;
  const Present& present_;
  Verdict& verdict_;
  std::map<Key, std::size_t> by_key_;
};

void Judge::find_out(const Row& row) {
  if (present_.live().reaches_key(fingerprint(row.key))) {
    const bool same = present_.live().reaches_handle(row.handle);
    verdict_.findings.insert(same ? Finding::kept_row : Finding::copied_key);
    return;
  }
  const auto reached = by_key_.find(row.key);
  if (reached == by_key_.end()) {
    verdict_.findings.insert(Finding::something_else);
    return;
  }
  for (const std::size_t node : found_.rows()[reached->second].nodes)
    verdict_.findings.insert(present_.classify(found_, row, node));
}

void Judge::judge_row(const Erased& erased, const Row& row) {
  ++verdict_.keys_erased;
  if (!is_pointer(row)) {
    count(erased, found_.reaches_handle(row.handle), verdict_.handles_reached);
    count(erased, found_.opens_record(row.handle), verdict_.records_opened);
  }
  if (row.tree == Tree::subjects && row.label == 0)
    count(erased, found_.opens_file(row.handle), verdict_.files_opened);
  const bool is_reached = found_.reaches_key(fingerprint(row.key));
  count(erased, is_reached, verdict_.keys_reached);
  if (is_reached) find_out(row);
}

void Judge::judge(const Erased& erased) {
  verdict_.people_erased += erased.reason == Reason::erased ? 1 : 0;
  for (const Row& row : erased.rows) judge_row(erased, row);
  for (const std::string& value : erased.values)
    count(erased, found_.opens_value(value), verdict_.values_opened);
  for (const std::string& note : erased.notes)
    count(erased, found_.opens_text_on_file(note), verdict_.notes_opened);
  if (erased.reason == Reason::offboarded)
    count(erased, found_.opens_terms(erased.tenant_number), verdict_.terms_opened);
  for (const std::string& id : erased.ids)
    if (!world_.is_living(id) && !world_.suppressed().contains(id))
      count(erased, found_.could_tell(id), verdict_.could_be_told);
}

void judge_person(const Person& person, const Result& found, Verdict& verdict) {
  ++verdict.people_living;
  for (const std::string& id : person.ids())
    if (!found.could_tell(id)) ++verdict.people_missed;
  const auto must_open = [&](const Written& written) {
    if (!found.opens_value(written.value)) ++verdict.values_missed;
  };
  for (const auto& [record, written] : person.records) must_open(written);
  for (const auto& [record, written] : person.past_day) must_open(written);
  for (const Written& written : person.waiting) must_open(written);
  for (const std::string& note : person.notes) {
    ++verdict.notes_living;
    if (!found.opens_text_on_file(note)) ++verdict.notes_missed;
  }
  for (const Written& written : person.residue) {
    ++verdict.residue;
    if (found.opens_value(written.value)) ++verdict.residue_opened;
  }
}

void judge_living(const World& world, const Result& found, const Result& live, Verdict& verdict) {
  for (const Row& row : live.rows()) {
    ++verdict.keys_living;
    if (!found.reaches_key(fingerprint(row.key))) ++verdict.keys_missed;
  }
  for (const auto& [id, person] : world.living()) judge_person(person, found, verdict);
  for (const auto& [id, tenant] : world.suppressed()) {
    ++verdict.tombstones;
    if (!found.could_tell(id)) ++verdict.tombstones_missed;
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
    case Finding::kept_row:
      return "kept_row";
    case Finding::copied_key:
      return "copied_key";
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
  Judge judge(world, found, present, verdict);
  for (const Erased& erased : world.erased()) judge.judge(erased);
  judge_living(world, found, present.live(), verdict);
  verdict.nodes = images.nodes();
  verdict.nodes_opened = found.nodes_opened();
  verdict.superseded_nodes_opened = found.superseded_nodes_opened();
  for (const OpenedNode& node : present.live().nodes())
    verdict.levels = std::max<std::size_t>(verdict.levels, node.place.level);
  return verdict;
}

}  // namespace disclosure
