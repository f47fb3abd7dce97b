// What is claimed of a PKCS#11 token alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "crypto/prf.h"
#include "custody/pkcs11_module.h"
#include "custody/pkcs11_session.h"
#include "custody/token_stands.h"
#include "support/file_content.h"

namespace efface::test {
namespace {

using testing::ElementsAre;

class Pkcs11RootKeys : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* what = Pkcs11Stand::missing()) GTEST_SKIP() << "needs " << what;
    stand_.emplace();
    take(Pkcs11RootKeyStore::create(stand_->options()));
  }
  void take(Result<std::unique_ptr<Pkcs11RootKeyStore>> made) {
    ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
    store_ = std::move(*made);
  }
  void reopen() {
    store_.reset();
    take(Pkcs11RootKeyStore::open(stand_->options()));
  }
  std::unique_ptr<custody::Pkcs11Session> session() {
    auto opened = custody::Pkcs11Session::open(
        stand_->token().module(), {std::string(SoftHsm::label), {}}, as_bytes(SoftHsm::pin));
    EXPECT_TRUE(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  static custody::Objects keys_in(custody::Pkcs11Session& session) {
    const CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    custody::Template wanted;
    wanted.add_class(secret);
    auto found = session.find(std::move(wanted));
    EXPECT_TRUE(found);
    return found ? *found : custody::Objects();
  }

  // Every file of the token, and its bytes.
  using Files = std::map<std::filesystem::path, std::string>;
  Files token_files() const {
    Files files;
    const auto& below = stand_->token().object_directory();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(below)) {
      if (!entry.is_regular_file()) continue;
      files[entry.path()] = file_content(entry.path());
    }
    return files;
  }

  std::optional<Pkcs11Stand> stand_;
  std::unique_ptr<Pkcs11RootKeyStore> store_;
};

TEST_F(Pkcs11RootKeys, AreSensitiveNotExtractableAndNotCopied) {
  ASSERT_TRUE(store_->create(1, {}));
  const auto token = session();
  const custody::Objects keys = keys_in(*token);
  ASSERT_EQ(keys.size(), 1u);
  const auto flag = [&](CK_ATTRIBUTE_TYPE type) {
    const auto value = token->read(keys[0], type);
    EXPECT_TRUE(value && value->size() == 1) << type;
    return value && value->size() == 1 && (*value)[0] != std::byte{0};
  };
  EXPECT_TRUE(flag(CKA_TOKEN));
  EXPECT_TRUE(flag(CKA_PRIVATE));
  EXPECT_TRUE(flag(CKA_SENSITIVE));
  EXPECT_TRUE(flag(CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(flag(CKA_NEVER_EXTRACTABLE));
  EXPECT_FALSE(flag(CKA_EXTRACTABLE));
  EXPECT_FALSE(flag(CKA_MODIFIABLE));
  EXPECT_FALSE(flag(CKA_COPYABLE));
  EXPECT_FALSE(token->read(keys[0], CKA_VALUE));
  EXPECT_TRUE(token->refuses_to_show(keys[0], CKA_VALUE));
}

TEST_F(Pkcs11RootKeys, OfSoftHsmAreL0AndSayThatAFileIsDeleted) {
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l0_logical);
  EXPECT_THAT(store_->assurance().rests_on, testing::HasSubstr("deletes a file"));
  EXPECT_FALSE(*store_->lies_within("/"));
}

TEST_F(Pkcs11RootKeys, OfATokenThatSaysItIsHardwareAreL3) {
  stand_->fault().says_it_is_hardware = true;
  reopen();
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l3_token);
}

// What SoftHSM does is to unlink. Whoever kept the file has the key: this is why it is L0.
TEST_F(Pkcs11RootKeys, OfSoftHsmComeBackWithACopyOfTheirFile) {
  const Files before = token_files();
  ASSERT_TRUE(store_->create(1, anchor_of(1)));
  const auto wrapped = wrapped_by(*store_, 1);
  const Files with_key = token_files();
  ASSERT_TRUE(store_->destroy(1));
  store_.reset();
  const Files after = token_files();
  for (const auto& [path, bytes] : with_key)
    if (!after.contains(path))
      std::ofstream(path, std::ios::binary)
          .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  take(Pkcs11RootKeyStore::open(stand_->options()));
  EXPECT_THAT(*store_->list(), ElementsAre(1));
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});
  // The number is known all the same, and destroying it once more holds.
  EXPECT_EQ(code_of(store_->create(1, {})), Errc::exists);
  ASSERT_TRUE(store_->destroy(1));
  reopen();
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc::root_key_missing);
}

TEST_F(Pkcs11RootKeys, AreNotDestroyedWhenTheTokenOnlySaysSo) {
  ASSERT_TRUE(store_->create(1, {}));
  ASSERT_TRUE(store_->create(2, {}));
  const auto wrapped = wrapped_by(*store_, 1);
  stand_->fault().keeps_what_it_destroys = true;
  EXPECT_EQ(code_of(store_->destroy(1)), Errc::io);
  EXPECT_EQ(code_of(store_->rotate(1, 3, {})), Errc::io);
  EXPECT_THAT(*store_->list(), ElementsAre(1, 2));
  stand_->fault() = {};
  ASSERT_TRUE(store_->rotate(1, 3, {}));
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc::root_key_missing);
}

TEST_F(Pkcs11RootKeys, AreRefusedOfATokenThatShowsThem) {
  stand_->fault().shows_keys = true;
  EXPECT_EQ(code_of(store_->create(1, {})), Errc::unsupported);
  stand_->fault() = {};
  EXPECT_THAT(*store_->list(), testing::IsEmpty());
}

TEST_F(Pkcs11RootKeys, NeedAesGcm) {
  store_.reset();
  stand_->fault().has_no_gcm = true;
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(stand_->options())), Errc::unsupported);
}

TEST_F(Pkcs11RootKeys, NeedATokenThatMakesAndUsesAesKeys) {
  for (const CK_FLAGS missing : {CKF_ENCRYPT, CKF_DECRYPT, CKF_GENERATE}) {
    stand_->fault() = {};
    stand_->fault().mechanism_flags_cleared = missing;
    EXPECT_EQ(code_of(stand_->open()), Errc::unsupported);
  }
}

TEST_F(Pkcs11RootKeys, WantTheirPinUnlessTheTokenHasAPadOfItsOwn) {
  Pkcs11RootKeyStoreOptions without_pin = stand_->options();
  without_pin.pin = {};
  store_.reset();  // The process is not logged in any more.
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(without_pin)), Errc::passphrase_wrong);
  stand_->fault().token_flags_set = CKF_PROTECTED_AUTHENTICATION_PATH;
  // SoftHSM, which has no pad, is asked, and refuses.
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(without_pin)), Errc::token_unavailable);
  stand_->fault() = {};
  stand_->fault().token_flags_set = CKF_USER_PIN_LOCKED;
  EXPECT_EQ(code_of(stand_->open()), Errc::token_unavailable);
  stand_->fault() = {};
  stand_->fault().token_flags_cleared = CKF_LOGIN_REQUIRED;
  EXPECT_EQ(code_of(stand_->open()), Errc::root_key_missing);  // Who is not logged in sees nothing.
  stand_->fault() = {};
  EXPECT_TRUE(stand_->open());
}

TEST_F(Pkcs11RootKeys, RefuseAnObjectThatIsTooLargeToBeOurs) {
  stand_->fault().attribute_bytes = 1 << 20;
  EXPECT_EQ(code_of(store_->list()), Errc::corruption);
  stand_->fault().attribute_bytes = 3;
  EXPECT_EQ(code_of(store_->list()), Errc::corruption);
}

TEST_F(Pkcs11RootKeys, RefuseANameOrAPinThatIsOutOfRange) {
  Pkcs11RootKeyStoreOptions options = stand_->options();
  options.name = "";
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::invalid_argument);
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::create(options)), Errc::invalid_argument);
  options.name = std::string(65, 'n');
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::create(options)), Errc::invalid_argument);
  options = stand_->options();
  const std::string pin(257, '1');
  options.pin = as_bytes(pin);
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::too_large);
}

TEST(Pkcs11Codes, SayWhatTheCallerCanDo) {
  const auto meant = [](CK_RV code) { return custody::error_of(code, "").code(); };
  for (const CK_RV code : {CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE})
    EXPECT_EQ(meant(code), Errc::passphrase_wrong) << code;
  for (const CK_RV code :
       {CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_FUNCTION_NOT_SUPPORTED,
        CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_TYPE_INVALID,
        CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE})
    EXPECT_EQ(meant(code), Errc::unsupported) << code;
  EXPECT_EQ(meant(CKR_DEVICE_MEMORY), Errc::no_space);
  EXPECT_EQ(meant(CKR_HOST_MEMORY), Errc::out_of_memory);
  EXPECT_EQ(meant(CKR_GENERAL_ERROR), Errc::token_unavailable);
  for (const CK_RV code :
       {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_USER_NOT_LOGGED_IN,
        CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR, CKR_OPERATION_ACTIVE,
        CKR_OPERATION_NOT_INITIALIZED, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_KEY_HANDLE_INVALID,
        CKR_OBJECT_HANDLE_INVALID})
    EXPECT_TRUE(custody::is_lost(code)) << code;
  EXPECT_FALSE(custody::is_lost(CKR_GENERAL_ERROR));
}

TEST_F(Pkcs11RootKeys, WrapUnderANonceThatTheTokenInsistsOn) {
  ASSERT_TRUE(store_->create(1, {}));
  stand_->fault().insists_on_its_own_iv = true;
  const auto wrapped = store_->wrap(1, as_bytes("region"), some_root());
  // The stand-in refuses our nonce for decryption too, so what it wrapped is looked at without it.
  stand_->fault() = {};
  if (wrapped) {
    EXPECT_EQ((*wrapped)[2], std::byte{0x77});
    EXPECT_EQ(unwrap_code(*store_, 1, *wrapped), Errc{});
  }
  EXPECT_EQ(code_of(wrapped), Errc{});
}

TEST_F(Pkcs11RootKeys, AreHadAgainWhenTheSessionIsLost) {
  ASSERT_TRUE(store_->create(1, anchor_of(1)));
  const auto wrapped = wrapped_by(*store_, 1);
  stand_->fault().loses_the_next_session = true;
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});
  stand_->fault().loses_the_next_session = true;
  EXPECT_TRUE(store_->rotate(1, 2, anchor_of(2)));
  EXPECT_EQ(*store_->anchor(), anchor_of(2));
}

TEST_F(Pkcs11RootKeys, ComeBackWithTheToken) {
  ASSERT_TRUE(store_->create(1, {}));
  stand_->fault().broken = true;
  const auto gone = store_->list();
  ASSERT_EQ(code_of(gone), Errc::token_unavailable);
  stand_->fault() = {};
  EXPECT_THAT(*store_->list(), ElementsAre(1));
}

TEST_F(Pkcs11RootKeys, AreTriedWithAWrongPinOnceAStore) {
  store_.reset();
  auto options = stand_->options("0000-0000");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::passphrase_wrong);
  options.pin = {};
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::passphrase_wrong);
}

TEST_F(Pkcs11RootKeys, StandUnderNamesSideBySide) {
  auto options = stand_->options();
  options.name = "another";
  auto made = Pkcs11RootKeyStore::create(options);
  ASSERT_TRUE(made);
  RootKeyStore& other = **made;
  EXPECT_NE(other.id(), store_->id());
  ASSERT_TRUE(store_->create(1, anchor_of(1)));
  ASSERT_TRUE(other.create(1, anchor_of(7)));
  EXPECT_EQ(unwrap_code(other, 1, wrapped_by(*store_, 1)), Errc::corruption);
  ASSERT_TRUE(store_->destroy(1));
  EXPECT_THAT(*other.list(), ElementsAre(1));
  EXPECT_EQ(*other.anchor(), anchor_of(7));
}

TEST_F(Pkcs11RootKeys, AreNotFoundWithoutTheTokenOrTheModule) {
  auto options = stand_->options();
  options.token_label = "no such token";
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::token_unavailable);
  options = stand_->options();
  options.token_serial = "0";
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::token_unavailable);
  options.module = "/nonexistent/module.so";
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::token_unavailable);
  options.module = "module.so";
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::invalid_argument);
  options = stand_->options();
  options.name.clear();
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::invalid_argument);
}

TEST_F(Pkcs11RootKeys, AreNotWhatSomebodyElsePutIntoTheToken) {
  using custody::Template;
  ASSERT_TRUE(store_->create(1, {}));
  const auto token = session();
  const CK_OBJECT_CLASS data = CKO_DATA;
  const std::string called = stand_->options().name;
  const auto record_of = [&] {
    Template record;
    record.add_class(data)
        .add(CKA_TOKEN, true)
        .add(CKA_PRIVATE, true)
        .add(CKA_APPLICATION, as_bytes("efface"))
        .add(CKA_LABEL, as_bytes(called));
    return record;
  };
  const auto records = token->find(record_of()).value();
  ASSERT_EQ(records.size(), 1u);
  const std::vector<std::byte> value = token->read(records[0], CKA_VALUE).value();
  // What the store says while there is this record too, with its checksum.
  const auto said_with = [&](std::size_t at, std::byte now) {
    std::vector<std::byte> bytes = value;
    bytes[at] = now;
    bytes[40] = std::byte{0x7f};  // The newest.
    const auto sum = crypto::hash128(
        {as_bytes("efface.token.record"), Bytes(bytes).first(bytes.size() - sizeof(Id16))});
    std::ranges::copy(sum, bytes.end() - sizeof(Id16));
    Template record = record_of();
    record.add(CKA_VALUE, bytes);
    const auto made = token->create(std::move(record));
    EXPECT_TRUE(made);
    const Errc said = code_of(store_->list());
    EXPECT_TRUE(token->destroy(*made));
    return said;
  };
  EXPECT_EQ(said_with(8, std::byte{2}), Errc::format_new);
  EXPECT_EQ(said_with(16, value[16] ^ std::byte{1}), Errc::root_key_mismatch);
  EXPECT_EQ(said_with(17, value[17]), Errc{});

  const custody::Objects keys = keys_in(*token);
  const std::vector<std::byte> label = token->read(keys.at(0), CKA_LABEL).value();
  std::vector<std::byte> id = token->read(keys.at(0), CKA_ID).value();
  const CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
  const CK_ULONG aes = CKK_AES;
  const CK_ULONG length = 32;
  const auto said_with_key = [&](Bytes number) {
    Template key;
    key.add_class(secret)
        .add_number(CKA_KEY_TYPE, aes)
        .add_number(CKA_VALUE_LEN, length)
        .add(CKA_TOKEN, true)
        .add(CKA_PRIVATE, true)
        .add(CKA_LABEL, label)
        .add(CKA_ID, number);
    const auto made = token->generate_key(std::move(key));
    EXPECT_TRUE(made);
    const Errc said = code_of(store_->list());
    EXPECT_TRUE(token->destroy(*made));
    return said;
  };
  EXPECT_EQ(said_with_key(Bytes(id).first(5)), Errc::corruption);
  id[0] ^= std::byte{1};
  EXPECT_EQ(said_with_key(id), Errc::corruption);
  EXPECT_THAT(*store_->list(), ElementsAre(1));

  ASSERT_TRUE(token->destroy(records[0]));
  EXPECT_EQ(code_of(store_->list()), Errc::root_key_missing);
  EXPECT_EQ(code_of(store_->anchor()), Errc::root_key_missing);
  EXPECT_EQ(code_of(store_->create(2, {})), Errc::root_key_missing);
}

TEST_F(Pkcs11RootKeys, UnwrapNothingOfAnotherForm) {
  ASSERT_TRUE(store_->create(1, {}));
  const auto wrapped = wrapped_by(*store_, 1);
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});
  EXPECT_EQ(unwrap_code(*store_, 1, Bytes(wrapped).first(wrapped.size() - 1)), Errc::corruption);
  for (const std::size_t at : {0U, 1U, 20U}) {
    auto other = wrapped;
    other[at] ^= std::byte{1};
    EXPECT_EQ(unwrap_code(*store_, 1, other), Errc::corruption) << at;
  }
}

TEST_F(Pkcs11RootKeys, AreFoundByTheSerialNumberOfTheirToken) {
  auto options = stand_->options();
  {
    const auto module = custody::Pkcs11Module::load(stand_->token().module()).value();
    std::array<CK_SLOT_ID, 8> slots{};
    CK_ULONG count = slots.size();
    ASSERT_EQ((*module)->C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      ASSERT_EQ((*module)->C_GetTokenInfo(slots.at(i), &info), CKR_OK);
      if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
      options.token_serial.assign(reinterpret_cast<const char*>(info.serialNumber),
                                  sizeof info.serialNumber);
    }
  }
  for (const char* label : {"", "efface test"}) {
    options.token_label = label;
    store_.reset();
    take(Pkcs11RootKeyStore::open(options));
    EXPECT_TRUE(store_->list());
  }
  options.token_serial = "another";
  EXPECT_EQ(code_of(Pkcs11RootKeyStore::open(options)), Errc::token_unavailable);
}

}  // namespace
}  // namespace efface::test
