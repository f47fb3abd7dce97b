#include "faults/trial.h"

#include <dirent.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "support/canary.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Kind = Operation::Kind;

constexpr unsigned hang_seconds = 8;

template <std::size_t Size>
void put_text(std::array<char, Size>& into, std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), Size - 1);
  std::copy_n(text.data(), size, into.data());
  into[size] = '\0';
}

std::ptrdiff_t open_handles() {
  std::ptrdiff_t count = 0;
  DIR* const handles = ::opendir("/proc/self/fd");
  if (handles == nullptr) std::abort();
  while (::readdir(handles) != nullptr) ++count;
  ::closedir(handles);
  return count;
}

std::string with_code(std::string_view what, const Error& error) {
  return std::string(what) + ": " + efface::name(error.code()) + " (" + error.note() + ")";
}

// What may be answered when a library fails a call of that kind.
bool says_what_the_library_said(Errc code, const Fault& fault, Call kind) {
  switch (code) {
    case Errc::closed:
    case Errc::outcome_unknown:
    case Errc::erase_pending:
      return true;
    case Errc::corruption:
      return kind != Call::begin && kind != Call::commit;
    case Errc::busy:
      // A map that is full, and that a transaction keeps where it is.
      return kind == Call::begin || fault.error == MDB_MAP_FULL;
    case Errc::full:
      return fault.error == MDB_MAP_FULL;
    case Errc::too_large:
      return fault.error == MDB_TXN_FULL;
    case Errc::no_space:
      return fault.error == ENOSPC;
    case Errc::out_of_memory:
      return fault.error == ENOMEM || kind == Call::derive;
    case Errc::io:
      return kind == Call::commit || fault.error == MDB_BAD_TXN;
    case Errc::token_unavailable:
      return kind == Call::root_keys;
    default:
      // Of a key that hides nothing, and of a receipt that does not verify when it is read back.
      return fault.is_a_lie ||
             (code == Errc::invalid_argument && (kind == Call::derive || kind == Call::unseal));
  }
}

// What may be answered when the system fails a call of that kind.
bool says_what_failed(Errc code, const Fault& fault, Call kind) {
  if (fault.library) return says_what_the_library_said(code, fault, kind);
  switch (code) {
    case Errc::io:
    case Errc::outcome_unknown:
    case Errc::erase_pending:
    case Errc::closed:
      return true;
    case Errc::out_of_memory:
      return kind == Call::allocate || kind == Call::map;
    case Errc::memory_not_locked:
      return kind == Call::lock_memory;
    case Errc::no_space:  // Half a write is how tmpfs says so.
      return fault.error == ENOSPC || (kind == Call::write && fault.error == half_transfer);
    case Errc::unsafe_filesystem:  // One that does not tell is taken to be the worse.
      return kind == Call::status;
    case Errc::corruption:  // A file that ends early.
      return kind == Call::read && fault.error == half_transfer;
    case Errc::busy:  // Somebody else has the lock.
      return kind == Call::lock_file && fault.error == EAGAIN;
    case Errc::transfer_pending:  // The lock of who moves somebody.
      return kind == Call::lock_file;
    default:
      return false;
  }
}

void copy_tree(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

bool begins_with_a_store(Kind kind) { return kind != Kind::opens && kind != Kind::creates; }

[[noreturn]] void cannot_begin(const Operation& operation, const std::string& why) {
  std::fprintf(stderr, "%s cannot be tried: %s\n", operation.name.c_str(), why.c_str());
  std::abort();
}

}  // namespace

void Report::find(std::string_view what) noexcept {
  const std::size_t used = std::strlen(findings.data());
  const std::size_t size = std::min(what.size(), findings.size() - used - 2);
  std::copy_n(what.data(), size, findings.data() + used);
  findings[used + size] = '\n';
}

Room::Room(const Operation& operation) : operation_(operation) {
  prepare();
  if (operation_.kind != Kind::creates) {
    const std::string died = in_child([&] {
      // Processes share it later.
      World made(home_ / "base", operation_.two_regions, {},
                 operation_.manner == Manner::shared ? Manner::alone : operation_.manner);
      Status done = made.make();
      if (done && operation_.before) done = operation_.before(made);
      if (!done) report_->find(with_code("the store cannot be made", done.error()));
    });
    if (!died.empty() || report_->findings[0] != '\0')
      cannot_begin(operation_, died + report_->findings.data());
  }
  measure();
}

Room::Room(const Operation& crashed, std::size_t stop_at) : operation_(crashed) {
  const Room whole(crashed);
  prepare();
  copy_tree(whole.home_ / "base", home_ / "base");
  const std::string died = in_child([&] {
    World left = work_world(home_ / "base");
    if (begins_with_a_store(crashed.kind) && !left.open()) std::abort();
    const auto run = crashed.prepare(left);
    test::stop_at(stop_at);
    static_cast<void>(run(left));
  });
  // One call fewer than the last time, as pages fall: then it is through, and is opened so.
  if (!died.empty() && died != "it dies of " + std::to_string(stopped_status))
    cannot_begin(crashed, died);
  // What stands between two steps of restore is refused by open.
  const Operation& next = crashed.name == "restore" ? crashed : operation("open");
  operation_.kind = next.kind;
  operation_.prepare = next.prepare;
  operation_.in_steps = next.in_steps;
  operation_.name = next.name + " after a crash in " + crashed.name;
  measure();
}

Room::~Room() { ::munmap(report_, sizeof(Report)); }

bool Room::bears_lies() const noexcept {
  return (operation_.kind == Kind::reads || operation_.kind == Kind::opens) &&
         !operation_.acts_on_what_it_finds;
}

void Room::prepare() {
  void* const shared =
      ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  report_ = new (shared) Report;
  fs::create_directory(home_ / "base");
  fs::permissions(home_ / "base", fs::perms::owner_all);
}

// How the child ended, when not well.
std::string Room::in_child(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) std::abort();
  if (pid == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::alarm(hang_seconds);
    body();
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) std::abort();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return "it hangs";
  if (WIFSIGNALED(status)) return "it dies of " + std::to_string(128 + WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "it dies of " + std::to_string(WEXITSTATUS(status));
  return "";
}

// What is there before and after, when nothing fails; and how many calls it takes.
void Room::measure() {
  const auto observe = [&]() -> std::string {
    new (report_) Report;
    const std::string died = in_child([&] {
      World seen = world();
      const Status opened = seen.open();
      if (!opened) return report_->find(with_code("the store does not open", opened.error()));
      const auto all = seen.observe();
      if (!all) return report_->find(with_code("the store does not read", all.error()));
      put_text(report_->observed, *all);
    });
    if (!died.empty() || report_->findings[0] != '\0')
      cannot_begin(operation_, died + report_->findings.data());
    return report_->observed.data();
  };
  copy_tree(home_ / "base", home_ / "work");
  for (const FileRootKeyStoreOptions& file : world().root_key_files("eu")) {
    std::optional<LiveSlot> doomed;
    for (const LiveSlot& slot : live_slots(raw_root_key_file(file.path)))
      if (!doomed || slot.epoch < doomed->epoch) doomed = slot;
    if (doomed) expected_.doomed.push_back(*doomed);
  }
  if (operation_.kind != Kind::creates && !operation_.opens_only_after)
    expected_.before = observe();
  measure_blocks();
  for (int i = 0; i < 2; ++i) {
    const Trial trial = run({});
    if (trial.code != Errc{} || !report_->ended)
      cannot_begin(operation_, trial.findings.empty() ? "it fails" : trial.findings.front());
    blocks_ = std::max(blocks_, report_->blocks);
    allocations_ = report_->allocations;
    calls_.assign(report_->kinds.begin(),
                  report_->kinds.begin() + static_cast<std::ptrdiff_t>(report_->calls));
    library_calls_.assign(
        report_->library_kinds.begin(),
        report_->library_kinds.begin() + static_cast<std::ptrdiff_t>(report_->library_calls));
    expected_.after = observe();
  }
}

// What stays allocated after a store was read and written, and nothing more was done.
void Room::measure_blocks() {
  if (!begins_with_a_store(operation_.kind)) return;
  new (report_) Report;
  const std::string died = in_child([&] {
    const std::ptrdiff_t before = blocks_live();
    World left = world();
    if (!left.open()) std::abort();
    const Subject who = left.subject(bystander);
    const Activity activity = left.activity("ads");
    expected_.after = expected_.before;
    look_at_once(left, &activity, &who, {});
    left.close();
    report_->blocks = blocks_live() - before;
  });
  if (!died.empty()) cannot_begin(operation_, died);
  blocks_ = report_->blocks;
}

void Room::note_answer(const Status& answer, const Fault& fault) {
  report_->reached = was_reached();
  report_->kind = reached();
  report_->calls = std::min(calls_seen().size(), Report::calls_max);
  std::copy_n(calls_seen().begin(), report_->calls, report_->kinds.begin());
  report_->library_calls = std::min(library_calls_seen().size(), Report::calls_max);
  std::copy_n(library_calls_seen().begin(), report_->library_calls, report_->library_kinds.begin());
  report_->allocations = allocations_seen();
  if (!answer) {
    const Error error = answer.error();
    report_->code = error.code();
    put_text(report_->note, error.note());
    const bool mirror_is_cut = operation_.keyring_is_lost && error.code() == Errc::store_missing &&
                               says_what_failed(Errc::corruption, fault, report_->kind);
    if (!mirror_is_cut && !says_what_failed(error.code(), fault, report_->kind))
      report_->find(with_code("an error does not say what failed", error));
    if (holds_canary(error.note())) report_->find("an error carries an id, a name or a value");
  }
  report_->ended = true;
}

// In the process that saw the failure. What it believed it may go on to believe.
void Room::look_at_once(World& world, const Activity* activity, const Subject* who,
                        const Fault& fault) {
  const bool acknowledged = report_->code == Errc{};
  const auto seen = world.observe();
  if (seen) {
    const bool fits = *seen == expected_.after || (!acknowledged && *seen == expected_.before) ||
                      (!acknowledged && operation_.in_steps);
    if (!fits && !expected_.after.empty() && !fault.is_a_lie)
      report_->find("the store that saw the failure shows what cannot be there");
  } else if (seen.error().code() != Errc::closed && !fault.is_a_lie) {
    report_->find(with_code("the store that saw the failure does not read", seen.error()));
  }
  if (activity == nullptr) return;
  const Status put = activity->put(*who, RecordName("probe~7Qz3Vw9K"), as_bytes("after"));
  report_->probe_acknowledged = static_cast<bool>(put);
  if (put) {
    // Of two regions the other one may be what it knows not.
    if (report_->code == Errc::outcome_unknown && !operation_.two_regions)
      report_->find("the store works on though it knows not what is on disk");
  } else if (put.error().code() != Errc::closed && put.error().code() != Errc::tenant_unknown &&
             !fault.is_a_lie) {
    report_->find(with_code("a later write fails when nothing is wrong any more", put.error()));
  }
}

void Room::act_on(World& world, const Fault& fault) {
  std::optional<Subject> who;
  std::optional<Activity> activity;
  if (begins_with_a_store(operation_.kind)) {
    const Status opened = world.open();
    if (!opened) return report_->find(with_code("the store cannot be opened", opened.error()));
    who.emplace(world.subject(bystander));
    activity.emplace(world.activity("ads"));
  }
  const auto run = operation_.prepare(world);
  arm(fault);
  Status answer;
  bool thrown = false;
  try {
    answer = run(world);
  } catch (...) {
    thrown = true;
  }
  disarm();
  if (thrown) report_->find("it throws");
  note_answer(answer, fault);
  if (world.is_open())
    look_at_once(world, activity ? &*activity : nullptr, who ? &*who : nullptr, fault);
}

void Room::act(const Fault& fault) {
  const std::ptrdiff_t handles = open_handles();
  const std::ptrdiff_t blocks = blocks_live();
  {
    World now = world();
    act_on(now, fault);
    now.close();
  }
  report_->blocks = blocks_live() - blocks;
  report_->handles = open_handles() - handles;
}

Room::Trial Room::run(const Fault& fault) {
  copy_tree(home_ / "base", home_ / "work");
  new (report_) Report;
  Trial trial;
  std::string where = operation_.name + ", " +
                      (fault.allocation ? "allocation "
                       : fault.library  ? "library call "
                                        : "call ") +
                      std::to_string(fault.at);
  const std::string died = in_child([&] { act(fault); });
  trial.reached = report_->reached;
  trial.code = report_->code;
  if (report_->reached) where += " (" + std::string(name(report_->kind)) + ")";
  where += " error " + std::to_string(fault.error) + (fault.for_ever ? " for ever: " : ": ");
  if (!died.empty()) trial.findings.push_back(where + died);
  const bool measured = !expected_.after.empty();
  if (measured && died.empty()) {
    if (report_->blocks > blocks_)
      report_->find("it leaks " + std::to_string(report_->blocks - blocks_) + " blocks");
    if (report_->handles != 0) report_->find("it leaks descriptors");
  }
  if (puts_base_back) copy_tree(home_ / "base", home_ / "work");
  if (measured) {
    const bool thoroughly = ++trials_ % 8 == 0;
    const std::string lost = in_child([&] {
      World left = world();
      check(left, operation_, expected_, *report_, thoroughly);
    });
    if (!lost.empty()) trial.findings.push_back(where + "what it leaves: " + lost);
    if (thoroughly && canary_below(home_ / "work"))
      trial.findings.push_back(where + "a file, or its path, holds an id, a name or a value");
  }
  if (report_->findings[0] != '\0') trial.findings.push_back(where + report_->findings.data());
  return trial;
}

}  // namespace efface::test
