#include "efface/file_root_key_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "crypto/prf.h"
#include "efface/limits.h"
#include "keyring/root_key_file.h"
#include "support/temp_directory.h"

namespace efface {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Root = std::array<std::byte, 32>;

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

Anchor anchor_of(Epoch epoch) {
  Anchor anchor;
  anchor.epoch = epoch;
  anchor.root_hash.fill(static_cast<std::byte>(epoch));
  anchor.ledger_entries = 10 * epoch;
  anchor.ledger_hash.fill(static_cast<std::byte>(epoch + 1));
  return anchor;
}

Root some_root() {
  Root root;
  root.fill(std::byte{0x5a});
  return root;
}

class FileRootKeyStoreTest : public testing::Test {
 protected:
  FileRootKeyStoreTest() { test::system_calls().reset(); }
  ~FileRootKeyStoreTest() override { test::system_calls().reset(); }

  FileRootKeyStoreOptions options() const { return {.path = path()}; }
  FileRootKeyStoreOptions options(std::string_view passphrase) const {
    return {.path = path(),
            .passphrase = as_bytes(passphrase),
            .passphrase_memory_kib = 8,
            .passphrase_passes = 1};
  }
  std::filesystem::path path() const { return directory_ / "root.key"; }

  std::unique_ptr<FileRootKeyStore> make(const FileRootKeyStoreOptions& with) {
    Result<std::unique_ptr<FileRootKeyStore>> made = FileRootKeyStore::create(with);
    EXPECT_EQ(code_of(made), Errc{});
    return made ? std::move(*made) : nullptr;
  }
  std::unique_ptr<FileRootKeyStore> make() { return make(options()); }
  std::unique_ptr<FileRootKeyStore> reopen(const FileRootKeyStoreOptions& with) {
    Result<std::unique_ptr<FileRootKeyStore>> opened = FileRootKeyStore::open(with);
    EXPECT_EQ(code_of(opened), Errc{});
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<FileRootKeyStore> reopen() { return reopen(options()); }

  Errc open_code() const { return code_of(FileRootKeyStore::open(options())); }

  test::TempDirectory directory_{"root"};
};
using FileRootKeyStoreFile = FileRootKeyStoreTest;
using FileRootKeyStorePath = FileRootKeyStoreTest;
using FileRootKeyStorePassphrase = FileRootKeyStoreTest;
using FileRootKeyStoreEpochs = FileRootKeyStoreTest;
using FileRootKeyStoreWraps = FileRootKeyStoreTest;

bool unwraps(RootKeyStore& store, Epoch epoch, Bytes wrapped) {
  Root out{};
  return store.unwrap(epoch, as_bytes("region"), wrapped, out) && out == some_root();
}

std::vector<std::byte> wrapped_by(RootKeyStore& store, Epoch epoch) {
  Result<std::vector<std::byte>> wrapped = store.wrap(epoch, as_bytes("region"), some_root());
  EXPECT_EQ(code_of(wrapped), Errc{});
  return wrapped ? *wrapped : std::vector<std::byte>();
}

TEST(AssuranceLevel, IsNamedByItsNumber) {
  EXPECT_STREQ(name(AssuranceLevel::l0_logical), "L0");
  EXPECT_STREQ(name(AssuranceLevel::l1_overwritten), "L1");
  EXPECT_STREQ(name(AssuranceLevel::l2_overwrite_verified), "L2");
  EXPECT_STREQ(name(AssuranceLevel::l3_token), "L3");
  EXPECT_STREQ(name(AssuranceLevel::l4_composite), "L4");
}

// Epochs and the anchor.

TEST_F(FileRootKeyStoreEpochs, BeginWithNoneAndAnUnusedAnchor) {
  const auto store = make();
  EXPECT_THAT(*store->list(), IsEmpty());
  EXPECT_EQ(*store->anchor(), Anchor());
}

TEST_F(FileRootKeyStoreEpochs, AreAtMostTwo) {
  const auto store = make();
  EXPECT_TRUE(store->create(1, anchor_of(1)));
  EXPECT_TRUE(store->create(2, anchor_of(2)));
  EXPECT_EQ(code_of(store->create(3, anchor_of(3))), Errc::exists);
  EXPECT_EQ(code_of(store->rotate(9, 10, anchor_of(10))), Errc::exists);
  EXPECT_THAT(*store->list(), ElementsAre(1, 2));
}

TEST_F(FileRootKeyStoreEpochs, OutliveTheStoreWithTheirKeys) {
  auto store = make();
  const RootKeyStore::StoreId id = store->id();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  ASSERT_TRUE(store->rotate(1, 3, anchor_of(3)));
  const std::vector<std::byte> under_2 = wrapped_by(*store, 2);
  const std::vector<std::byte> under_3 = wrapped_by(*store, 3);
  store.reset();
  store = reopen();
  EXPECT_EQ(store->id(), id);
  EXPECT_THAT(*store->list(), ElementsAre(2, 3));
  EXPECT_TRUE(unwraps(*store, 2, under_2));
  EXPECT_TRUE(unwraps(*store, 3, under_3));
  EXPECT_FALSE(unwraps(*store, 2, under_3));
}

TEST_F(FileRootKeyStoreEpochs, NeverReturn) {
  auto store = make();
  EXPECT_EQ(code_of(store->create(0, {})), Errc::invalid_argument);
  ASSERT_TRUE(store->create(5, anchor_of(5)));
  EXPECT_EQ(code_of(store->create(4, anchor_of(4))), Errc::exists);
  EXPECT_EQ(code_of(store->create(5, anchor_of(5))), Errc::exists);
  EXPECT_EQ(code_of(store->rotate(5, 5, anchor_of(5))), Errc::exists);
  EXPECT_EQ(code_of(store->rotate(5, 3, anchor_of(3))), Errc::exists);
  EXPECT_THAT(*store->list(), ElementsAre(5));

  ASSERT_TRUE(store->destroy(5));
  store.reset();
  store = reopen();
  EXPECT_EQ(code_of(store->create(5, anchor_of(5))), Errc::exists);
  EXPECT_EQ(code_of(store->rotate(5, 5, anchor_of(5))), Errc::exists);
  EXPECT_TRUE(store->create(6, anchor_of(6)));
}

// Both slots know the highest epoch, so that the loss of either does not bring a number back.
TEST_F(FileRootKeyStoreEpochs, NeverReturnAfterEitherEmptySlotIsTorn) {
  auto store = make();
  ASSERT_TRUE(store->create(5, anchor_of(5)));
  ASSERT_TRUE(store->rotate(5, 7, anchor_of(7)));
  ASSERT_TRUE(store->destroy(7));
  store.reset();
  const test::RawFile whole = test::read_raw(path());
  for (const std::size_t torn : {0u, 1u}) {
    test::RawFile bytes = whole;
    test::slot_in(bytes, torn)[200] ^= std::byte{1};
    test::write_raw(path(), bytes);
    store = reopen();
    EXPECT_EQ(code_of(store->create(7, anchor_of(7))), Errc::exists);
    EXPECT_EQ(*store->anchor(), anchor_of(7));
    store.reset();
  }
}

TEST_F(FileRootKeyStoreEpochs, NotHeldAreNoErrorToDestroy) {
  const auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  EXPECT_TRUE(store->destroy(8));
  EXPECT_TRUE(store->rotate(8, 2, anchor_of(2)));
  EXPECT_THAT(*store->list(), ElementsAre(1, 2));
}

TEST_F(FileRootKeyStoreEpochs, AreGoneOnceDestroyed) {
  const auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  const std::vector<std::byte> under_1 = wrapped_by(*store, 1);
  const std::vector<std::byte> under_2 = wrapped_by(*store, 2);
  ASSERT_TRUE(store->rotate(1, 3, anchor_of(3)));
  ASSERT_TRUE(store->destroy(2));
  EXPECT_THAT(*store->list(), ElementsAre(3));
  Root out{};
  EXPECT_EQ(code_of(store->unwrap(1, as_bytes("region"), under_1, out)), Errc::root_key_missing);
  EXPECT_EQ(code_of(store->unwrap(2, as_bytes("region"), under_2, out)), Errc::root_key_missing);
  EXPECT_EQ(code_of(store->wrap(1, as_bytes("region"), some_root())), Errc::root_key_missing);
  EXPECT_EQ(out, Root());
}

TEST_F(FileRootKeyStoreEpochs, CarryTheNewestAnchor) {
  auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  EXPECT_EQ(*store->anchor(), anchor_of(2));
  ASSERT_TRUE(store->rotate(1, 3, anchor_of(3)));
  EXPECT_EQ(*store->anchor(), anchor_of(3));
  store.reset();
  store = reopen();
  EXPECT_EQ(*store->anchor(), anchor_of(3));
  ASSERT_TRUE(store->destroy(3));
  EXPECT_EQ(*store->anchor(), anchor_of(3));
  ASSERT_TRUE(store->destroy(2));
  store.reset();
  store = reopen();
  EXPECT_EQ(*store->anchor(), anchor_of(3));
}

// What a wrapped key is bound to.

TEST_F(FileRootKeyStoreWraps, OpenOnlyInTheirContextAndEpoch) {
  const auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  const std::vector<std::byte> wrapped = wrapped_by(*store, 1);
  EXPECT_LE(wrapped.size(), RootKeyStore::wrapped_bytes_max);
  EXPECT_TRUE(unwraps(*store, 1, wrapped));
  Root out{};
  EXPECT_EQ(code_of(store->unwrap(1, as_bytes("regio"), wrapped, out)), Errc::corruption);
  EXPECT_EQ(code_of(store->unwrap(1, {}, wrapped, out)), Errc::corruption);
  EXPECT_EQ(code_of(store->unwrap(2, as_bytes("region"), wrapped, out)), Errc::corruption);
  EXPECT_EQ(out, Root());
}

TEST_F(FileRootKeyStoreWraps, AreCorruptWithAnyByteChanged) {
  const auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  const std::vector<std::byte> wrapped = wrapped_by(*store, 1);
  Root out{};
  for (std::size_t at = 0; at < wrapped.size(); ++at) {
    std::vector<std::byte> changed = wrapped;
    changed[at] ^= std::byte{0x80};
    ASSERT_EQ(code_of(store->unwrap(1, as_bytes("region"), changed, out)), Errc::corruption);
  }
  EXPECT_EQ(code_of(store->unwrap(1, as_bytes("region"), {}, out)), Errc::corruption);
  EXPECT_EQ(out, Root());
}

TEST_F(FileRootKeyStoreWraps, DoNotOpenInTheChildOfAFork) {
  const auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  const std::vector<std::byte> wrapped = wrapped_by(*store, 1);
  const pid_t child = fork();
  if (child == 0) {
    Root out{};
    const bool refused =
        code_of(store->unwrap(1, as_bytes("region"), wrapped, out)) == Errc::forked &&
        code_of(store->wrap(1, as_bytes("region"), some_root())) == Errc::forked &&
        code_of(store->rotate(1, 2, anchor_of(2))) == Errc::forked &&
        code_of(store->destroy(1)) == Errc::forked && code_of(store->list()) == Errc::forked;
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(unwraps(*store, 1, wrapped));
}

// The file.

TEST_F(FileRootKeyStoreFile, HoldsNoByteOfAKeyOnceItIsDestroyed) {
  auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  const test::RawFile before = test::read_raw(path());
  const std::vector<std::byte> key_1 = test::key_in(before, 0);
  const std::vector<std::byte> key_2 = test::key_in(before, 1);
  ASSERT_TRUE(store->rotate(1, 3, anchor_of(3)));
  const auto holds_window_of = [&](const std::vector<std::byte>& key) {
    const test::RawFile now = test::read_raw(path());
    for (std::size_t at = 0; at + 8 <= key.size(); ++at)
      if (test::holds(now, Bytes(key).subspan(at, 8))) return true;
    return false;
  };
  EXPECT_FALSE(holds_window_of(key_1));
  EXPECT_TRUE(holds_window_of(key_2));
  ASSERT_TRUE(store->destroy(2));
  EXPECT_FALSE(holds_window_of(key_2));
}

TEST_F(FileRootKeyStoreFile, StaysTheSameFileThroughAThousandRotations) {
  const auto store = make();
  struct stat before{};
  ASSERT_EQ(stat(path().c_str(), &before), 0);
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  for (Epoch epoch = 1; epoch <= 1000; ++epoch)
    ASSERT_TRUE(store->rotate(epoch, epoch + 2, anchor_of(epoch + 2)));
  struct stat after{};
  ASSERT_EQ(stat(path().c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(before.st_size, after.st_size);
  EXPECT_EQ(before.st_blocks, after.st_blocks);
  EXPECT_EQ(after.st_size, 16384);
  EXPECT_THAT(*store->list(), ElementsAre(1001, 1002));
}

// A medium that tears sectors: some first bytes of the new slot, the rest of the old one.
TEST_F(FileRootKeyStoreFile, WithATornSlotOpensWithTheOtherEpoch) {
  auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  const std::vector<std::byte> under_2 = wrapped_by(*store, 2);
  test::RawFile before = test::read_raw(path());
  ASSERT_TRUE(store->rotate(1, 3, anchor_of(3)));
  store.reset();
  test::RawFile after = test::read_raw(path());
  std::size_t torn_opens = 0;
  for (std::size_t cut = 0; cut <= 512; ++cut) {
    test::RawFile torn = before;
    std::ranges::copy(test::slot_in(after, 0).first(cut), test::slot_in(torn, 0).begin());
    test::write_raw(path(), torn);
    const bool whole = torn == before || torn == after;
    store = reopen();
    ASSERT_NE(store, nullptr) << "cut at " << cut;
    ASSERT_TRUE(unwraps(*store, 2, under_2)) << "cut at " << cut;
    ASSERT_EQ(store->list()->size(), whole ? 2u : 1u) << "cut at " << cut;
    store.reset();
    if (whole) continue;
    ++torn_opens;
    // What was left of either key is destroyed, and the sector is a slot again.
    const test::RawFile mended = test::read_raw(path());
    ASSERT_FALSE(test::holds(mended, Bytes(test::key_in(before, 0)).first(4))) << cut;
    ASSERT_FALSE(test::holds(mended, Bytes(test::key_in(after, 0)).first(4))) << cut;
    store = reopen();
    ASSERT_TRUE(store->create(3, anchor_of(3))) << "cut at " << cut;
    store.reset();
  }
  EXPECT_GT(torn_opens, 400u);
}

TEST_F(FileRootKeyStoreFile, WithBothSlotsTornIsCorruptAndLeftAlone) {
  make();
  test::RawFile bytes = test::read_raw(path());
  for (const std::size_t slot : {0u, 1u}) test::slot_in(bytes, slot)[300] ^= std::byte{1};
  test::write_raw(path(), bytes);
  EXPECT_EQ(open_code(), Errc::corruption);
  EXPECT_TRUE(test::read_raw(path()) == bytes);
}

// Slot B's bytes, and slot A's of another store: neither brings a key to slot A.
TEST_F(FileRootKeyStoreFile, DoesNotTakeASlotFromAnotherPlaceOrFile) {
  auto store = make();
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  store.reset();
  const test::RawFile whole = test::read_raw(path());
  test::RawFile from_b = whole;
  std::ranges::copy(test::slot_in(from_b, 1), test::slot_in(from_b, 0).begin());
  test::write_raw(path(), from_b);
  EXPECT_THAT(*reopen()->list(), ElementsAre(2));

  FileRootKeyStoreOptions other{.path = directory_ / "other.key"};
  ASSERT_TRUE(make(other)->create(4, anchor_of(4)));
  test::RawFile foreign = whole;
  test::RawFile source = test::read_raw(other.path);
  std::ranges::copy(test::slot_in(source, 0), test::slot_in(foreign, 0).begin());
  test::write_raw(path(), foreign);
  EXPECT_THAT(*reopen()->list(), ElementsAre(2));
}

TEST_F(FileRootKeyStoreFile, IsCorruptWhenItIsNotOne) {
  test::write_raw(path(), test::RawFile());
  EXPECT_EQ(open_code(), Errc::corruption);
  test::write_raw(path(), test::RawFile(16384, std::byte{0x7e}));
  EXPECT_EQ(open_code(), Errc::corruption);
  std::filesystem::remove(path());
  make();
  const test::RawFile whole = test::read_raw(path());
  test::RawFile bytes = whole;
  bytes.push_back(std::byte{0});
  test::write_raw(path(), bytes);
  EXPECT_EQ(open_code(), Errc::corruption);
  bytes = whole;
  bytes[20] ^= std::byte{1};
  test::write_raw(path(), bytes);
  EXPECT_EQ(open_code(), Errc::corruption);
}

TEST_F(FileRootKeyStoreFile, OfALaterVersionIsRefused) {
  make();
  test::RawFile bytes = test::read_raw(path());
  bytes[8] = std::byte{2};
  test::write_raw(path(), bytes);
  EXPECT_EQ(open_code(), Errc::format_new);
}

TEST_F(FileRootKeyStoreFile, IsBusyWhileAnotherHasIt) {
  auto store = make();
  EXPECT_EQ(open_code(), Errc::busy);
  store.reset();
  store = reopen();
  const pid_t child = fork();
  if (child == 0) _exit(open_code() == Errc::busy ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  store.reset();
  EXPECT_EQ(open_code(), Errc{});
}

TEST_F(FileRootKeyStoreFile, IsNotMadeOverAnother) {
  make();
  const test::RawFile before = test::read_raw(path());
  EXPECT_EQ(code_of(FileRootKeyStore::create(options())), Errc::exists);
  EXPECT_TRUE(test::read_raw(path()) == before);
}

// The path.

TEST_F(FileRootKeyStorePath, WithoutAFileHasNoRootKey) {
  EXPECT_EQ(open_code(), Errc::root_key_missing);
  const FileRootKeyStoreOptions nowhere{.path = directory_ / "no" / "root.key"};
  EXPECT_EQ(code_of(FileRootKeyStore::open(nowhere)), Errc::root_key_missing);
  EXPECT_EQ(code_of(FileRootKeyStore::create(nowhere)), Errc::root_key_missing);
  for (const auto& unnamed : {std::filesystem::path(), directory_.path() / ""}) {
    EXPECT_EQ(code_of(FileRootKeyStore::create({.path = unnamed})), Errc::invalid_argument);
    EXPECT_EQ(code_of(FileRootKeyStore::open({.path = unnamed})), Errc::invalid_argument);
  }
}

TEST_F(FileRootKeyStorePath, ToASymlinkIsUnsafe) {
  make();
  std::filesystem::rename(path(), directory_ / "real.key");
  std::filesystem::create_symlink("real.key", path());
  EXPECT_EQ(open_code(), Errc::unsafe_path);
}

TEST_F(FileRootKeyStorePath, WithASecondHardLinkIsUnsafe) {
  make();
  std::filesystem::create_hard_link(path(), directory_ / "second.key");
  EXPECT_EQ(open_code(), Errc::unsafe_path);
}

TEST_F(FileRootKeyStorePath, ThatOthersMayReadIsUnsafe) {
  make();
  for (const mode_t mode : {0640u, 0604u, 0620u, 0610u}) {
    ASSERT_EQ(chmod(path().c_str(), mode), 0);
    EXPECT_EQ(open_code(), Errc::unsafe_path);
  }
  ASSERT_EQ(chmod(path().c_str(), 0600), 0);
  EXPECT_EQ(open_code(), Errc{});
}

TEST_F(FileRootKeyStorePath, OfAnotherOwnerIsUnsafe) {
  make();
  for (const mode_t type : {mode_t{S_IFREG}, mode_t{S_IFDIR}}) {
    test::system_calls().foreign_type = type;
    EXPECT_EQ(open_code(), Errc::unsafe_path);
  }
  test::system_calls().reset();
  EXPECT_EQ(open_code(), Errc{});
}

TEST_F(FileRootKeyStorePath, MayLieWhereOthersReadButNotWhereTheyWrite) {
  make();
  const std::filesystem::path above = directory_ / "above";
  const FileRootKeyStoreOptions below{.path = above / "below" / "root.key"};
  std::filesystem::create_directories(above / "below");
  const auto create_code = [&] {
    const Errc code = code_of(FileRootKeyStore::create(below));
    std::filesystem::remove(below.path);
    return code;
  };
  const auto set_mode = [](const std::filesystem::path& directory, mode_t mode) {
    ASSERT_EQ(chmod(directory.c_str(), mode), 0);
  };
  set_mode(above, 0755);
  for (const mode_t mode : {0700u, 0755u, 01777u}) {
    set_mode(above / "below", mode);
    EXPECT_EQ(create_code(), Errc{});
  }
  for (const mode_t mode : {0770u, 0777u, 0722u}) {
    set_mode(above / "below", mode);
    EXPECT_EQ(create_code(), Errc::unsafe_path);
  }
  set_mode(above / "below", 0700);
  set_mode(above, 0777);
  EXPECT_EQ(create_code(), Errc::unsafe_path);
}

TEST_F(FileRootKeyStorePath, LiesWithinItsDirectoriesOnly) {
  std::filesystem::create_directories(directory_ / "keys");
  std::filesystem::create_directories(directory_ / "data");
  std::filesystem::create_directory_symlink("keys", directory_ / "link");
  const auto store = make({.path = directory_ / "link" / "root.key"});
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(*store->lies_within(directory_.path()));
  EXPECT_TRUE(*store->lies_within(directory_ / "keys"));
  EXPECT_TRUE(*store->lies_within(directory_ / "link"));
  EXPECT_FALSE(*store->lies_within(directory_ / "data"));
  EXPECT_FALSE(*store->lies_within(directory_ / "not there"));
}

// The passphrase.

TEST_F(FileRootKeyStorePassphrase, OpensItsFileAndNothingElseDoes) {
  auto store = make(options("correct horse"));
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  const std::vector<std::byte> wrapped = wrapped_by(*store, 1);
  store.reset();
  EXPECT_EQ(code_of(FileRootKeyStore::open(options("correct hors"))), Errc::passphrase_wrong);
  EXPECT_EQ(code_of(FileRootKeyStore::open(options())), Errc::passphrase_wrong);
  store = reopen(options("correct horse"));
  EXPECT_TRUE(unwraps(*store, 1, wrapped));
  EXPECT_EQ(*store->anchor(), anchor_of(1));
}

TEST_F(FileRootKeyStorePassphrase, IsNotTakenByAFileWithoutOne) {
  make();
  EXPECT_EQ(code_of(FileRootKeyStore::open(options("correct horse"))), Errc::passphrase_wrong);
}

TEST_F(FileRootKeyStorePassphrase, KeepsEveryKeyOutOfTheFile) {
  auto store = make(options("correct horse"));
  ASSERT_TRUE(store->create(1, anchor_of(1)));
  ASSERT_TRUE(store->create(2, anchor_of(2)));
  store.reset();
  const test::RawFile file = test::read_raw(path());
  const auto header_sector = std::span(file).first<512>();
  const Result<keyring::RootHeader> header = keyring::decode_header(header_sector);
  ASSERT_TRUE(header && header->passphrase);
  const Result<crypto::SecretKey> derived = crypto::key_from_passphrase(
      as_bytes("correct horse"), header->passphrase->salt, header->passphrase->cost);
  ASSERT_TRUE(derived);
  const crypto::SecretKey seal = keyring::derive_seal_key(*derived, header->store_id);
  EXPECT_FALSE(test::holds(file, derived->bytes()));
  EXPECT_FALSE(test::holds(file, seal.bytes()));
  for (const std::uint8_t index : {std::uint8_t{0}, std::uint8_t{1}}) {
    const auto sector =
        std::span<const std::byte, 512>(file.data() + keyring::root_slot_offset(index), 512);
    const Result<std::optional<keyring::RootSlot>> slot =
        keyring::decode_slot(sector, {header->store_id, seal, index});
    ASSERT_TRUE(slot && *slot && (*slot)->live());
    EXPECT_FALSE(test::holds(file, (*slot)->key.bytes()));
  }
}

// Somebody lowers the cost, to make guessing cheap, and repairs the checksum.
TEST_F(FileRootKeyStorePassphrase, RefusesALoweredCost) {
  FileRootKeyStoreOptions strong = options("correct horse");
  strong.passphrase_passes = 2;
  make(strong);
  test::RawFile bytes = test::read_raw(path());
  ASSERT_EQ(bytes[48], std::byte{2});
  bytes[48] = std::byte{1};
  const Id16 sum = crypto::hash128({as_bytes("efface.root.header"), std::span(bytes).first<496>()});
  std::ranges::copy(sum, bytes.begin() + 496);
  test::write_raw(path(), bytes);
  EXPECT_EQ(code_of(FileRootKeyStore::open(strong)), Errc::passphrase_wrong);

  bytes[55] = std::byte{0x7f};  // Memory of half a terabyte and more.
  const Id16 huge_sum =
      crypto::hash128({as_bytes("efface.root.header"), std::span(bytes).first<496>()});
  std::ranges::copy(huge_sum, bytes.begin() + 496);
  test::write_raw(path(), bytes);
  EXPECT_EQ(code_of(FileRootKeyStore::open(strong)), Errc::corruption);
}

TEST_F(FileRootKeyStorePassphrase, HasLimits) {
  const std::string longest(limits::passphrase_bytes_max, 'x');
  EXPECT_EQ(code_of(FileRootKeyStore::create(options(longest + 'x'))), Errc::too_large);
  EXPECT_EQ(code_of(FileRootKeyStore::open(options(longest + 'x'))), Errc::too_large);
  FileRootKeyStoreOptions weak = options("correct horse");
  weak.passphrase_memory_kib = 1;
  EXPECT_EQ(code_of(FileRootKeyStore::create(weak)), Errc::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(code_of(FileRootKeyStore::create(options(longest))), Errc{});
}

}  // namespace
}  // namespace efface
