// What stays in this process's memory, and in the files, of keys and values that are gone.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "api/handles.h"
#include "crash/root_key_slots.h"
#include "crypto/child.h"
#include "scan/windows.h"
#include "support/root_keys_over.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

class MemoryScan : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    // Everything once with somebody else: what the first call of a function leaves is not counted.
    live("other", "some other value, of no importance here");
    Windows of_nothing;
    of_nothing.count_in_own_memory();
    of_nothing.count_in_files(home_.path());
    ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("other")).value()));
  }

  void live(std::string_view id, std::string_view value) {
    const Subject who = enrol(id);
    ASSERT_TRUE(activity().put(who, RecordName("name"), as_bytes(value)));
    ASSERT_TRUE(activity().get(who, RecordName("name")));
    keys_of(who);
  }

  // Of her row and her scopes'.
  Windows keys_of(const Subject& who) {
    const access::Person& person = internal::Access::person(who);
    const auto keys = person.home->region->keyring->keys(person.home->people(), person.tag);
    Windows all;
    for (const keyring::Row& row : keys.value()->rows()) all.add(row.key.bytes());
    return all;
  }
};

TEST_F(MemoryScan, FindsAKeyThatLives) {
  live("alice", "a value");
  EXPECT_GE(keys_of(tenant_->subject(SubjectId("alice")).value()).count_in_own_memory(), 25u);
}

TEST_F(MemoryScan, FindsNoWindowOfAKeyAfterItsErasure) {
  live("alice", "a value");
  Subject who = tenant_->subject(SubjectId("alice")).value();
  const Windows keys = keys_of(who);
  ASSERT_GT(keys.count_in_own_memory(), 0u);
  ASSERT_TRUE(tenant_->erase(std::move(who)));
  EXPECT_EQ(keys.count_in_own_memory(), 0u);
  EXPECT_EQ(keys.count_in_files(home_.path()), 0u);
}

TEST_F(MemoryScan, FindsNoWindowOfALivingKeyAfterClosing) {
  live("alice", "a value");
  const Windows keys = keys_of(tenant_->subject(SubjectId("alice")).value());
  ASSERT_GT(keys.count_in_own_memory(), 0u);
  close();
  EXPECT_EQ(keys.count_in_own_memory(), 0u);
  EXPECT_EQ(keys.count_in_files(home_.path()), 0u);
}

// Of every root key, as it goes to the root key store and comes from it.
class Overhearing : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    heard.add(key);
    return RootKeysOver::wrap(epoch, context, key);
  }
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    const Status done = RootKeysOver::unwrap(epoch, context, wrapped, out);
    if (done) heard.add(out);
    return done;
  }
  Windows heard;
};

// The keys of the epochs as they stand in a root key file: read by a child, as reading leaves
// copies.
Windows epoch_keys_in(const std::filesystem::path& file) {
  constexpr std::size_t windows_max = 256;
  void* const shared = mmap(nullptr, windows_max * sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  auto* const masked = static_cast<std::uint64_t*>(shared);
  EXPECT_TRUE(ended_well(in_child([&] {
    Windows keys;
    for (const LiveSlot& slot : live_slots(raw_root_key_file(file))) keys.add(slot.key);
    std::ranges::copy(keys.masked(), masked);
    return keys.masked().size() == 50 ? 0 : 1;  // In force, and the next.
  })));
  Windows all;
  all.add_masked({masked, 50});
  munmap(shared, windows_max * sizeof(std::uint64_t));
  return all;
}

TEST_F(MemoryScan, FindsNoRootKeyAndNoKeyOfAnEpochAfterClosing) {
  close();
  auto overhearing =
      std::make_unique<Overhearing>(std::shared_ptr<RootKeyStore>(std::move(root_keys_)));
  OpenOptions with = options();
  with.regions[0].root_keys = overhearing.get();
  store_.emplace(Store::open(with).value());
  tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  live("alice", "a value");
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("alice")).value()));
  live("bob", "another");
  const Windows epochs = epoch_keys_in(home_ / "root.key");
  EXPECT_GE(epochs.count_in_own_memory(), 25u);
  EXPECT_GE(overhearing->heard.count_in_own_memory(), 25u);
  close();
  EXPECT_EQ(overhearing->heard.count_in_own_memory(), 0u);
  EXPECT_EQ(overhearing->heard.count_in_files(home_ / "store"), 0u);
  Windows roots;
  roots.add_masked(overhearing->heard.masked());
  overhearing.reset();
  EXPECT_EQ(roots.count_in_own_memory(), 0u);
  EXPECT_EQ(epochs.count_in_own_memory(), 0u);
}

TEST_F(MemoryScan, FindsNoValueOnceItsRecordIsGone) {
  Windows values;
  {
    std::array<char, 64> value{};
    for (std::size_t i = 0; i < value.size(); ++i)
      value[i] = static_cast<char>('!' + (i * 37 + i / 3) % 90);
    values.add(std::as_bytes(std::span(value)));
    const Subject who = enrol("alice");
    ASSERT_TRUE(activity().put(who, RecordName("name"), std::as_bytes(std::span(value))));
    crypto::wipe(std::as_writable_bytes(std::span(value)));
    const auto got = activity().get(who, RecordName("name"));
    ASSERT_TRUE(got && *got);
    EXPECT_GT(values.count_in_own_memory(), 0u);  // While the record is held.
  }
  EXPECT_EQ(values.count_in_own_memory(), 0u);
  EXPECT_EQ(values.count_in_files(home_.path()), 0u);
}

TEST(HardenedProcess, LeavesNoCoreAndIsNotDumpable) {
  EXPECT_TRUE(ended_well(in_child([] {
    if (!harden_process()) return 1;
    rlimit limit{1, 1};
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0) return 2;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 3;
  })));
  EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);  // Nothing does it unasked.
}

}  // namespace
}  // namespace efface::test
