// A real file system that is full to the last block: whoever writes is told, nothing that was
// acknowledged is lost, and erasing goes on.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "crypto/child.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

constexpr int no_namespace = 77;
constexpr int erased_when_full = 100;

// In a child, that has the mount to itself: nothing is left of it.
bool mount_small(const fs::path& where) {
  const int spaces = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
  const auto user = geteuid(), group = getegid();
  if (unshare(spaces) != 0) return false;
  if ((spaces & CLONE_NEWUSER) != 0) {
    std::ofstream("/proc/self/uid_map") << user << ' ' << user << " 1";
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/gid_map") << group << ' ' << group << " 1";
  }
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("none", where.c_str(), "tmpfs", 0, "size=6m,mode=0700") == 0;
}

std::string noise(std::size_t seed) {
  std::string out(20'000, '\0');
  std::uint64_t state = seed + 1;
  for (char& c : out) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(state >> 56);
  }
  return out;
}

// Everything is on the small file system, the root keys too.
struct Full : StoreTest {
  using StoreTest::store_;
  using StoreTest::tenant_;
  explicit Full(const fs::path& on) {
    setenv("EFFACE_TEST_DIR", on.c_str(), 1);
    place_ = std::make_unique<TempDirectory>("full");
    root_keys_ = FileRootKeyStore::create(root_key_options(*place_ / "root.key")).value();
    store_.emplace(Store::create(here()).value());
    const Region regions[] = {region()};
    tenant_.emplace(store_->declare_tenant("acme", regions, Actor("test")).value());
    declare("ratings");
  }
  void TestBody() override {}
  OpenOptions here() {
    OpenOptions out = options();
    out.directory = *place_ / "store";
    return out;
  }
  void open_again() {
    close();
    store_.emplace(Store::open(here()).value());
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
  Status put(int person, std::size_t seed) {
    return activity().put(SubjectId(id(person)), region(), RecordName("r"), as_bytes(noise(seed)));
  }
  static std::string id(int person) { return "p" + std::to_string(person); }
  // Everybody of whom something was acknowledged, and nobody else, has just that.
  bool holds(const std::map<int, std::size_t>& wanted, int people) {
    for (int person = 0; person < people; ++person) {
      const auto subject = tenant_->subject(SubjectId(id(person)));
      const auto at = wanted.find(person);
      if (at == wanted.end() && !subject) continue;
      if (!subject) return false;
      const std::string found = text_of(activity().get(*subject, RecordName("r")));
      if (found != (at == wanted.end() ? "absent" : noise(at->second))) return false;
    }
    return true;
  }
  std::unique_ptr<TempDirectory> place_;
};

// What failed first, as the child's exit status.
enum Step : int {
  filling = 1,
  saying_so,
  keeping,
  brimming,
  erasing,
  forgetting,
  sweeping,
  refusing,
  writing,
  lasting
};

// Takes what is left, to the last block.
bool fill_up(const fs::path& where) {
  std::ofstream rest(where, std::ios::app);
  const std::string block(4096, 'x');
  while (rest.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  return fs::space(where.parent_path()).available == 0;
}

int on_a_full_disk(const fs::path& where) {
  if (!mount_small(where)) return no_namespace;
  const fs::path room = where / "room";
  std::ofstream(room) << std::string(512 << 10, 'x');
  Full full(where);
  std::map<int, std::size_t> acknowledged;
  Status last;
  int people = 0;
  for (; last && people < 1'000; ++people)
    if (last = full.put(people, static_cast<std::size_t>(people)); last)
      acknowledged[people] = static_cast<std::size_t>(people);
  if (acknowledged.size() < 50) return filling;
  if (last || last.error().code() != Errc::no_space) return saying_so;
  full.open_again();
  if (!full.holds(acknowledged, people)) return keeping;

  // Not a block is left. Erasing has what was set aside for it.
  if (!fill_up(where / "rest")) return brimming;
  const auto erase = [&](int person) {
    auto erased = full.tenant_->erase(full.tenant_->subject(SubjectId(Full::id(person))).value());
    if (erased) acknowledged.erase(person);
    return erased;
  };
  for (int person = 0; person < erased_when_full; ++person)
    if (!erase(person)) return erasing;
  if (!full.holds(acknowledged, people)) return forgetting;
  if (!full.store_->maintain()) return sweeping;
  full.open_again();
  if (!full.holds(acknowledged, people)) return forgetting;
  if (const auto added = full.put(people, 5'000); added || added.error().code() != Errc::no_space)
    return refusing;

  fs::remove(room);
  for (int person = 1; person < 20; ++person) {
    if (!full.put(person, 5'000)) return writing;
    acknowledged[person] = 5'000;
  }
  full.open_again();
  return full.holds(acknowledged, people) ? 0 : lasting;
}

TEST(FullDisk, IsToldAndLosesNothingAndErasingGoesOn) {
  const TempDirectory where("disk");
  const int status = in_child([&] { return on_a_full_disk(where.path()); });
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == no_namespace) GTEST_SKIP() << "needs mount namespaces";
  EXPECT_EQ(WEXITSTATUS(status), 0);  // Else a Step.
}

}  // namespace
}  // namespace efface::test
