// Which rows a removal takes, which it leaves, and when it is refused.
#include <thread>

#include "keyring/keyring_fixture.h"

namespace efface::keyring::test {
namespace {

using What = Removal::What;

class Rows : public KeyringTest {
 protected:
  void SetUp() override {
    KeyringTest::SetUp();
    acme_ = add_tenant("acme");
  }
  struct Made {
    Label label = 0;
    std::uint32_t aux = 0;
  };
  SharedKeys make(const Tag& tag, std::initializer_list<Made> rows,
                  TreeKind kind = TreeKind::subjects) {
    std::vector<Ensure> wanted;
    for (const Made& row : rows) {
      wanted.emplace_back().tag = tag;
      wanted.back().label = row.label;
      wanted.back().aux = row.aux;
    }
    const auto held = keyring_->lock();
    EXPECT_TRUE(keyring_->ensure(*held, {acme_, kind}, wanted));
    return wanted.back().keys;
  }
  std::vector<Label> labels_of(const Tag& tag) {
    std::vector<Label> labels;
    const auto keys = keyring_->keys({acme_, TreeKind::subjects}, tag);
    EXPECT_TRUE(keys);
    for (const Row& row : (*keys)->rows()) labels.push_back(row.label);
    return labels;
  }
  Removal of(What what, const Tag& tag) {
    Removal removal;
    removal.tenant = acme_;
    removal.what = what;
    removal.tag = tag;
    return removal;
  }
  std::string_view erase_all(std::span<Removal> removals) {
    return said(keyring_->erase(removals));
  }
  std::string_view erase_one(Removal& removal) { return erase_all({&removal, 1}); }

  TenantRef acme_;
  Tag her_ = crypto::random_id();
};

TEST_F(Rows, OfAPersonGoButForHerTombstoneAndWhatLeadsElsewhere) {
  make(her_, {{person}, {1}, {scope_label(1, successor)}, {alias_row}, {suppression}});
  Removal all = of(What::subject, her_);
  ASSERT_EQ(erase_one(all), "");
  EXPECT_TRUE(all.removed);
  EXPECT_EQ(labels_of(her_), (std::vector<Label>{suppression, alias_row}));
}

TEST_F(Rows, OfAScopeAreItselfItsSuccessorAndItsCount) {
  make(her_, {{person}, {1}, {scope_label(1, successor)}, {shared_count | 1, 3}, {2}});
  Removal scope = of(What::scope, her_);
  scope.label = 1;
  ASSERT_EQ(erase_one(scope), "");
  EXPECT_EQ(scope.shared, 3u);
  EXPECT_EQ(labels_of(her_), (std::vector<Label>{person, 2}));
}

TEST_F(Rows, OfAScopeByItsHandleAreTheOneIncarnation) {
  const SharedKeys keys = make(
      her_,
      {{person}, {1}, {scope_label(1, first_kept)}, {scope_label(1, sealing_key)}, {merging_row}});
  Removal scope = of(What::scope, her_);
  for (const Label label : {scope_label(1, first_kept), scope_label(1, sealing_key)}) {
    scope.only_if_handle = keys->find(label)->handle;
    ASSERT_EQ(erase_one(scope), "");
    EXPECT_TRUE(scope.removed);
  }
  scope.only_if_handle = keys->find(merging_row)->handle;  // Which is no scope.
  ASSERT_EQ(erase_one(scope), "");
  EXPECT_FALSE(scope.removed);
  EXPECT_EQ(labels_of(her_), (std::vector<Label>{person, 1, merging_row}));
}

TEST_F(Rows, OfAMergeThatIsNotDoneAreWhatArrivedAndWhatSaysWhence) {
  make(her_, {{person}, {1}, {scope_label(1, arriving_scope)}, {merging_row}});
  Removal arrived = of(What::arriving, her_);
  ASSERT_EQ(erase_one(arrived), "");
  EXPECT_EQ(labels_of(her_), (std::vector<Label>{person, 1, merging_row}));
  Removal merging = of(What::merging, her_);
  ASSERT_EQ(erase_one(merging), "");
  EXPECT_EQ(labels_of(her_), (std::vector<Label>{person, 1}));
}

TEST_F(Rows, OfAScopeAreNotReplacedByNothing) {
  make(her_, {{person}, {1}});
  const Epoch before = keyring_->epoch();
  Removal replaced = of(What::replaced, her_);
  replaced.label = 1;
  EXPECT_EQ(erase_one(replaced), "corruption");
  EXPECT_EQ(labels_of(her_), (std::vector<Label>{person, 1}));
  EXPECT_EQ(keyring_->epoch(), before);
}

TEST_F(Rows, OfABucketLeaveTheLastDayThatWentBehind) {
  const auto mark = [&] {
    const auto keys = *keyring_->keys({acme_, TreeKind::retention}, high_water_tag());
    const Row* row = keys->find(high_water);
    return row == nullptr ? 0 : row->aux;
  };
  for (const std::uint32_t day : {5U, 3U}) {
    const Tag tag = crypto::random_id();
    make(tag, {{bucket_key, day}}, TreeKind::retention);
    Removal bucket = of(What::bucket, tag);
    bucket.day = day;
    ASSERT_EQ(erase_one(bucket), "");
    EXPECT_TRUE(bucket.removed);
    EXPECT_EQ(mark(), 5u);
  }
}

TEST_F(Rows, StayWhenSheIsNotAsSheWasSeen) {
  const Handle hers = make(her_, {{person, 7}})->find(person)->handle;
  const auto goes = [&](const Tag& tag, std::optional<Handle> handle,
                        std::optional<std::uint32_t> aux) {
    Removal removal = of(What::subject, tag);
    removal.only_if_person = handle;
    removal.only_if_aux = aux;
    EXPECT_EQ(erase_one(removal), "");
    return removal.removed;
  };
  const std::optional<std::uint32_t> any;
  EXPECT_FALSE(goes(her_, hers, 8));
  EXPECT_FALSE(goes(her_, crypto::random_id(), 7));
  EXPECT_FALSE(goes(her_, crypto::random_id(), any));
  EXPECT_FALSE(goes(her_, {}, 8));
  EXPECT_FALSE(goes(crypto::random_id(), hers, any));  // Nobody is there.
  EXPECT_FALSE(goes(crypto::random_id(), {}, 7));
  EXPECT_TRUE(goes(her_, hers, 7));
}

TEST_F(Rows, StayWhileATransferTakesHerAway) {
  make(her_, {{person}});
  Amend amend;
  amend.tag = her_;
  amend.changes = {{.label = person, .set = flag_moving},
                   {.label = 9, .aux_more = 2},  // Where there is no such row: nothing.
                   {.label = person, .aux_more = -3}};
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->amend(*held, {acme_, TreeKind::subjects}, {&amend, 1}));
  }
  EXPECT_EQ(amend.keys->find(person)->aux, 0u);  // It stops there.
  Removal removal = of(What::subject, her_);
  ASSERT_EQ(erase_one(removal), "");
  EXPECT_TRUE(removal.moving && !removal.removed);
  removal.despite_transfer = true;
  ASSERT_EQ(erase_one(removal), "");
  EXPECT_TRUE(removal.removed && !removal.moving);
}

TEST_F(Rows, OfATenantAreMadeOnce) {
  const auto held = keyring_->lock();
  EXPECT_EQ(said(keyring_->add_tenant(*held, acme_.tag, as_bytes("terms"))), "exists");
  const TenantRef nobody{crypto::random_id(), 77};
  EXPECT_EQ(said(keyring_->set_terms(*held, nobody, as_bytes("terms"))), "tenant_unknown");
  EXPECT_EQ(keyring_->tenants()->size(), 1u);
}

TEST_F(Rows, OfATenantThatIsNotThereAreNone) {
  make(her_, {{person}});
  std::vector<Removal> removals(2, of(What::subject, her_));
  removals[0].tenant = {crypto::random_id(), 77};
  ASSERT_EQ(erase_all(removals), "");
  EXPECT_FALSE(removals[0].removed);
  EXPECT_TRUE(removals[1].removed);
}

// With one entry in each of its parts the cache forgets what was used longest ago.
TEST_F(Rows, AreReadAgainWhereTheCacheIsFull) {
  options_.cached_tags_max = 1;
  open();
  const auto tags = some_tags(100);
  enrol(acme_, tags);
  for (const Tag& tag : tags) EXPECT_TRUE(known(acme_, tag));
  EXPECT_LT(keyring_->stats()->cached_tags, tags.size());
  for (const Tag& tag : tags) EXPECT_TRUE(known(acme_, tag));
}

// ---- whoever has to wait for the writer ----

class Busy : public Rows {
 protected:
  // On a thread of its own, while this one writes.
  template <class Call>
  static std::string said_beside(Call&& call) {
    std::string answer;
    std::thread([&] { answer = said(call()); }).join();
    return answer;
  }
};

TEST_F(Busy, IsTheAnswerWhileAnotherWrites) {
  options_.environment.deadline = std::chrono::milliseconds(1);
  options_.mirrors = {home_ / "mirror"};
  open();
  make(her_, {{person}});
  root_keys_.fail_next_rotate = true;
  Removal removal = of(What::subject, her_);
  ASSERT_EQ(erase_one(removal), "erase_pending");
  MemoryRootKeyStore other;
  const auto sink = [](Bytes) -> Status { return {}; };
  const auto capsule = [&] { return keyring_->write_capsule(1, {}, sink); };
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(held);
    EXPECT_EQ(said_beside([&] { return keyring_->settle(); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->rotate_root(); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->migrate_root({other}); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->retire_root(other); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->catch_up_mirrors(); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->custody("/"); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->check([](std::uint64_t) {}); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->drop_nodes(1); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->finish_notice(acme_, 1); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->finish_reclaim(1); }), "busy");
    EXPECT_EQ(said_beside([&] { return keyring_->signing_key(); }), "busy");
    EXPECT_EQ(said_beside(capsule), "busy");
    EXPECT_EQ(said_beside([&] { return erase(acme_, her_); }), "busy");
  }
  ASSERT_TRUE(keyring_->settle());
  ASSERT_TRUE(keyring_->settle());  // There is nothing to do.
  ASSERT_TRUE(keyring_->signing_key());
  const auto held = keyring_->lock();
  EXPECT_EQ(said_beside(capsule), "busy");  // Now for its entry in the ledger.
}

}  // namespace
}  // namespace efface::keyring::test
