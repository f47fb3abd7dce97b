#include "crash/trial.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "crash/checker.h"

namespace efface::test {
namespace {

constexpr unsigned hang_seconds = 60;

bool is_of_a_failing_system(Errc code) {
  switch (code) {
    case Errc::io:
    case Errc::no_space:
    case Errc::outcome_unknown:
    case Errc::closed:
    case Errc::erase_pending:
      return true;
    default:
      return false;
  }
}

bool may_follow(Errc code) {
  switch (code) {
    case Errc::exists:
    case Errc::tenant_unknown:
    case Errc::purpose_unknown:
    case Errc::subject_unknown:
      return true;
    default:
      return false;
  }
}

// What follows an erasure that was acknowledged: the keys of the epochs it ended are nowhere.
void check_acknowledged(const Place& place, std::span<const Doomed> doomed, Journal& journal) {
  for (const Doomed& one : doomed)
    if (one.acknowledged &&
        holds_key(raw_root_key_file(place.root_key(one.region.data())), one.slot.key))
      journal.find("an erasure is acknowledged while the old root key stands in its file");
}

}  // namespace

void Journal::find(std::string_view what) noexcept {
  const std::size_t used = std::strlen(report.data());
  if (used + 2 >= report.size()) return;
  const std::size_t size = std::min(what.size(), report.size() - used - 2);
  std::copy_n(what.data(), size, report.data() + used);
  report[used + size] = '\n';
}

int wait_for(int pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) std::abort();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int start_child() {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) std::abort();
  if (pid == 0) ::alarm(hang_seconds);
  return pid;
}

Knowledge learn(const Knowledge& before, std::span<const Op> ops, const Journal& journal) {
  return learn(before, ops, journal.entries, {journal.begun, journal.ended});
}

Room::Room(Scenario scenario) : scenario_(std::move(scenario)), place_(scenario_.place) {
  void* shared =
      ::mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  journal_ = new (shared) Journal;
  universe_ = universe_of(scenario_);
  std::filesystem::create_directory(at("base"));
  std::filesystem::permissions(at("base"), std::filesystem::perms::owner_all);
  start_.possible.emplace_back();
  for (const Op& op : scenario_.before)
    start_.possible.front() = stages(op, start_.possible.front()).back();
  Place base = place_;
  base.home = at("base");
  place_.home = at("work");
  const int status = in_child([&] {
    Session session(base);
    for (const Op& op : scenario_.before)
      if (session.perform(op)) _exit(1);
  });
  if (status != 0) {
    std::fprintf(stderr, "the scenario cannot be prepared\n");
    std::abort();
  }
}

// What an operation answers when the system failed it; and, once something has failed, what may
// follow from that.
std::uint16_t Room::judge(const Session::Failure& answer, bool failed_before) {
  if (!answer) return 0;
  const Errc code = answer->code();
  if (!is_of_a_failing_system(code) && !(failed_before && may_follow(code)))
    journal_->find("an error does not say what failed: " + std::string(name(code)) + " (" +
                   answer->note() + ")");
  return static_cast<std::uint16_t>(code);
}

void Room::perform_in_child(Session& session, const Op& op, Journal::Entry& entry, bool& failed) {
  Journal& journal = *journal_;
  if (is_erasure(op.what)) {
    std::size_t next = 0;
    for (const auto& [region, slot] : session.in_force()) {
      Doomed& one = entry.doomed.at(next++);
      region.copy(one.region.data(), one.region.size() - 1);
      one.slot = slot;
    }
  }
  ++journal.begun;
  const Session::Failure answer = session.perform(op);
  for (Doomed& one : entry.doomed)
    for (const Erasure::InRegion& region : session.ended())
      one.acknowledged = one.acknowledged || region.region == one.region.data();
  entry.code = judge(answer, failed);
  ++journal.ended;
  failed = failed || answer.has_value();
  if (answer && answer->code() == Errc::erase_pending && !session.perform({Op::What::maintain})) {
    for (Doomed& one : entry.doomed) {
      const auto now = session.in_force();
      const auto at = now.find(one.region.data());
      one.acknowledged = at != now.end() && at->second.epoch != one.slot.epoch;
    }
  }
  check_acknowledged(place_, entry.doomed, journal);
}

void Room::act_in_child(const Plan& plan, const Act& what) {
  Journal& journal = *journal_;
  Session session(place_, wrapper);
  const auto finish = [&] {
    session.close();
    journal.steps = disarm();
    journal.lmdb_writes = writes_to_lmdb();
    journal.reached = last_step_was_reached();
    lose_power_at_the_end();
    _exit(0);
  };
  if (what.counts_opening) arm(plan);
  if (what.opens_first) {
    journal.opening_code = judge(session.open(), false);
    if (journal.opening_code != 0) finish();
  }
  if (!what.counts_opening) arm(plan);
  bool failed = false;
  for (std::size_t i = 0; i < what.ops.size(); ++i) {
    perform_in_child(session, what.ops[i], journal.entries.at(i), failed);
    if (!session.is_open()) finish();
  }
  if (failed) {
    const auto observed = session.observe(universe_);
    const std::vector<Model> possible = learn(what.before, what.ops, journal).possible;
    if (!observed)
      judge(observed.error(), true);
    else if (std::ranges::find(possible, *observed) == possible.end())
      journal.find("a store that failed shows what cannot be there");
  }
  finish();
  std::abort();
}

Room::Trial Room::act(const Plan& plan, const Act& what, Knowledge& after) {
  new (journal_) Journal;
  const int status = in_child([&] { act_in_child(plan, what); });
  Trial trial;
  trial.reached = journal_->reached || status == stopped_status || status == untorn_status;
  trial.news = status != untorn_status;
  trial.steps = journal_->steps;
  trial.lmdb_writes = journal_->lmdb_writes;
  for (std::size_t i = 0; i < journal_->ended; ++i)
    trial.codes.push_back(journal_->entries[i].code);
  if (journal_->opening_code != 0) trial.codes.assign(1, journal_->opening_code);
  trial.where = scenario_.label + ", step " + std::to_string(plan.at);
  if (journal_->begun > 0)
    trial.where += " (" + std::string(name(what.ops[journal_->begun - 1].what)) + ")";
  if (status == 128 + SIGALRM)
    trial.findings.push_back(trial.where + ": it hangs");
  else if (status != 0 && status != stopped_status && status != untorn_status)
    trial.findings.push_back(trial.where + ": it dies of " + std::to_string(status));
  if (journal_->report[0] != '\0')
    trial.findings.push_back(trial.where + ": " + journal_->report.data());
  after = learn(what.before, what.ops, *journal_);
  return trial;
}

Room::Trial Room::run(const Plan& plan) {
  copy_place(at("base"), at("work"));
  Trial trial = act(plan,
                    {.ops = scenario_.ops,
                     .opens_first = start_.possible.front().created,
                     .counts_opening = scenario_.counts_opening,
                     .before = start_},
                    last_);
  if (puts_base_back) copy_place(at("base") / "store", place_.store());
  if (!trial.news) return trial;
  copy_place(at("work"), at("left"));
  check(last_, trial);
  return trial;
}

Room::Trial Room::recover(const Plan& plan) {
  copy_place(at("left"), at("work"));
  for (const std::string& region : place_.regions)
    if (starts_without_keyrings) std::filesystem::remove_all(place_.keyring(region));
  Knowledge after;
  Trial trial =
      act(plan, {.ops = {}, .opens_first = true, .counts_opening = true, .before = last_}, after);
  trial.where += " of recovery";
  if (trial.news) check(last_, trial);
  return trial;
}

void Room::check(const Knowledge& known, Trial& into) {
  const bool has_base = start_.possible.front().created;
  for (const std::string& region : place_.regions)
    if (loses_keyrings) std::filesystem::remove_all(place_.keyring(region));
  journal_->report.fill('\0');
  const int status = in_child([&] {
    Checker checker(place_, universe_, has_base ? std::optional(at("base")) : std::nullopt);
    if (const auto found = checker.check(known)) journal_->find(*found);
  });
  if (status != 0)
    into.findings.push_back(into.where + ": checking dies of " + std::to_string(status));
  if (journal_->report[0] != '\0')
    into.findings.push_back(into.where + ": " + journal_->report.data());
}

}  // namespace efface::test
