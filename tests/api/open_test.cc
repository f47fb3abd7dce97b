// Creating and opening: everything that can be wrong with a store's files, and its code.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>

#include "support/file_content.h"
#include "support/two_regions.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

class Opening : public StoreTest {
 protected:
  fs::path data() { return home_ / "store"; }
  fs::path region_dir() { return data() / "eu"; }

  // A store of the same kind beside this one, with a root key file of its own.
  void make_other(std::string region_name) {
    const auto keys = FileRootKeyStore::create(root_key_options(home_ / "other.key")).value();
    OpenOptions other = options();
    other.directory = home_ / "other";
    other.regions = {{std::move(region_name), keys.get(), {}}};
    ASSERT_TRUE(Store::create(other));
  }

  // Closes everything, lets `damage` loose, and answers what opening says.
  template <class Damage>
  std::optional<Errc> after(Damage damage) {
    close();
    damage();
    return code_of(Store::open(options()));
  }
};

TEST_F(Opening, TwiceIsBusyAndTheFirstGoesOn) {
  const Subject alice = enrol("alice");
  EXPECT_EQ(code_of(Store::open(options())), Errc::busy);
  EXPECT_TRUE(activity().put(alice, RecordName("a"), as_bytes("x")));
}

TEST_F(Opening, WhereThereIsNothing) {
  OpenOptions nowhere = options();
  nowhere.directory = home_ / "nowhere";
  EXPECT_EQ(code_of(Store::open(nowhere)), Errc::store_missing);
}

TEST_F(Opening, CreatingOverSomethingIsRefused) {
  close();
  EXPECT_EQ(code_of(Store::create(options())), Errc::exists);
  EXPECT_TRUE(Store::open(options()));
}

TEST_F(Opening, AnUnknownRegionIsRefused) {
  close();
  OpenOptions wrong = options();
  wrong.regions[0].name = "mars";
  EXPECT_EQ(code_of(Store::open(wrong)), Errc::region_unknown);
}

TEST_F(Opening, ARegionDirectoryThatIsMissing) {
  EXPECT_EQ(after([&] { fs::rename(region_dir(), home_ / "away"); }), Errc::store_missing);
}

TEST_F(Opening, ARegionDirectoryOfAnotherRegion) {
  EXPECT_EQ(after([&] {
              make_other("us");
              fs::rename(region_dir(), home_ / "away");
              fs::rename(home_ / "other" / "us", region_dir());
            }),
            Errc::region_mismatch);
}

TEST_F(Opening, AKeyringOrRecordsOfAnotherRegion) {
  for (const char* part : {"keyring", "records"}) {
    EXPECT_EQ(after([&] {
                make_other("eu");
                fs::rename(region_dir() / part, home_ / "away");
                fs::rename(home_ / "other" / "eu" / part, region_dir() / part);
              }),
              Errc::region_mismatch)
        << part;
    fs::remove_all(region_dir() / part);
    fs::rename(home_ / "away", region_dir() / part);
    fs::remove_all(home_ / "other");
    fs::remove(home_ / "other.key");
  }
}

TEST_F(Opening, AWorldWritableRegionDirectory) {
  EXPECT_EQ(after([&] { ASSERT_EQ(::chmod(region_dir().c_str(), 0777), 0); }), Errc::unsafe_path);
}

TEST_F(Opening, ASymlinkForARegionDirectory) {
  EXPECT_EQ(after([&] {
              fs::rename(region_dir(), home_ / "away");
              fs::create_directory_symlink(home_ / "away", region_dir());
            }),
            Errc::unsafe_path);
}

TEST_F(Opening, ASymlinkForTheStore) {
  close();
  fs::create_directory_symlink(data(), home_ / "link");
  OpenOptions link = options();
  link.directory = home_ / "link";
  EXPECT_EQ(code_of(Store::open(link)), Errc::unsafe_path);
}

TEST_F(Opening, ATruncatedDatabase) {
  for (const char* part : {"keyring", "records"})
    EXPECT_EQ(after([&] { fs::resize_file(region_dir() / part / "data.mdb", 4096 + 100); }),
              Errc::corruption)
        << part;
}

TEST_F(Opening, AnEmptyOrCutDescription) {
  close();
  for (const fs::path& file : {data() / "store.info", region_dir() / "region.info"}) {
    const std::string bytes = file_content(file);
    for (const std::size_t keep : {std::size_t{0}, std::size_t{5}, bytes.size() / 2}) {
      fs::resize_file(file, keep);
      EXPECT_EQ(code_of(Store::open(options())), Errc::corruption);
      std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    }
  }
  EXPECT_TRUE(Store::open(options()));
}

TEST_F(Opening, ARootKeyFileInsideTheStore) {
  close();
  root_keys_.reset();
  fs::rename(home_ / "root.key", data() / "root.key");
  root_keys_ = FileRootKeyStore::open(root_key_options(data() / "root.key")).value();
  EXPECT_EQ(code_of(Store::open(options())), Errc::unsafe_path);
}

TEST_F(Opening, ARootKeyFileThatIsMissingOrOfALooseMode) {
  close();
  root_keys_.reset();
  EXPECT_EQ(code_of(FileRootKeyStore::open(root_key_options(home_ / "gone.key"))),
            Errc::root_key_missing);
  ASSERT_EQ(::chmod((home_ / "root.key").c_str(), 0644), 0);
  EXPECT_EQ(code_of(FileRootKeyStore::open(root_key_options(home_ / "root.key"))),
            Errc::unsafe_path);
}

TEST_F(Opening, TheRootKeyFileOfAnotherStore) {
  close();
  root_keys_ = FileRootKeyStore::create(root_key_options(home_ / "other.key")).value();
  EXPECT_EQ(code_of(Store::open(options())), Errc::root_key_mismatch);
}

TEST_F(Opening, ARootKeyFileServesOneStore) {
  OpenOptions second = options();
  second.directory = home_ / "second";
  EXPECT_EQ(code_of(Store::create(second)), Errc::root_key_mismatch);
}

TEST_F(Opening, AKeyringFromBeforeAnErasureIsStale) {
  enrol("alice");
  close();
  fs::copy(region_dir() / "keyring", home_ / "old", fs::copy_options::recursive);
  reopen();
  const SubjectId ids[] = {SubjectId("alice")};
  ASSERT_TRUE(tenant_->erase(ids));
  EXPECT_EQ(after([&] {
              for (const auto& entry : fs::directory_iterator(home_ / "old"))
                fs::copy(entry, region_dir() / "keyring" / entry.path().filename(),
                         fs::copy_options::overwrite_existing);
            }),
            Errc::keyring_stale);
}

TEST_F(Opening, OldRecordsOverANewKeyringShowNothingOfTheErased) {
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("a"), as_bytes("x")));
  ASSERT_TRUE(activity().put(enrol("bob"), RecordName("a"), as_bytes("y")));
  close();
  fs::copy(region_dir() / "records", home_ / "old", fs::copy_options::recursive);
  reopen();
  const SubjectId ids[] = {SubjectId("alice")};
  ASSERT_TRUE(tenant_->erase(ids));
  ASSERT_TRUE(store_->maintain());
  close();
  for (const auto& entry : fs::directory_iterator(home_ / "old"))
    fs::copy(entry, region_dir() / "records" / entry.path().filename(),
             fs::copy_options::overwrite_existing);
  reopen();
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
  const Subject bob = tenant_->subject(SubjectId("bob")).value();
  EXPECT_EQ(text_of(activity().get(bob, RecordName("a"))), "y");
  // Somebody of the same id is a stranger to the old ciphertext.
  const Subject again = enrol("alice");
  EXPECT_EQ(text_of(activity().get(again, RecordName("a"))), "absent");
}

TEST_F(Opening, ADatabaseOfANewerFormat) {
  // The format stands in clear at its place in the header value of the records.
  const auto raise = [&](const fs::path& file, std::string_view magic) {
    const std::string bytes = file_content(file);
    std::fstream io(file, std::ios::binary | std::ios::in | std::ios::out);
    for (std::size_t at = bytes.find(magic); at != std::string::npos;
         at = bytes.find(magic, at + 1)) {
      io.clear();
      io.seekp(static_cast<std::streamoff>(at + magic.size()));
      io.put(2);
    }
  };
  EXPECT_EQ(after([&] { raise(region_dir() / "records" / "data.mdb", "EFRECRDS"); }),
            Errc::format_new);
  EXPECT_EQ(after([&] { raise(region_dir() / "keyring" / "data.mdb", "EFKEYRNG"); }),
            Errc::format_new);
}

TEST_F(Opening, AllFilesAreForTheOwnerAlone) {
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("a"), as_bytes("x")));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(home_.path())) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077u, 0u);
    ++files;
  }
  EXPECT_GT(files, 8u);
}

TEST_F(Opening, WithVerifiedStructureAnswersTheSame) {
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("a"), as_bytes("x")));
  close();
  OpenOptions careful = options();
  careful.verify_structure = true;
  const auto store = Store::open(careful);
  ASSERT_TRUE(store);
  const Tenant tenant = store->tenant("acme", Actor("test")).value();
  const Activity ratings = tenant.activity(tenant.purpose("ratings").value()).value();
  EXPECT_EQ(text_of(ratings.get(tenant.subject(SubjectId("alice")).value(), RecordName("a"))), "x");
}

TEST_F(Opening, ARegionMayLieElsewhere) {
  auto keys = FileRootKeyStore::create(root_key_options(home_ / "far.key")).value();
  OpenOptions far = options();
  far.directory = home_ / "far";
  far.regions = {{"eu", keys.get(), home_ / "volume"}};
  ASSERT_TRUE(Store::create(far));
  EXPECT_TRUE(fs::exists(home_ / "volume" / "keyring"));
  EXPECT_FALSE(fs::exists(home_ / "far" / "eu"));
  far.regions[0].directory.clear();
  EXPECT_TRUE(Store::open(far));
  EXPECT_EQ(Store::region_names(far.directory).value(), std::vector<std::string>{"eu"});
}

TEST_F(Opening, NoPlaintextIdOrNameStandsInAnyFile) {
  const std::string canary = "canary-4f1d";
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(activity().put(SubjectId(canary + "-id-" + std::to_string(i)), region(),
                               RecordName(canary + "-name"), as_bytes(canary + "-value")));
  close();
  root_keys_.reset();
  for (const auto& entry : fs::recursive_directory_iterator(home_.path())) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = file_content(entry.path());
    EXPECT_EQ(bytes.find(canary), std::string::npos);
    EXPECT_EQ(entry.path().string().find(canary), std::string::npos);
  }
}

TEST_F(Opening, AFullMapStillErases) {
  close();
  OpenOptions small = options();
  small.map_bytes_max = 24 << 20;
  auto keys = FileRootKeyStore::create(root_key_options(home_ / "small.key")).value();
  small.directory = home_ / "small";
  small.regions = {{"eu", keys.get(), {}}};
  const auto store = Store::create(small);
  ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
  const Region regions[] = {store->region("eu").value()};
  const Tenant tenant = store->declare_tenant("acme", regions, Actor("test")).value();
  PurposeTerms terms;
  terms.name = "p";
  terms.compress = false;
  const Activity activity = tenant.activity(tenant.declare_purpose(terms).value()).value();
  const std::string value(100'000, 'v');
  std::optional<Errc> refused;
  int written = 0;
  for (; written < 1000 && !refused; ++written)
    refused = code_of(activity.put(SubjectId("p" + std::to_string(written)), regions[0],
                                   RecordName("a"), as_bytes(value)));
  EXPECT_EQ(refused, Errc::full);
  EXPECT_GT(written, 50);
  const SubjectId ids[] = {SubjectId("p3"), SubjectId("p4")};
  const auto erased = tenant.erase(ids);
  ASSERT_TRUE(erased) << name(erased.error().code()) << ": " << erased.error().note();
  EXPECT_EQ(erased->erased, 2u);
  ASSERT_TRUE(store->maintain());
  EXPECT_EQ(text_of(activity.get(tenant.subject(SubjectId("p5")).value(), RecordName("a"))).size(),
            value.size());
}

}  // namespace
}  // namespace efface::test
