// Capsules as streams: what ends their writing, and what is not brought back.
#include <fstream>

#include "keyring/capsule.h"
#include "keyring/keyring_fixture.h"
#include "ledger/note.h"

namespace efface::keyring::test {
namespace {

namespace fs = std::filesystem;
using Stream = std::vector<std::byte>;
using efface::test::RootKeysOver;

constexpr std::uint32_t last_day = 20'000;

class CapsuleStream : public KeyringTest {
 protected:
  void SetUp() override {
    KeyringTest::SetUp();
    options_.ledger_copy = std::make_shared<LedgerCopy>(copy());
    open();
    acme_ = add_tenant("acme");
    enrol(acme_, {&her_, 1});
    verifier_ = ledger::verifier_key(ledger::origin_of(options_.region),
                                     keyring_->signing_key()->verifying_key());
    signing_ = crypto::SigningKey::of(keyring_->signing_key()->seed().clone());
  }
  void TearDown() override { keyring_.reset(); }

  os::Directory home() const { return os::Directory::open(home_.path()).value(); }
  LedgerCopy copy() const { return LedgerCopy::open(home(), "ledger", options_.region).value(); }

  Status write(CapsuleSink sink) {
    ledger::Entry decision;
    decision.kind = ledger::Kind::capsule_made;
    decision.day = last_day;
    return keyring_->write_capsule(last_day, decision, sink);
  }
  Stream written() {
    Stream all;
    EXPECT_TRUE(write([&](Bytes piece) -> Status {
      all.insert(all.end(), piece.begin(), piece.end());
      return {};
    }));
    return all;
  }
  // Signed by the region, with whatever is added.
  Stream crafted(const std::function<void(CapsuleWriter&)>& add) {
    Stream all;
    const auto sink = [&](Bytes piece) -> Status {
      all.insert(all.end(), piece.begin(), piece.end());
      return {};
    };
    CapsuleWriter writer(sink);
    EXPECT_TRUE(writer.begin({last_day, options_.region, crypto::random_id(), 1, 65'536, 1,
                              crypto::SecretKey::random()}));
    add(writer);
    EXPECT_TRUE(writer.finish(options_.region, *signing_));
    return all;
  }
  // The first piece has the head.
  Status bring_back(const Stream& capsule, std::uint32_t today = last_day) {
    const auto stream = [&](CapsuleSink sink) -> Status {
      Bytes rest = capsule;
      for (std::size_t n = 200; !rest.empty(); n = 1000) {
        const Bytes piece = rest.first(std::min(n, rest.size()));
        EFFACE_TRY(sink(piece));
        rest = rest.subspan(piece.size());
      }
      return {};
    };
    keyring_.reset();
    return Keyring::bring_back(home(), "keyring", options_, {verifier_, today, stream});
  }
  void lose() {
    keyring_.reset();
    fs::remove_all(home_ / "keyring");
  }
  // One that knows no keyring.
  void lose_the_root_keys() {
    lose();
    options_.root_keys = &fresh_;
  }
  void expect_back() {
    options_.restoring = true;
    open();
    EXPECT_TRUE(known(acme_, her_));
    options_.restoring = false;
  }
  static void damage(const fs::path& data) {
    std::fstream file(data, std::ios::binary | std::ios::in | std::ios::out);
    file << std::string(8192, '\x5a');
  }

  TenantRef acme_;
  Tag her_ = crypto::random_id();
  std::string verifier_;
  std::optional<crypto::SigningKey> signing_;
  MemoryRootKeyStore fresh_;
};

TEST_F(CapsuleStream, EndsWithWhateverItsSinkAnswers) {
  std::size_t calls = 0;
  std::size_t fails_at = 0;
  const auto sink = [&](Bytes) -> Status {
    if (++calls == fails_at) return Error(Errc::no_space, "told to fail");
    return {};
  };
  ASSERT_TRUE(write(sink));
  const std::size_t first = calls;
  ASSERT_GT(first, 20u);
  std::size_t made = 1;
  const auto fail_at = [&](std::size_t at) {
    calls = 0;
    fails_at = at;
    EXPECT_EQ(said(write(sink)), "no_space") << at;
    EXPECT_EQ(calls, at);
    ++made;
  };
  for (std::size_t at = 1; at <= first; ++at) fail_at(at);
  // Each has an entry of the ledger more than the one before: three calls.
  for (std::size_t back = 0; back < 3; ++back) fail_at(first + 3 * made - back);
}

TEST_F(CapsuleStream, IsBroughtBackWhereTheKeyringIsLost) {
  const Stream capsule = written();
  EXPECT_EQ(said(bring_back(capsule)), "exists");
  lose();
  EXPECT_EQ(said(bring_back(capsule, last_day + 1)), "expired");
  ASSERT_EQ(said(bring_back(capsule)), "");
  expect_back();
}

TEST_F(CapsuleStream, WithWhatItMayNotHaveIsRefused) {
  const Stream whole = written();
  lose();
  const auto text = [](std::string_view t) { return as_bytes(t); };
  EXPECT_EQ(said(bring_back(crafted([&](CapsuleWriter& writer) {
              EXPECT_TRUE(writer.add(root_record_key, text("a record")));
            }))),
            "corruption");
  EXPECT_EQ(said(bring_back(crafted([&](CapsuleWriter& writer) {
              EXPECT_TRUE(writer.add(text("b"), text("1")));
              EXPECT_TRUE(writer.add(text("a"), text("2")));
            }))),
            "corruption");
  EXPECT_EQ(said(bring_back({})), "corruption");
  EXPECT_EQ(said(bring_back(Stream(200))), "corruption");
  Stream longer = whole;
  longer.resize(longer.size() + 8192);
  EXPECT_EQ(said(bring_back(longer)), "corruption");
  Stream newer = whole;
  newer[8] = std::byte{9};
  EXPECT_EQ(said(bring_back(newer)), "format_new");
  for (const std::size_t at : {std::size_t{8}, std::size_t{10}, std::size_t{68}}) {
    Stream other = whole;
    other[at] = at == 8 ? std::byte{0} : std::byte{1};
    EXPECT_EQ(said(bring_back(other)), "corruption") << at;
  }
  const Id16 region = options_.region;
  options_.region = crypto::random_id();
  options_.ledger_copy.reset();
  EXPECT_EQ(said(bring_back(whole)), "region_mismatch");
  options_.region = region;
  EXPECT_FALSE(fs::exists(home_ / "keyring"));
}

TEST_F(CapsuleStream, SignedByAnotherRegionIsRefused) {
  const Stream whole = written();
  const auto finish = [&](const Id16& region) {
    CapsuleReader reader;
    EXPECT_TRUE(reader.begin(whole));
    EXPECT_TRUE(reader.feed(Bytes(whole).subspan(CapsuleHead::bytes),
                            [](Bytes, Bytes) -> Status { return {}; }));
    return reader.finish(region, verifier_);
  };
  EXPECT_EQ(said(finish(options_.region)), "");
  EXPECT_EQ(said(finish(crypto::random_id())), "region_mismatch");
}

TEST_F(CapsuleStream, NeedsACopyOfTheLedgerWhereTheRootKeysRememberNothing) {
  const Stream capsule = written();
  const Stream empty = crafted([](CapsuleWriter&) {});
  lose_the_root_keys();
  EXPECT_EQ(said(bring_back(empty)), "corruption");  // It has no ledger.
  auto kept = std::exchange(options_.ledger_copy, nullptr);
  EXPECT_EQ(said(bring_back(capsule)), "keyring_stale");
  options_.ledger_copy = std::move(kept);
  fs::copy_file(home_ / "ledger", home_ / "whole");
  // The last frame is of another history; and then it is not there.
  const std::uint64_t size = *copy().size();
  for (const bool there : {true, false}) {
    std::uint64_t last = LedgerCopy::header_bytes;
    while ((**copy().read(last)).end < size) last = (**copy().read(last)).end;
    std::vector<std::byte> frame;
    add_frame(frame, crypto::random_id(), (**copy().read(last)).entry);
    ASSERT_TRUE(there ? copy().write(last, frame) : copy().cut(last));
    EXPECT_EQ(said(bring_back(capsule)), "keyring_stale");
  }
  fs::copy_file(home_ / "whole", home_ / "ledger", fs::copy_options::overwrite_existing);
  ASSERT_EQ(said(bring_back(capsule)), "");
  expect_back();
}

// Refuses what it is told to.
class Refusing final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  enum class What : std::uint8_t { nothing, anchor, list, create, wrap } what = What::nothing;
  int seen = 0;  // So many epochs that it is asked for it has seen already.

  Result<Anchor> anchor() override {
    if (what == What::anchor) return refused();
    return RootKeysOver::anchor();
  }
  Result<std::vector<Epoch>> list() override {
    if (what == What::list) return refused();
    return RootKeysOver::list();
  }
  Status create(Epoch epoch, const Anchor& anchor) override {
    if (what == What::create) return refused();
    if (seen > 0 && seen-- > 0) return Error(Errc::exists, "told to have seen it");
    return RootKeysOver::create(epoch, anchor);
  }
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    if (what == What::wrap) return refused();
    return RootKeysOver::wrap(epoch, context, key);
  }

 private:
  static Error refused() { return {Errc::token_unavailable, "told to fail"}; }
};

TEST_F(CapsuleStream, IsNotBroughtBackBeneathARootKeyStoreThatRefuses) {
  const Stream capsule = written();
  lose();
  Refusing refusing(std::shared_ptr<RootKeyStore>(&fresh_, [](RootKeyStore*) {}));
  options_.root_keys = &refusing;
  for (const auto what : {Refusing::What::anchor, Refusing::What::list, Refusing::What::create,
                          Refusing::What::wrap}) {
    refusing.what = what;
    EXPECT_EQ(said(bring_back(capsule)), "token_unavailable");
    EXPECT_FALSE(fs::exists(home_ / "keyring"));
  }
  refusing.what = Refusing::What::nothing;
  refusing.seen = 3;
  ASSERT_EQ(said(bring_back(capsule)), "");
  expect_back();
  keyring_.reset();
}

TEST_F(CapsuleStream, GivesWayToAMirrorThatOpens) {
  options_.mirrors = {home_ / "mirror"};
  open();
  const Stream capsule = written();
  lose();
  EXPECT_EQ(said(bring_back(capsule)), "exists");
  // One that a newer version wrote is not lost.
  const auto mirror = os::Directory::open(home_ / "mirror/keyring").value();
  const auto format = [&](char to) {
    return [to](storage::WriteTxn& txn) {
      const Bytes found = **txn.get(header_key);
      std::vector<std::byte> header(found.begin(), found.end());
      header[8] = static_cast<std::byte>(to);
      EXPECT_TRUE(txn.put(header_key, header));
    };
  };
  ASSERT_TRUE(tampered(mirror, options_.environment, format(2)));
  EXPECT_EQ(said(bring_back(capsule)), "format_new");
  damage(home_ / "mirror/keyring/data.mdb");
  options_.mirrors = {fs::path("/")};
  EXPECT_EQ(said(bring_back(capsule)), "invalid_argument");
  options_.mirrors = {home_ / "mirror"};
  ASSERT_EQ(said(bring_back(capsule)), "");
  expect_back();
}

TEST_F(CapsuleStream, IsBroughtBackWhereTheRootKeysAreAnothersOrNoneOrTheKeyringIsNewer) {
  const Stream capsule = written();
  keyring_.reset();
  tamper([](storage::WriteTxn& txn) {
    const Bytes found = **txn.get(header_key);
    std::vector<std::byte> header(found.begin(), found.end());
    header[8] = std::byte{2};
    EXPECT_TRUE(txn.put(header_key, header));
  });
  EXPECT_EQ(said(bring_back(capsule)), "format_new");
  tamper([](storage::WriteTxn& txn) {
    const Bytes found = **txn.get(header_key);
    std::vector<std::byte> header(found.begin(), found.end());
    header[8] = std::byte{1};
    EXPECT_TRUE(txn.put(header_key, header));
  });
  EXPECT_EQ(said(bring_back(capsule)), "exists");
  options_.root_keys = &fresh_;
  ASSERT_EQ(said(bring_back(capsule)), "");
  expect_back();
  keyring_.reset();
  // The root key store of that name holds nothing any more.
  MemoryRootKeyStore none;
  class Namesake final : public RootKeysOver {
   public:
    Namesake(MemoryRootKeyStore& store, StoreId id)
        : RootKeysOver({&store, [](RootKeyStore*) {}}), id_(id) {}
    StoreId id() const override { return id_; }

   private:
    StoreId id_;
  } namesake(none, fresh_.id());
  options_.root_keys = &namesake;
  EXPECT_EQ(said(try_open()), "root_key_missing");
  ASSERT_EQ(said(bring_back(capsule)), "");
  EXPECT_TRUE(fs::exists(home_ / "keyring"));
}

TEST_F(CapsuleStream, SetsAsideWhatDoesNotOpen) {
  const Stream capsule = written();
  keyring_.reset();
  const std::string aside = "keyring.damaged-0";
  fs::remove(home_ / "keyring/data.mdb");
  ASSERT_EQ(said(bring_back(capsule)), "");
  EXPECT_TRUE(fs::exists(home_ / aside));
  expect_back();
  // It stands, and says nothing of how far it had come.
  tamper([](storage::WriteTxn& txn) { EXPECT_TRUE(txn.put(sequence_key, as_bytes("x"))); });
  ASSERT_EQ(said(bring_back(capsule)), "");
  EXPECT_TRUE(fs::exists(home_ / (aside + "-2")));
  damage(home_ / "keyring/data.mdb");
  ASSERT_EQ(said(bring_back(capsule)), "");
  EXPECT_TRUE(fs::exists(home_ / (aside + "-3")));
  expect_back();
}

}  // namespace
}  // namespace efface::keyring::test
