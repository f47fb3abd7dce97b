// What a right destroys is gone from every byte ever written, and nothing else is: each right by
// itself, over a copy of the store from before and after every step. tests/oracle/world.h lives
// through all of them in disorder.
#include <algorithm>

#include "oracle/disclosure.h"
#include "rights/rights_fixture.h"
#include "support/file_content.h"

namespace efface::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t held_bucket = 0xfffffffe;

class RightsDisclosure : public RightsTest {
 protected:
  // Everything that is written up to now may be kept by somebody.
  void remember() {
    const auto to = home_ / ("copy-" + std::to_string(copies_++));
    std::filesystem::copy(home_ / "store", to, std::filesystem::copy_options::recursive);
    ASSERT_TRUE(images_.add_directory(to));
  }
  // With the root keys that are live now.
  disclosure::Result search() {
    remember();
    disclosure::RootKeys keys;
    for (const char* region : {"eu", "us"}) {
      const auto held = disclosure::RootKeys::from_file(home_ / region);
      EXPECT_TRUE(held);
      if (held) keys.add_all(*held);
    }
    return disclosure::search(images_, keys, {disclosure::Reach::its_tree});
  }
  Maintained rekey_all() {
    MaintainOptions options;
    options.residue_window = 0h;
    return maintain(options);
  }
  HoldNumber hold(const Subject& subject, std::string_view reason) {
    const auto number = tenant_->hold(subject, {"litigation", reason, {}});
    EXPECT_TRUE(number) << name(number.error().code());
    return number ? *number : 0;
  }
  void erase(std::string_view id) {
    const SubjectId ids[] = {SubjectId(id)};
    EXPECT_EQ(tenant_->erase(ids)->erased, 1u);
  }

  disclosure::Images images_;
  int copies_ = 0;
};

TEST_F(RightsDisclosure, D3WithdrawalLeavesNothingOfThatPurposeAndAllOfTheOthers) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "a", "of news, first");
  remember();
  put(alice, "news", "a", "of news");
  put(alice, "ratings", "a", "of ratings");
  remember();
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  {
    const auto found = search();
    EXPECT_FALSE(found.opens_value("of news"));
    EXPECT_FALSE(found.opens_value("of news, first"));
    EXPECT_TRUE(found.opens_value("of ratings"));
  }
  grant(alice);
  put(alice, "news", "a", "of a fresh scope");
  const auto found = search();
  EXPECT_FALSE(found.opens_value("of news"));
  EXPECT_TRUE(found.opens_value("of a fresh scope"));
}

TEST_F(RightsDisclosure, D3AnExpiredDayLeavesNothingOfItAndAllOfTheDaysAfter) {
  const Subject alice = enrol("alice");
  put(alice, "logs", "a", "expires first");
  put(enrol("bob"), "logs", "a", "expires with it");
  put(alice, "ratings", "b", "never expires");
  remember();
  advance(Days(10));
  put(alice, "logs", "c", "expires later");
  advance(Days(21));
  {
    const auto found = search();
    EXPECT_TRUE(found.opens_value("expires first")) << "it is refused, and not destroyed yet";
  }
  EXPECT_EQ(maintain().buckets_expired, 1u);
  const auto found = search();
  EXPECT_FALSE(found.opens_value("expires first"));
  EXPECT_FALSE(found.opens_value("expires with it"));
  EXPECT_TRUE(found.opens_value("expires later"));
  EXPECT_TRUE(found.opens_value("never expires"));
}

TEST_F(RightsDisclosure, D4AnOverwrittenValueOpensUntilItsScopeIsReKeyedAndNotAfter) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "overwritten");
  put(alice, "ratings", "b", "untouched");
  put(alice, "logs", "c", "of a scope without residue");
  remember();
  put(alice, "ratings", "a", "in its place");
  {
    const auto found = search();
    EXPECT_TRUE(found.opens_value("overwritten")) << "the control: nothing was re-keyed";
  }
  EXPECT_EQ(rekey_all().scopes_rekeyed, 1u);
  const auto found = search();
  EXPECT_FALSE(found.opens_value("overwritten"));
  for (const char* value : {"in its place", "untouched", "of a scope without residue"})
    EXPECT_TRUE(found.opens_value(value)) << value;
}

TEST_F(RightsDisclosure, D4ARecordRemovedWithShredNowLeavesNothingWhenItHasAnswered) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "removed at once");
  put(alice, "ratings", "b", "removed within the window");
  put(alice, "ratings", "c", "stays");
  put(alice, "logs", "d", "removed from another scope");
  remember();
  ASSERT_TRUE(activity("logs").remove(alice, RecordName("d")));
  ASSERT_TRUE(activity("ratings").remove(alice, RecordName("b")));
  {
    const auto found = search();
    EXPECT_TRUE(found.opens_value("removed within the window")) << "the control";
  }
  ASSERT_TRUE(activity("ratings").remove(alice, RecordName("a"), Shred::now));
  const auto found = search();
  EXPECT_FALSE(found.opens_value("removed at once"));
  EXPECT_FALSE(found.opens_value("removed within the window"));
  EXPECT_TRUE(found.opens_value("removed from another scope")) << "its scope was not re-keyed";
  EXPECT_TRUE(found.opens_value("stays"));
}

TEST_F(RightsDisclosure, ATransferLeavesNoKeyAtTheSourceAndAllAtTheTarget) {
  {
    const Subject alice = enrol("alice");
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@mail")));
    grant(alice);
    put(alice, "news", "a", "overwritten before she moved");
    remember();
    put(alice, "news", "a", "moved");
  }
  const auto before = search();
  ASSERT_TRUE(tenant_->transfer(find("alice"), *us_, TransferBasis::adequacy));
  const auto found = search();
  EXPECT_TRUE(found.opens_value("moved"));
  EXPECT_FALSE(found.opens_value("overwritten before she moved"));
  EXPECT_TRUE(found.opens_text_on_file("v1"));
  EXPECT_TRUE(found.could_tell("alice@mail"));
  std::size_t at_the_source = 0;
  for (const disclosure::Row& row : before.rows()) {
    if (row.tree != disclosure::Tree::subjects) continue;
    ++at_the_source;
    EXPECT_FALSE(found.reaches_key(disclosure::fingerprint(row.key)));
    EXPECT_FALSE(found.opens_record(row.handle));
    EXPECT_FALSE(found.opens_file(row.handle));
  }
  EXPECT_GE(at_the_source, 3u);
}

TEST_F(RightsDisclosure, AMergeLeavesNoKeyOfWhoIsNoMoreAndAfterReKeyingNoValueThatWasPassedOver) {
  {
    const Subject alice = enrol("alice");
    const Subject device = enrol("device");
    put(alice, "ratings", "both", "of alice");
    put(device, "ratings", "both", "of the device");
    put(device, "ratings", "one", "only of the device");
    put(device, "logs", "log", "overwritten by the device");
    remember();
    put(device, "logs", "log", "logged by the device");
  }
  const auto before = search();
  disclosure::Id handle{};
  for (const disclosure::OpenedRecord& record : before.opened_records())
    if (record.value == "only of the device") handle = record.handle;
  ASSERT_TRUE(before.opens_record(handle));
  ASSERT_TRUE(tenant_->merge(find("alice"), find("device")));
  remember();
  rekey_all();
  const auto found = search();
  EXPECT_FALSE(found.opens_record(handle));
  EXPECT_FALSE(found.opens_value("overwritten by the device"));
  EXPECT_FALSE(found.opens_value("of the device")) << "alice's stood in its place";
  for (const char* value : {"of alice", "only of the device", "logged by the device"})
    EXPECT_TRUE(found.opens_value(value)) << value;
  EXPECT_TRUE(found.could_tell("device")) << "it leads to her";
}

TEST_F(RightsDisclosure, AMergeWritesNobodysTagInClear) {
  put(enrol("alice"), "ratings", "a", "of alice");
  put(enrol("device"), "ratings", "b", "of the device");
  ASSERT_TRUE(tenant_->add_identifier(find("device"), SubjectId("device@mail")));
  ASSERT_TRUE(tenant_->merge(find("alice"), find("device")));
  const auto found = search();
  const std::string bytes = file_content(home_ / "store" / "eu" / "keyring" / "data.mdb");
  ASSERT_FALSE(bytes.empty());
  for (const disclosure::Row& row : found.rows()) {
    const std::string_view tag(reinterpret_cast<const char*>(row.tag.data()), row.tag.size());
    EXPECT_EQ(bytes.find(tag), std::string::npos);
  }
}

TEST_F(RightsDisclosure, AHoldKeepsWhatIsDueAndItsReleaseLeavesNothingOfThat) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "a", "withdrawn under the hold");
  put(alice, "logs", "b", "past its day");
  put(alice, "ratings", "c", "stays");
  remember();
  const HoldNumber number = hold(alice, "a case");
  ASSERT_EQ(tenant_->withdraw(alice, purpose("news"))->held, 1u);
  grant(alice);
  put(alice, "news", "a", "of the consent that followed");
  advance(Days(31));
  EXPECT_EQ(maintain().records_kept, 1u);
  {
    const auto found = search();
    EXPECT_TRUE(found.opens_value("withdrawn under the hold"));
    EXPECT_TRUE(found.opens_value("past its day"));
    EXPECT_TRUE(std::ranges::any_of(found.opened_records(), [](const auto& record) {
      return record.value == "past its day" && record.bucket == held_bucket;
    }));
  }
  ASSERT_TRUE(tenant_->release(alice, number));
  const auto found = search();
  EXPECT_FALSE(found.opens_value("withdrawn under the hold"));
  EXPECT_FALSE(found.opens_value("past its day"));
  EXPECT_TRUE(found.opens_value("stays"));
  EXPECT_TRUE(found.opens_value("of the consent that followed"));
}

TEST_F(RightsDisclosure, AnErasureThatAHoldRefusesTakesNoneOfHerIdentifiers) {
  ASSERT_TRUE(tenant_->add_identifier(enrol("alice"), SubjectId("alice@mail")));
  const HoldNumber number = hold(find("alice"), "a case");
  EXPECT_EQ(code_of(tenant_->erase(find("alice"))), Errc::legal_hold);
  {
    const auto found = search();
    EXPECT_TRUE(found.could_tell("alice@mail"));
  }
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice@mail"), *eu_)), Errc::exists);
  EXPECT_EQ(tenant_->release(find("alice@mail"), number)->erased, 1u);
  const auto found = search();
  EXPECT_FALSE(found.could_tell("alice@mail"));
}

TEST_F(RightsDisclosure, ErasureLeavesNothingOfHerFileOrOfAnyOfHerIdentifiers) {
  const Subject bob = enrol("bob");
  hold(bob, "another case");
  {
    const Subject alice = enrol("alice");
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@mail")));
    ASSERT_TRUE(tenant_->grant(alice, purpose("news"), {"version 7", "kiosk", {}}));
    const HoldNumber number = hold(alice, "a case");
    remember();
    ASSERT_TRUE(tenant_->release(alice, number));
  }
  {
    const auto found = search();
    for (const char* text : {"version 7", "kiosk", "a case", "alice@mail"})
      EXPECT_TRUE(found.opens_text_on_file(text)) << text;
  }
  erase("alice@mail");
  const auto found = search();
  for (const char* text : {"version 7", "kiosk", "a case", "alice@mail"})
    EXPECT_FALSE(found.opens_text_on_file(text)) << text;
  EXPECT_FALSE(found.could_tell("alice"));
  EXPECT_FALSE(found.could_tell("alice@mail"));
  EXPECT_TRUE(found.opens_text_on_file("another case"));
}

TEST_F(RightsDisclosure, ATombstoneTellsWhoHoldsTheLiveKeysOfHerUntilSheIsReinstated) {
  put(enrol("alice"), "ratings", "a", "x of alice");
  remember();
  ASSERT_TRUE(tenant_->suppress(SubjectId("alice")));
  {
    const auto found = search();
    EXPECT_FALSE(found.opens_value("x of alice"));
    EXPECT_TRUE(found.could_tell("alice"));
    EXPECT_FALSE(found.could_tell("bob"));
  }
  ASSERT_TRUE(tenant_->reinstate(SubjectId("alice"), "she asked for it"));
  const auto found = search();
  EXPECT_FALSE(found.could_tell("alice"));
}

// A store as a crash would leave it in the middle of a transfer: copied when the clock is asked for
// the nth time.
class InterruptedTransfer : public RightsDisclosure {
 protected:
  static std::chrono::system_clock::time_point watching() {
    if (moment_ != 0 && --moment_ == 0) crash_();
    return std::chrono::system_clock::now() + offset_;
  }
  void watch() {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
    OpenOptions watched = options();
    watched.now = &watching;
    store_.emplace(Store::open(watched).value());
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
  disclosure::RootKeys keys_at(const std::filesystem::path& home) {
    auto keys = disclosure::RootKeys::from_file(home / "eu").value();
    keys.add_all(disclosure::RootKeys::from_file(home / "us").value());
    return keys;
  }
  // Whether somebody is on her way there.
  bool anybody_incoming(const std::filesystem::path& home) {
    disclosure::Images live;
    EXPECT_TRUE(live.add_live(home / "store" / "us" / "keyring" / "data.mdb"));
    const auto found = disclosure::search(live, keys_at(home));
    return std::ranges::any_of(found.rows(), [](const disclosure::Row& row) {
      return row.tree == disclosure::Tree::subjects && row.label == 0 && (row.flags & 16) != 0;
    });
  }
  static void erase_at(const std::filesystem::path& home, std::string_view id) {
    const auto eu = FileRootKeyStore::open(root_key_options(home / "eu")).value();
    const auto us = FileRootKeyStore::open(root_key_options(home / "us")).value();
    OpenOptions options;
    options.directory = home / "store";
    options.regions = {{"eu", eu.get(), {}}, {"us", us.get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    const Store store = Store::open(options).value();
    const Tenant tenant = store.tenant("acme", Actor("test")).value();
    EXPECT_TRUE(tenant.erase(tenant.subject(SubjectId(id)).value()));
  }

  static inline int moment_ = 0;
  static inline std::function<void()> crash_;
};

TEST_F(InterruptedTransfer, LeavesNoIdentifierBehindWhenSheIsErasedAfterwards) {
  ASSERT_TRUE(tenant_->add_identifier(enrol("alice"), SubjectId("alice@mail")));
  watch();
  const auto crashed = home_ / "crashed";
  crash_ = [&] {
    std::filesystem::create_directory(crashed);
    for (const char* part : {"store", "eu", "us"})
      std::filesystem::copy(home_ / part, crashed / part, std::filesystem::copy_options::recursive);
  };
  int under_way = 0;
  for (int moment = 1; moment <= 3; ++moment) {
    moment_ = moment;
    ASSERT_TRUE(tenant_->transfer(find("alice"), *us_, TransferBasis::adequacy));
    ASSERT_TRUE(tenant_->transfer(find("alice"), *eu_, TransferBasis::adequacy));
    ASSERT_EQ(moment_, 0);
    under_way += anybody_incoming(crashed) ? 1 : 0;
    erase_at(crashed, "alice");
    disclosure::Images images;
    ASSERT_TRUE(images.add_directory(crashed / "store"));
    const auto found = disclosure::search(images, keys_at(crashed));
    EXPECT_FALSE(found.could_tell("alice"));
    EXPECT_FALSE(found.could_tell("alice@mail"));
    std::filesystem::remove_all(crashed);
  }
  EXPECT_GT(under_way, 0);
}

}  // namespace
}  // namespace efface::test
