#include "power/bugs.h"

#include <algorithm>
#include <set>

namespace efface::test::power {
namespace {

bool syncs(const Operation& operation) { return operation.is_sync() || operation.syncs_itself; }

// Which operation of the scenario runs there.
class Labels {
 public:
  Labels(const Simulation& simulation, const Log& log) : simulation_(simulation), log_(log) {}

  // What is at a place: "erase: fdatasync of keyring/data.mdb".
  std::string of(std::size_t at) {
    return simulation_.operation_at(log_, at) + ": " + simulation_.describe(log_, at);
  }

 private:
  const Simulation& simulation_;
  const Log& log_;
};

struct Step {
  std::size_t first;
  std::size_t end;
  Inode inode;
};

// What a file's operation is about: a directory for names.
Inode about(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::create:
    case Operation::Kind::rename:
    case Operation::Kind::unlink:
      return operation.parent;
    default:
      return operation.inode;
  }
}

// Marks stay where they are, and end a step.
std::vector<Step> steps_of(const Log& log) {
  std::vector<Step> steps;
  for (std::size_t at = 0; at < log.size(); ++at) {
    if (log[at].kind == Operation::Kind::mark) {
      steps.push_back({at, at + 1, no_inode});
      continue;
    }
    const Inode inode = about(log[at]);
    if (!steps.empty() && steps.back().inode == inode)
      steps.back().end = at + 1;
    else
      steps.push_back({at, at + 1, inode});
  }
  return steps;
}

}  // namespace

std::vector<Bug> without_each_sync(const Simulation& simulation, std::size_t& idle) {
  const Log& log = simulation.recording().log;
  std::vector<Bug> bugs;
  Labels labels(simulation, log);
  // With names as strict as can be, so that a sync of a directory has something to do.
  Sectors sectors;
  Disk disk(sectors, simulation.recording().base, {FileSystemModel::strict});
  for (std::size_t at = 0; at < log.size(); ++at) {
    const Operation& operation = log[at];
    disk.begin(operation);
    if (syncs(operation)) {
      if (operation.is_sync() && !disk.is_waiting(operation.inode)) {
        ++idle;
      } else {
        Bug bug{"without the " + labels.of(at), log, at};
        if (operation.syncs_itself)
          bug.log[at].syncs_itself = false;
        else
          bug.log.erase(bug.log.begin() + static_cast<std::ptrdiff_t>(at));
        bugs.push_back(std::move(bug));
      }
    }
    disk.finish(operation);
  }
  return bugs;
}

std::vector<Bug> with_steps_exchanged(const Simulation& simulation) {
  const Log& log = simulation.recording().log;
  const std::vector<Step> steps = steps_of(log);
  std::vector<Bug> bugs;
  Labels labels(simulation, log);
  const auto is_possible = [&](const Log& changed) {
    std::set<Inode> there;
    for (const Found& found : simulation.recording().base) there.insert(found.inode);
    for (const Operation& operation : changed) {
      if (operation.kind == Operation::Kind::mark) continue;
      if (operation.kind == Operation::Kind::create) there.insert(operation.inode);
      if (!there.contains(operation.inode)) return false;
    }
    return true;
  };
  const auto has_sync = [&](const Step& step) {
    return std::any_of(log.begin() + static_cast<std::ptrdiff_t>(step.first),
                       log.begin() + static_cast<std::ptrdiff_t>(step.end), syncs);
  };
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const Step& one = steps[i];
    const Step& two = steps[i + 1];
    if (one.inode == no_inode || two.inode == no_inode || !has_sync(one) || !has_sync(two))
      continue;
    Bug bug{labels.of(one.end - 1) + " after " + labels.of(two.end - 1), log, one.first};
    std::rotate(bug.log.begin() + static_cast<std::ptrdiff_t>(one.first),
                bug.log.begin() + static_cast<std::ptrdiff_t>(two.first),
                bug.log.begin() + static_cast<std::ptrdiff_t>(two.end));
    if (is_possible(bug.log)) bugs.push_back(std::move(bug));  // No write before its file is made.
  }
  return bugs;
}

std::span<const Harmless> harmless_in(std::string_view scenario) {
  static constexpr const char* named = "what has no name yet is removed; it is synced by its name";
  static constexpr const char* again = "synced by the next commit, before anything else happens";
  static constexpr const char* swept = "what was not swept stays in the queue, and is swept again";
  static constexpr const char* whole =
      "both generations of a scope are read until the keyring has one, and what lies under the "
      "other is sealed anew";
  static constexpr const char* either = "of the keyring and its mirror one has the commit";
  static constexpr const char* copied =
      "she is in the source until it has erased her, and the copy is made anew";
  static constexpr Harmless all[] = {
      {"create", "without the create: fsync of ./eu.key", 1, named},
      {"create", "without the create: fsync of .", 1, named},
      {"create", "without the create: fdatasync of ./eu.key", 2, named},
      {"create", "without the create: fdatasync of keyring/data.mdb", 1, named},
      {"create", "without the create: write to keyring/data.mdb", 1, named},
      {"create", "without the create: fsync of eu.new/keyring", 1, named},
      {"create", "without the create: fdatasync of records/data.mdb", 1, named},
      {"create", "without the create: fsync of ./store.new", 1, named},
      {"create", "without the create: fsync of store.new/eu.new", 1, named},
      {"create", "create: fsync of ./eu.key after create: fsync of .", 1, named},
      {"create", "create: fsync of . after create: fdatasync of ./eu.key", 1, named},
      {"create", "create: fsync of keyring/data.mdb after create: fsync of eu.new/keyring", 1,
       named},
      {"create", "create: fsync of eu.new/keyring after create: write to keyring/data.mdb", 1,
       named},
      {"create", "create: write to keyring/data.mdb after create: fsync of eu.new/keyring", 1,
       named},
      {"create", "create: fsync of records/data.mdb after create: fsync of eu.new/records", 1,
       named},
      {"create", "create: fsync of store.new/eu.new after create: creation of store.new/store.info",
       1, named},
      {"create", "create: fsync of store.new/eu.new after create: fdatasync of eu.new/ledger.new",
       1, named},
      {"create", "create: fsync of ./store.new after create: fsync of .", 1, named},
      {"put", "without the put that enrols: write to records/data.mdb", 1, again},
      {"sweep", "without the maintain: write to records/data.mdb", 16, again},
      {"sweep", "without the maintain: write to keyring/data.mdb", 1, swept},
      {"maintain", "without the maintain: write to records/data.mdb", 28, again},
      {"maintain", "without the maintain: write to keyring/data.mdb", 6, swept},
      {"maintain", "maintain: write to records/data.mdb after maintain: write to keyring/data.mdb",
       1, swept},
      {"maintain", "maintain: write to keyring/data.mdb after maintain: write to records/data.mdb",
       1, swept},
      {"re-key", "without the remove and re-key: write to records/data.mdb", 4, whole},
      {"re-key",
       "remove and re-key: write to records/data.mdb after remove and re-key: write to "
       "keyring/data.mdb",
       2, whole},
      {"re-key",
       "remove and re-key: fdatasync of ./eu.key after remove and re-key: write to "
       "records/data.mdb",
       2, whole},
      {"merge", "without the merge: write to records/data.mdb", 1, again},
      {"merge", "without the merge: fdatasync of ./eu.key", 1,
       "opening destroys the root key that the keyring does not name"},
      {"merge", "merge: fdatasync of ./eu.key after merge: write to records/data.mdb", 1,
       "opening destroys the root key that the keyring does not name"},
      {"transfer", "without the transfer: write to keyring/data.mdb", 3, copied},
      {"transfer", "without the transfer: write to records/data.mdb", 4, again},
      {"transfer", "transfer: write to keyring/data.mdb after transfer: write to keyring/data.mdb",
       2, copied},
      {"transfer", "transfer: fdatasync of ./eu.key after transfer: write to keyring/data.mdb", 1,
       copied},
      {"transfer", "transfer: fdatasync of ./us.key after transfer: write to keyring/data.mdb", 1,
       copied},
      {"erase, mirrored", "without the erase: fdatasync of keyring/data.mdb", 4, either},
      {"erase, mirrored", "without the erase: write to keyring/data.mdb", 4, either},
      {"erase, mirrored", "erase: write to keyring/data.mdb after erase: write to keyring/data.mdb",
       2, either},
      {"erase, mirrored", "erase: write to keyring/data.mdb after erase: fdatasync of eu/ledger", 2,
       either},
  };
  const auto first = std::ranges::find(all, scenario, &Harmless::scenario);
  const auto end = std::find_if(first, std::end(all),
                                [&](const Harmless& one) { return one.scenario != scenario; });
  return {first, end};
}

}  // namespace efface::test::power
