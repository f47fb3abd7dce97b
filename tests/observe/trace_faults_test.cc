// Whatever fails within a call, each span that begins ends.
#include <gtest/gtest.h>

#include "faults/injector.h"
#include "observe/seen.h"
#include "support/memory_root_key_store.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

class FailingTrace : public testing::Test {
 protected:
  void SetUp() override {
    options_.directory = home_ / "store";
    options_.regions = {{"eu", &root_keys_}};
    options_.require_locked_memory = false;
    options_.accept_l0 = true;
    // The hooks are the test's own: nothing fails in them.
    options_.trace.begin = [this](const TraceSpan& span) {
      const Unhindered own;
      seen_.begin(span);
    };
    options_.trace.end = [this](const TraceSpan& span) {
      const Unhindered own;
      seen_.end(span);
    };
    store_.emplace(Store::create(options_).value());
    const Region regions[] = {store_->region("eu").value()};
    tenant_.emplace(store_->declare_tenant("acme", regions, Actor("test")).value());
  }
  void reopen() {
    tenant_.reset();
    store_.reset();
    store_.emplace(Store::open(options_).value());
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
  Subject enrol() {
    const std::string id = "person-" + std::to_string(++people_);
    if (auto made = tenant_->enrol(SubjectId(id), store_->region("eu").value()))
      return *std::move(made);
    reopen();  // What failed before has latched it.
    return tenant_->enrol(SubjectId(id), store_->region("eu").value()).value();
  }
  // Answers what the erasure did, and whether the fault came to be.
  Errc erase(const Fault& fault) {
    Subject somebody = enrol();
    seen_.forget();
    arm(fault);
    const auto erased = tenant_->erase(std::move(somebody));
    disarm();
    EXPECT_EQ(seen_.fault(), "");
    EXPECT_NE(seen_.one("Tenant::erase"), nullptr);
    const Errc answer = erased ? Errc{} : erased.error().code();
    EXPECT_EQ(seen_.one("Tenant::erase")->error.value_or(Errc{}), answer);
    if (!erased) ++failed_;
    return answer;
  }

  TempDirectory home_{"trace"};
  Seen seen_;
  MemoryRootKeyStore root_keys_;
  OpenOptions options_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
  std::size_t people_ = 0;
  std::size_t failed_ = 0;
};

TEST_F(FailingTrace, EndsEachSpanWhateverCallOfTheSystemFails) {
  EXPECT_EQ(erase({}), Errc{});
  const std::vector<Call> calls = calls_seen();
  ASSERT_GT(calls.size(), 5u);
  for (std::size_t at = 1; at <= calls.size(); ++at)
    for (const Mishap& mishap : mishaps(calls[at - 1]).first(1))
      erase({.at = at, .error = mishap.error, .for_ever = mishap.for_ever});
  EXPECT_GE(failed_, 3u);
}

TEST_F(FailingTrace, EndsEachSpanWhateverCallOfALibraryFails) {
  EXPECT_EQ(erase({}), Errc{});
  const std::vector<Call> calls = library_calls_seen();
  ASSERT_GT(calls.size(), 20u);
  for (std::size_t at = 1; at <= calls.size(); at += 2)
    erase({.at = at,
           .library = true,
           .kind = calls[at - 1],
           .error = mishaps(calls[at - 1]).front().error});
  EXPECT_GE(failed_, 10u);
}

TEST_F(FailingTrace, EndsEachSpanWhereverMemoryRunsOut) {
  EXPECT_EQ(erase({}), Errc{});
  const std::size_t allocations = allocations_seen();
  ASSERT_GT(allocations, 20u);
  for (std::size_t at = 1; at <= allocations; at += 3) erase({.at = at, .allocation = true});
  EXPECT_GE(failed_, 10u);
}

}  // namespace
}  // namespace efface::test
