// What waits is decided again when it is committed: a change that nothing held back for it, as by
// another process, drops hers, keeps the others', and sync says why.
#include <functional>

#include "access/access.h"
#include "api/handles.h"
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

using access::Person;
using keyring::Label;

class RelaxedInside : public RightsTest {
 protected:
  void relax(const Subject& subject, std::string_view called, std::string_view record) {
    PutOptions options;
    options.durability = Durability::relaxed;
    put(subject, called, record, "value", options);
  }
  Label number(std::string_view called) { return internal::Access::number_of(purpose(called)); }

  static void change(const Person& person, const keyring::RowChange& row) {
    keyring::Keyring& keyring = *person.home->region->keyring;
    const auto held = keyring.lock();
    ASSERT_TRUE(held);
    keyring::Amend amend;
    amend.tag = person.tag;
    amend.changes = {row};
    ASSERT_TRUE(keyring.amend(*held, person.home->people(), {&amend, 1}));
  }
  static void remove(const Person& person, keyring::Removal removal) {
    removal.tenant = person.home->ref;
    ASSERT_TRUE(person.home->region->keyring->erase({&removal, 1}));
  }
};

struct Case {
  const char* purpose;
  Errc why;
  std::function<void(const Person&)> happens;
};

TEST_F(RelaxedInside, WhoIsRefusedByThenIsDroppedAloneAndSyncSaysWhy) {
  using keyring::Removal;
  const Subject bob = enrol("bob");
  const Case cases[] = {
      {"ratings", Errc::restricted,
       [](const Person& her) {
         change(her, {.label = keyring::person, .set = keyring::flag_restricted});
       }},
      {"ratings", Errc::transfer_pending,
       [](const Person& her) {
         change(her, {.label = keyring::person, .set = keyring::flag_moving});
       }},
      {"ratings", Errc::suppressed,
       [](const Person& her) { change(her, {.label = keyring::suppression, .make = true}); }},
      {"ratings", Errc::subject_erased,
       [](const Person& her) { remove(her, {.tenant = {}, .tag = her.tag}); }},
      {"fraud", Errc::objected,
       [&](const Person& her) {
         change(her, {.label = number("fraud"), .set = keyring::flag_objected});
       }},
      {"news", Errc::consent_missing,
       [&](const Person& her) {
         change(her, {.label = number("news"), .clear = keyring::flag_granted});
       }},
      {"ratings", Errc::conflict,
       [&](const Person& her) {
         change(her, {.label = keyring::scope_label(number("ratings"), keyring::successor),
                      .aux = 2,
                      .make = true});
       }},
      {"logs", Errc::expired, [](const Person& her) {
         const records::Bucket day = records::bucket_after(her.tenant->now(), 30);
         remove(her, {.tenant = {},
                      .what = Removal::What::bucket,
                      .tag = records::bucket_tag(day),
                      .day = day});
       }}};
  int n = 0;
  for (const Case& one : cases) {
    const std::string id = "p" + std::to_string(n++);
    SCOPED_TRACE(id + ": " + name(one.why));
    const Subject alice = enrol(id);
    grant(alice);
    const Person her = internal::Access::person(alice);
    const std::uint64_t before = her.home->region->vault->stats()->entries;
    relax(alice, one.purpose, "hers");
    relax(bob, "ratings", id);
    one.happens(her);
    EXPECT_EQ(code_of(store_->sync()), one.why);
    EXPECT_EQ(code_of(store_->sync()), std::nullopt);
    EXPECT_EQ(get(bob, "ratings", id), "value");
    // His record, and with the first what his records have in common.
    EXPECT_EQ(her.home->region->vault->stats()->entries, before + (n == 1 ? 2 : 1));
  }
}

// While the keyring cannot be read nothing is known of her: nothing is stored, and nothing dropped.
TEST_F(RelaxedInside, WhatCannotBeDecidedNowWaitsOn) {
  enrol("alice");
  close_all();
  OpenOptions few = options();
  few.readers_max = 8;
  store_.emplace(Store::open(few).value());
  take_regions();
  tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  const Subject alice = find("alice");
  relax(alice, "ratings", "a");
  const Person her = internal::Access::person(alice);
  change(her, {.label = keyring::person, .clear = keyring::flag_restricted});  // To be looked at.
  std::optional<Errc> told;
  const std::function<Status()> hold_readers = [&]() -> Status {
    return her.home->region->keyring->walk(her.home->people(),
                                           [&](keyring::RowView) -> Result<Flow> {
                                             const Status deeper = hold_readers();
                                             if (!deeper && !told) told = code_of(store_->sync());
                                             return Flow::stop;
                                           });
  };
  ASSERT_TRUE(hold_readers());
  EXPECT_EQ(told, Errc::busy);
  EXPECT_EQ(get(alice, "ratings", "a"), "value");
  EXPECT_EQ(code_of(store_->sync()), std::nullopt);
  EXPECT_EQ(get(alice, "ratings", "a"), "value");
}

TEST_F(RelaxedInside, WhoseSummaryIsDamagedIsDroppedAlone) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  put(alice, "ratings", "first", "x");
  const Person her = internal::Access::person(alice);
  records::Vault& vault = *her.home->region->vault;
  const keyring::SharedKeys keys = access::keys_of(her).value();
  const keyring::Row& scope = *keys->find(number("ratings"));
  records::Change damage;
  damage.key = access::locate(scope, "").key;
  ASSERT_TRUE(vault.get(damage.key, [&](Bytes sealed) -> Status {
    damage.value.assign(sealed.begin(), sealed.end());
    return {};
  }));
  damage.value.back() ^= std::byte{1};
  ASSERT_TRUE(vault.commit({&damage, 1}, 0, []() -> Status { return {}; }));
  PutOptions decided;
  decided.durability = Durability::relaxed;
  decided.automated_decision = true;  // Which the summary has to say.
  put(alice, "ratings", "hers", "value", decided);
  relax(bob, "ratings", "his");
  put(alice, "ratings", "hers, too", "value", decided);
  EXPECT_EQ(code_of(store_->sync()), Errc::corruption);
  EXPECT_EQ(code_of(store_->sync()), std::nullopt);
  EXPECT_EQ(get(bob, "ratings", "his"), "value");
  EXPECT_EQ(get(alice, "ratings", "hers"), "absent");
  EXPECT_EQ(get(alice, "ratings", "hers, too"), "absent");
  EXPECT_EQ(get(alice, "ratings", "first"), "x");
}

}  // namespace
}  // namespace efface::test
