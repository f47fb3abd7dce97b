// What a core dump has of keys: none of those that live, and none of those that are gone.
//
// Shape  A child makes a store, and stops. Its memory is read as a core dump would have it; then it
//        aborts, and the core that the kernel writes is read. What to look for comes from the child
//        as complements, so that it is in neither.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>
#include <functional>
#include <vector>

#include "api/handles.h"
#include "scan/windows.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

struct Desk : StoreTest {
  Desk() {
    SetUp();
    const Subject who = enrol("alice");
    const bool put(activity().put(who, RecordName("name"), as_bytes("a value")));
    if (!put || !activity().get(who, RecordName("name"))) _exit(1);
    const access::Person& person = internal::Access::person(who);
    const auto keys = person.home->region->keyring->keys(person.home->people(), person.tag);
    for (const keyring::Row& row : keys.value()->rows()) windows.add(row.key.bytes());
  }
  void TestBody() override {}
  Subject alice() { return tenant_->subject(SubjectId("alice")).value(); }
  void erase_alice() {
    if (!tenant_->erase(alice())) _exit(1);
  }
  void close_all() {
    close();
    root_keys_.reset();
  }
  // As somebody might who does not know better: a copy in ordinary memory.
  void keep_a_key() {
    const access::Person person = internal::Access::person(alice());
    const auto keys = person.home->region->keyring->keys(person.home->people(), person.tag);
    const Bytes key = keys.value()->rows()[0].key.bytes();
    kept.assign(key.begin(), key.end());
  }
  Windows windows;
  std::vector<std::byte> kept;
};

struct Masked {
  std::size_t count;
  std::array<std::uint64_t, 1024> windows;
};

std::string core_pattern() {
  std::string out;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), out);
  return out;
}

bool kernel_writes_cores_here() {
  rlimit limit{};
  return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == RLIM_INFINITY &&
         core_pattern().find_first_of("|/") == std::string::npos;
}

struct Found {
  std::size_t in_memory = 0;  // All of it.
  std::size_t in_dump = 0;    // Of it, what would be in a core.
  std::size_t in_core = 0;    // That the kernel wrote.
  std::size_t core_bytes = 0;
};

[[noreturn]] void be_child(const std::filesystem::path& home, Masked& masked,
                           const std::function<void(Desk&)>& what) {
  alarm(60);
  setenv("EFFACE_TEST_DIR", home.c_str(), 1);  // Goes away with the parent's directory.
  Desk desk;
  what(desk);
  masked.count = desk.windows.masked().size();
  std::ranges::copy(desk.windows.masked(), masked.windows.begin());
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  if (kernel_writes_cores_here() && setrlimit(RLIMIT_CORE, &all) != 0) _exit(1);
  if (chdir((home / "core").c_str()) != 0) _exit(1);
  signal(SIGABRT, SIG_DFL);
  raise(SIGSTOP);
  abort();
}

Found after(const std::function<void(Desk&)>& what) {
  const TempDirectory home("core");
  std::filesystem::create_directory(home / "core");
  void* const shared =
      mmap(nullptr, sizeof(Masked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  auto* const masked = new (shared) Masked{};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) be_child(home.path(), *masked, what);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  EXPECT_TRUE(WIFSTOPPED(status));
  Windows windows;
  windows.add_masked({masked->windows.data(), masked->count});
  EXPECT_GE(masked->count, 50u);  // Two keys at least.
  const std::string number = std::to_string(child);
  Found found;
  found.in_memory = windows.count_in_memory(number, Windows::Which::all);
  found.in_dump = windows.count_in_memory(number, Windows::Which::dumped);
  kill(child, SIGCONT);
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  for (const auto& core : std::filesystem::directory_iterator(home / "core"))
    found.core_bytes += core.file_size();
  found.in_core = windows.count_in_files(home / "core");
  munmap(shared, sizeof(Masked));
  return found;
}

void nothing(Desk&) {}
void erase(Desk& desk) { desk.erase_alice(); }
void close(Desk& desk) { desk.close_all(); }
void keep(Desk& desk) { desk.keep_a_key(); }

TEST(CoreDump, WouldHoldNoKeyThatLives) {
  const Found found = after(nothing);
  EXPECT_GE(found.in_memory, 25u);
  EXPECT_EQ(found.in_dump, 0u);
}

TEST(CoreDump, WouldHoldNoKeyAfterItsErasureNorAfterClosing) {
  EXPECT_EQ(after(erase).in_memory, 0u);
  EXPECT_EQ(after(close).in_memory, 0u);
}

TEST(CoreDump, WouldHoldAKeyThatSomebodyCopiedToOrdinaryMemory) {
  EXPECT_GE(after(keep).in_dump, 25u);
}

TEST(CoreDump, OfTheKernelHoldsNoKeyAndAllThatIsInOrdinaryMemory) {
  if (!kernel_writes_cores_here()) GTEST_SKIP() << "needs core dumps in the working directory";
  for (const auto& what : {nothing, erase, close}) {
    const Found found = after(what);
    EXPECT_GT(found.core_bytes, 100'000u);
    EXPECT_EQ(found.in_core, 0u);
  }
  EXPECT_GE(after(keep).in_core, 25u);
}

}  // namespace
}  // namespace efface::test
