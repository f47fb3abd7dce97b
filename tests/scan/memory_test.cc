// What stays in this process's memory, and in the files, of keys and values that are gone.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "api/handles.h"
#include "crypto/child.h"
#include "scan/windows.h"
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
