// What a trial left behind, looked at by a process that saw nothing of it.
#include <algorithm>

#include "faults/trial.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Kind = Operation::Kind;

std::string with_code(std::string_view what, const Error& error) {
  return std::string(what) + ": " + efface::name(error.code()) + " (" + error.note() + ")";
}

class Check {
 public:
  Check(World& world, const Operation& operation, const Expected& expected, Report& report)
      : world_(world), operation_(operation), expected_(expected), report_(report) {}

  void run(bool thoroughly) {
    if (acknowledged() && operation_.kind == Kind::destroys && holds_doomed())
      return find("a destruction is acknowledged and the root key stands in its file");
    if (!open()) return;
    const auto seen = world_.observe();
    if (!seen) return find(with_code("the store does not read", seen.error()));
    compare(*seen);
    check_probe();
    if (operation_.kind == Kind::takes_a_copy) check_copy();
    if (operation_.look) look();
    if (*seen != expected_.after) do_again();
    if (thoroughly) check_all();
  }

 private:
  bool acknowledged() const { return report_.ended && report_.code == Errc{}; }
  void find(const std::string& what) { report_.find(what); }
  bool holds_doomed() const {
    const auto files = world_.root_key_files("eu");
    std::size_t held = 0;
    for (std::size_t i = 0; i < expected_.doomed.size(); ++i)
      if (holds_key(raw_root_key_file(files[i].path), expected_.doomed[i].key)) ++held;
    // Who lacks one share of a composite has no key.
    return held > (world_.manner() == Manner::composite ? files.size() - 1 : 0);
  }

  bool open() {
    const Status opened = world_.open();
    if (opened) return true;
    const bool may_be_missing =
        !acknowledged() && (operation_.kind == Kind::creates || operation_.in_steps);
    if (!may_be_missing) {
      find(with_code("the store does not open", opened.error()));
      return false;
    }
    if (operation_.kind == Kind::creates) start_over();
    const auto run = operation_.prepare(world_);
    const Status again = run(world_);
    if (again && !world_.is_open()) world_.close();
    if (again && (world_.is_open() || world_.open())) return true;
    find(with_code("doing it again does not mend it", again ? opened.error() : again.error()));
    return false;
  }

  // As Store::create says: what stands there can be removed and the root key stores used again.
  void start_over() {
    world_.close();
    fs::remove_all(world_.home() / "store");
    for (const std::string& region : world_.region_names()) {
      fs::remove_all(world_.elsewhere(region));
      for (const FileRootKeyStoreOptions& file : world_.root_key_files(region))
        if (!FileRootKeyStore::open(file)) fs::remove(file.path);
    }
  }

  void compare(const std::string& seen) {
    if (seen == expected_.after) return;
    if (acknowledged()) return find("what was acknowledged is not there");
    if (operation_.in_steps) return;
    if (seen != expected_.before) find("what is there is neither old nor new");
  }

  void check_probe() {
    if (!report_.probe_acknowledged) return;
    if (!world_.has_tenant()) return;
    const auto who = world_.tenant().subject(SubjectId(bystander));
    if (!who) return find(with_code("the bystander is not there", who.error()));
    const auto got = world_.activity("ads").get(*who, RecordName("probe~7Qz3Vw9K"));
    if (!got || !*got || as_text((**got).bytes()) != "after")
      find("what was acknowledged after the failure is not there");
  }

  void check_copy() {
    const auto verified = Store::verify_backup(world_.backup());
    if (acknowledged() && !verified)
      return find(with_code("a backup that was acknowledged is none", verified.error()));
    if (!acknowledged() && !verified && fs::exists(world_.backup()))
      find("a backup that failed left something");
  }

  void look() {
    const std::string wrong = operation_.look(world_, acknowledged());
    if (!wrong.empty()) find(wrong);
  }

  void do_again() {
    if (operation_.kind == Kind::opens || operation_.kind == Kind::creates) return;
    const auto run = operation_.prepare(world_);
    const Status again = run(world_);
    if (!again) return find(with_code("it cannot be done any more", again.error()));
    const auto seen = world_.observe();
    if (!seen) return find(with_code("the store does not read", seen.error()));
    if (*seen != expected_.after) find("doing it again does something else");
    if (operation_.kind == Kind::destroys && holds_doomed())
      find("the root key that was to go stands in its file");
  }

  void check_all() {
    const auto report = world_.store().check();
    if (!report) return find(with_code("the store cannot be checked", report.error()));
    for (const Damage& damage : report->damage) find(std::string("damage: ") + damage.what);
  }

  World& world_;
  const Operation& operation_;
  const Expected& expected_;
  Report& report_;
};

}  // namespace

void check(World& world, const Operation& operation, const Expected& expected, Report& report,
           bool thoroughly) {
  Check(world, operation, expected, report).run(thoroughly);
}

}  // namespace efface::test
