#include "power/bugs.h"

#include <algorithm>
#include <map>
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

// A commit's last write reaches the disk with the next one's pages: nothing came between.
bool is_synced_again(const Log& log, std::size_t at) {
  for (std::size_t i = at + 1; i < log.size() && log[i].inode == log[at].inode; ++i)
    if (log[i].is_sync()) return true;
  return false;
}

// Numbers what has one label.
void number(std::vector<Bug>& bugs) {
  std::map<std::string, int> seen;
  for (Bug& bug : bugs)
    if (const int times = ++seen[bug.label]; times > 1)
      bug.label += " (" + std::to_string(times) + ")";
}

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
        bug.synced_again = operation.syncs_itself && is_synced_again(log, at);
        if (operation.syncs_itself)
          bug.log[at].syncs_itself = false;
        else
          bug.log.erase(bug.log.begin() + static_cast<std::ptrdiff_t>(at));
        bugs.push_back(std::move(bug));
      }
    }
    disk.finish(operation);
  }
  number(bugs);
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
  number(bugs);
  return bugs;
}

const char* reason_of(const std::string& scenario, const Bug& bug) {
  struct Rule {
    const char* scenario;
    const char* label;  // Its beginning.
    const char* reason;
  };
  static constexpr Rule rules[] = {
      {"create", "without the create: ", "until the store has its name, what is there is removed"},
      {"create", "create: ", "until the store has its name, what is there is removed"},
      {"erase, mirrored", "without the erase: ", "the keyring and its mirror: one of them has it"},
      {"erase, mirrored", "erase: ", "the keyring and its mirror: one of them has it"},
      {"maintain", "", "a tenant that left waits: its sweep takes whatever has no key"},
      {"sweep", "without the maintain: write to keyring", "it is swept once more"},
      {"transfer", "", "until the source has erased her, the copy is made anew"},
      {"merge", "", "until she is merged, it is done again"},
      {"re-key", "", "until the old key is gone, both generations are read"},
  };
  if (bug.synced_again) return "synced by the next commit, before anything else happens";
  for (const Rule& rule : rules)
    if (scenario == rule.scenario && bug.label.starts_with(rule.label)) return rule.reason;
  return nullptr;
}

}  // namespace efface::test::power
