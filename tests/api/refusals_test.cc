// What a call refuses of its arguments, and that it changes nothing then.
#include <algorithm>
#include <fstream>

#include "efface/backup.h"
#include "efface/capsule.h"
#include "efface/limits.h"
#include "support/two_regions.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

class Refusals : public TwoRegionsTest {
 protected:
  void close() {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
  }
  Region region() { return store_->region("eu").value(); }
  Activity activity(std::string_view why = "ratings") {
    return tenant_->activity(tenant_->purpose(why).value()).value();
  }
  Subject enrol(std::string_view id) { return tenant_->enrol(SubjectId(id), region()).value(); }
  template <class Change>
  std::optional<Errc> opening(Change change) {
    close();
    OpenOptions wrong = options();
    change(wrong);
    return code_of(Store::open(wrong));
  }
  template <class Change>
  std::optional<Errc> creating(Change change) {
    OpenOptions wrong = options();
    wrong.directory = home_ / "another";
    change(wrong);
    const auto code = code_of(Store::create(wrong));
    EXPECT_FALSE(fs::exists(home_ / "another"));
    return code;
  }
  CapsuleOptions capsule() {
    return {home_ / "capsule", RecipientKeyPair::generate().value().public_key(),
            std::chrono::system_clock::now() + std::chrono::hours(48)};
  }
  Status put(const Subject& who, const PutOptions& how) {
    return activity().put(who, RecordName("a"), as_bytes("x"), how);
  }
};

TEST_F(Refusals, OfOptionsThatNameNoStore) {
  EXPECT_EQ(opening([](OpenOptions& o) { o.directory.clear(); }), Errc::invalid_argument);
  EXPECT_EQ(opening([](OpenOptions& o) { o.directory /= ""; }), Errc::invalid_argument);
  EXPECT_EQ(opening([](OpenOptions& o) { o.regions.resize(limits::regions_per_store_max + 1); }),
            Errc::too_large);
  EXPECT_EQ(opening([](OpenOptions& o) { o.processing_region = "no region"; }),
            Errc::invalid_argument);
  EXPECT_EQ(opening([](OpenOptions& o) { o.regions[0].name = "No Region"; }),
            Errc::invalid_argument);
  EXPECT_EQ(opening([](OpenOptions& o) { o.regions[1].name = o.regions[0].name; }),
            Errc::invalid_argument);
  EXPECT_EQ(opening([](OpenOptions& o) { o.shared = true; }), Errc::unsupported);
  EXPECT_EQ(opening([](OpenOptions& o) {
              o.shared = true;
              o.regions[0].root_keys = o.regions[1].root_keys = nullptr;
              o.regions[0].keyring_mirrors = {"/nowhere"};
            }),
            Errc::unsupported);
  EXPECT_FALSE(opening([](OpenOptions&) {}));
}

TEST_F(Refusals, OfMirrorsThatAreNone) {
  const auto mirror = [&](fs::path path) {
    return opening([&](OpenOptions& o) { o.regions[0].keyring_mirrors = {std::move(path)}; });
  };
  EXPECT_EQ(mirror(home_ / "store" / "mirror"), Errc::unsafe_path);
  EXPECT_EQ(mirror(home_ / "mirror" / ""), Errc::invalid_argument);
  EXPECT_EQ(mirror({}), Errc::invalid_argument);
  EXPECT_FALSE(fs::exists(home_ / "store" / "mirror"));
}

TEST_F(Refusals, OfAWitnessThatSaysNothingOfTheRegion) {
  const std::string of_us = store_->checkpoint(store_->region("us").value()).value();
  EXPECT_EQ(opening([&](OpenOptions& o) { o.regions[0].witness = of_us; }), Errc::region_mismatch);
  EXPECT_EQ(opening([&](OpenOptions& o) { o.regions[0].witness = "nothing"; }), Errc::corruption);
}

TEST_F(Refusals, OfAStoreThatCannotBeMade) {
  EXPECT_EQ(creating([](OpenOptions& o) { o.regions.clear(); }), Errc::invalid_argument);
  EXPECT_EQ(creating([](OpenOptions& o) { o.regions[0].root_keys = nullptr; }),
            Errc::root_key_missing);
  EXPECT_EQ(creating([](OpenOptions& o) { o.regions[0].name.clear(); }), Errc::invalid_argument);
  EXPECT_EQ(
      creating([](OpenOptions& o) { o.regions[0].keyring_mirrors = {o.directory / "mirror"}; }),
      Errc::unsafe_path);
  EXPECT_EQ(creating([&](OpenOptions& o) { o.regions[0].directory = home_ / "nowhere" / "eu"; }),
            Errc::store_missing);
  fs::create_directory(home_ / "taken");
  EXPECT_EQ(creating([&](OpenOptions& o) { o.regions[0].directory = home_ / "taken"; }),
            Errc::exists);
}

TEST_F(Refusals, OfADescriptionThatIsTooLarge) {
  close();
  for (const auto& entry : fs::directory_iterator(home_ / "store"))
    if (entry.is_regular_file()) {
      const std::uint64_t before = entry.file_size();
      fs::resize_file(entry.path(), 300 * 1024);
      EXPECT_EQ(code_of(Store::open(options())), Errc::corruption);
      EXPECT_EQ(code_of(Store::region_names(home_ / "store")), Errc::corruption);
      fs::resize_file(entry.path(), before);
    }
  EXPECT_TRUE(Store::open(options()));
}

TEST_F(Refusals, OfATenantOfNoRegionOrOfAForeignOne) {
  EXPECT_EQ(code_of(store_->declare_tenant("No Label", std::array{region()}, Actor("test"))),
            Errc::invalid_argument);
  EXPECT_EQ(code_of(store_->declare_tenant("none", {}, Actor("test"))), Errc::invalid_argument);
  EXPECT_EQ(code_of(store_->declare_tenant("twice", std::array{region(), region()}, Actor("test"))),
            Errc::invalid_argument);
  const auto keys = FileRootKeyStore::create(root_key_options(home_ / "other.key")).value();
  OpenOptions beside = options();
  beside.directory = home_ / "other";
  beside.regions = {{"eu", keys.get(), {}}};
  const Store other = Store::create(beside).value();
  const Region foreign = other.region("eu").value();
  EXPECT_EQ(code_of(store_->declare_tenant("foreign", std::array{foreign}, Actor("test"))),
            Errc::region_unknown);
  EXPECT_EQ(code_of(store_->make_capsule(foreign, capsule(), Actor("test"))), Errc::region_unknown);
  EXPECT_EQ(code_of(store_->checkpoint(foreign)), Errc::region_unknown);
  EXPECT_EQ(store_->tenants().size(), 1u);
}

TEST_F(Refusals, OfWhatNeedsARegionThatIsNotOpen) {
  close();
  OpenOptions half = options();
  half.regions[1].root_keys = nullptr;
  store_.emplace(Store::open(half).value());
  const Region shut = store_->region("us").value();
  const auto next = FileRootKeyStore::create(root_key_options(home_ / "next.key")).value();
  EXPECT_EQ(code_of(store_->rotate_root(shut, Actor("test"))), Errc::region_not_open);
  EXPECT_EQ(code_of(store_->migrate_root(shut, *next, Actor("test"))), Errc::region_not_open);
  EXPECT_EQ(code_of(store_->retire_root(shut, *next)), Errc::region_not_open);
  EXPECT_EQ(code_of(store_->make_capsule(shut, capsule(), Actor("test"))), Errc::region_not_open);
  EXPECT_EQ(code_of(store_->checkpoint(shut)), Errc::region_not_open);
  EXPECT_EQ(code_of(store_->declare_tenant("shut", std::array{shut}, Actor("test"))),
            Errc::region_not_open);
  const auto backed_up = store_->backup({home_ / "half"});
  ASSERT_TRUE(backed_up);
  EXPECT_EQ(backed_up->regions.size(), 1u);
  store_.reset();
  for (RegionOptions& region : half.regions) region.root_keys = nullptr;
  store_.emplace(Store::open(half).value());
  EXPECT_EQ(code_of(store_->backup({home_ / "none"})), Errc::region_not_open);
  EXPECT_FALSE(fs::exists(home_ / "none"));
}

TEST_F(Refusals, OfPlacesForCopies) {
  const auto backup = [&](const fs::path& to) { return code_of(store_->backup({to})); };
  EXPECT_EQ(backup({}), Errc::invalid_argument);
  EXPECT_EQ(backup(home_ / ""), Errc::invalid_argument);
  EXPECT_EQ(backup(home_ / "store" / "backup"), Errc::unsafe_path);
  EXPECT_EQ(backup(home_ / "store"), Errc::unsafe_path);
  const auto to = [&](fs::path path) {
    CapsuleOptions options = capsule();
    options.target = std::move(path);
    return code_of(store_->make_capsule(region(), options, Actor("test")));
  };
  EXPECT_EQ(to({}), Errc::invalid_argument);
  EXPECT_EQ(to(home_ / ""), Errc::invalid_argument);
  EXPECT_EQ(to(home_ / "store" / "capsule"), Errc::unsafe_path);
  CapsuleOptions over = capsule();
  over.opens_until = std::chrono::system_clock::now() - std::chrono::hours(48);
  EXPECT_EQ(code_of(store_->make_capsule(region(), over, Actor("test"))), Errc::invalid_argument);
}

TEST_F(Refusals, OfACapsuleForARegionThatIsNotThere) {
  const auto keys = RecipientKeyPair::generate().value();
  close();
  RestoreOptions how;
  how.capsules = {{"mars", home_ / "capsule", &keys, "key"}};
  EXPECT_EQ(code_of(Store::restore(options(), how)), Errc::region_not_open);
  OpenOptions unkeyed = options();
  unkeyed.regions[0].root_keys = nullptr;
  how.capsules[0].region = "eu";
  EXPECT_EQ(code_of(Store::restore(unkeyed, how)), Errc::region_not_open);
  OpenOptions more = options();
  more.regions[0].name = "mars";
  how.capsules[0].region = "mars";
  EXPECT_EQ(code_of(Store::restore(more, how)), Errc::region_unknown);
}

TEST_F(Refusals, OfAPartOfABackupThatIsTooLarge) {
  ASSERT_TRUE(store_->backup({home_ / "backup"}));
  for (const auto& entry : fs::recursive_directory_iterator(home_ / "backup")) {
    if (!entry.is_regular_file()) continue;
    const std::uint64_t before = entry.file_size();
    for (const std::uint64_t bytes : {std::uint64_t{3}, before + (1 << 20)}) {
      const fs::path kept = home_ / "kept";
      fs::copy_file(entry.path(), kept, fs::copy_options::overwrite_existing);
      fs::resize_file(entry.path(), bytes);
      EXPECT_EQ(code_of(Store::verify_backup(home_ / "backup")), Errc::corruption);
      fs::copy_file(kept, entry.path(), fs::copy_options::overwrite_existing);
    }
  }
  EXPECT_TRUE(Store::verify_backup(home_ / "backup"));
}

TEST_F(Refusals, OfRetentionsAndOfTooManyRecipients) {
  ASSERT_TRUE(tenant_->declare_purpose({"short", LegalBasis::contract, Days(10)}));
  const Subject alice = enrol("alice");
  EXPECT_EQ(code_of(put(alice, {.retention = Days(0)})), Errc::invalid_argument);
  EXPECT_EQ(code_of(put(alice, {.retention = Days(limits::retention_days_max + 1)})),
            Errc::invalid_argument);
  EXPECT_EQ(code_of(activity("short").put(alice, RecordName("a"), as_bytes("x"),
                                          {.retention = Days(11)})),
            Errc::invalid_argument);
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= limits::recipients_per_scope_max; ++i)
    names.push_back("recipient-" + std::to_string(i));
  std::size_t told = 0;
  std::optional<Errc> answer;
  for (; told < names.size() && !answer; ++told) {
    PutOptions one;
    const std::array<std::string_view, 1> recipients{names[told]};
    one.recipients = recipients;
    one.automated_decision = told % 2 == 0;
    answer = code_of(put(alice, one));
  }
  EXPECT_EQ(answer, Errc::too_large);
  EXPECT_EQ(told, names.size());
}

TEST_F(Refusals, OfSharingAmongTooManyOrTooMuch) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const std::array two{&alice, &bob};
  EXPECT_EQ(code_of(activity().put_shared(two, Sharing{7}, RecordName("a"), as_bytes("x"))),
            Errc::invalid_argument);
  const std::vector<const Subject*> many(limits::people_per_record_max + 1, &alice);
  EXPECT_EQ(code_of(activity().put_shared(many, Sharing::any, RecordName("a"), as_bytes("x"))),
            Errc::too_large);
  const std::vector<std::byte> large(limits::value_bytes_max + 1);
  EXPECT_EQ(code_of(activity().put_shared(two, Sharing::any, RecordName("a"), large)),
            Errc::too_large);
  EXPECT_EQ(code_of(activity().put_shared(two, Sharing::any, RecordName(""), as_bytes("x"))),
            Errc::invalid_argument);
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "absent");
}

TEST_F(Refusals, OfTooManyPeopleAtOnceAndOfTheSameTwice) {
  const std::vector<SubjectId> many(limits::subjects_per_call_max + 1, SubjectId("alice"));
  EXPECT_EQ(code_of(tenant_->find_or_enrol(many, region())), Errc::too_large);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
  const std::array twice{SubjectId("alice"), SubjectId("alice")};
  const auto found = tenant_->find_or_enrol(twice, region());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 2u);
  EXPECT_TRUE(tenant_->subject(SubjectId("alice")));
}

TEST_F(Refusals, OfNamesInABatch) {
  const Subject alice = enrol("alice");
  Batch batch = activity().batch(region());
  EXPECT_EQ(code_of(batch.remove(alice, RecordName(""))), Errc::invalid_argument);
  EXPECT_EQ(code_of(batch.put(alice, RecordName(""), as_bytes("x"))), Errc::invalid_argument);
  EXPECT_EQ(code_of(activity().get(alice, RecordName(""))), Errc::invalid_argument);
  EXPECT_TRUE(activity().commit(std::move(batch)));
}

}  // namespace
}  // namespace efface::test
