// A token that refuses one call, whichever: the answer is a typed error, or what was asked is done
// all the same; and no number returns, no key is lost that was not told to go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <tss2/tss2_tpm2_types.h>

#include <functional>

#include "custody/token_stands.h"

namespace efface::test {
namespace {

// Codes that a token may answer to anything. The last one of each: the connection is lost.
constexpr std::array pkcs11_codes{CKR_GENERAL_ERROR,     CKR_FUNCTION_FAILED,
                                  CKR_HOST_MEMORY,       CKR_DEVICE_MEMORY,
                                  CKR_MECHANISM_INVALID, CKR_ENCRYPTED_DATA_INVALID,
                                  CKR_DATA_INVALID,      CKR_SESSION_HANDLE_INVALID};
constexpr std::array<unsigned long, 8> tpm_codes{
    TPM2_RC_FAILURE,    TPM2_RC_NV_RATE, TPM2_RC_NV_SPACE,     TPM2_RC_LOCKOUT,
    TPM2_RC_NV_DEFINED, TPM2_RC_SIZE,    TPM2_RC_REFERENCE_S0, 0};

template <class Stand>
std::span<const unsigned long> codes();
template <>
std::span<const unsigned long> codes<Pkcs11Stand>() {
  return pkcs11_codes;
}
template <>
std::span<const unsigned long> codes<TpmStand>() {
  return tpm_codes;
}

bool says_what_failed(Errc code) {
  switch (code) {
    case Errc::token_unavailable:
    case Errc::busy:
    case Errc::rate_limited:
    case Errc::no_space:
    case Errc::out_of_memory:
    case Errc::unsupported:
    case Errc::passphrase_wrong:
    case Errc::exists:      // An index that is defined already.
    case Errc::corruption:  // Of bytes that the token says do not verify.
    case Errc::io:          // What was destroyed is looked for, and nobody answers.
      return true;
    default:
      return false;
  }
}

template <class Stand>
class RefusedCalls : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* what = Stand::missing()) GTEST_SKIP() << "needs " << what;
    stand_.emplace();
    auto made = stand_->create();
    ASSERT_TRUE(made) << name(made.error().code());
    store_ = std::move(*made);
    ASSERT_TRUE(store_->create(newest_, anchor_of(newest_)));
  }

  void reopen() {
    stand_->fault() = {};
    store_.reset();
    auto opened = stand_->open();
    ASSERT_TRUE(opened) << name(opened.error().code()) << ": " << opened.error().note();
    store_ = std::move(*opened);
  }

  // One after the other, each call that the operation makes is refused.
  void at_each_call(std::span<const unsigned long> with, const std::function<Errc()>& operation,
                    const std::function<void(Errc)>& look) {
    std::size_t refused = 0;
    for (const unsigned long code : with) {
      bool came = true;
      for (int at = 0; came; ++at) {
        SCOPED_TRACE(testing::Message() << "call " << at << " answers " << code);
        stand_->fault().code = code;
        stand_->fault().calls_left = at;
        const Errc answer = operation();
        came = stand_->fault().calls_left < 0;
        EXPECT_TRUE(answer == Errc{} || (came && says_what_failed(answer))) << name(answer);
        reopen();
        if (HasFatalFailure()) return;
        look(answer);
        if (HasFailure()) return;
        refused += came ? 1 : 0;
      }
    }
    EXPECT_GE(refused, 2 * with.size());
  }
  // Where one code is like another: that it failed, and that the connection is lost.
  static std::span<const unsigned long> few_codes() {
    static const std::array few{codes<Stand>().front(), codes<Stand>().back()};
    return few;
  }
  static std::span<const unsigned long> every_code() { return codes<Stand>(); }
  std::vector<Epoch> held() { return store_->list().value(); }

  std::optional<Stand> stand_;
  std::unique_ptr<RootKeyStore> store_;
  Epoch newest_ = 1;
};
using Tokens = testing::Types<Pkcs11Stand, TpmStand>;
TYPED_TEST_SUITE(RefusedCalls, Tokens, StandNames);

TYPED_TEST(RefusedCalls, OfOpeningAndAskingChangeNothing) {
  const auto wrapped = wrapped_by(*this->store_, 1);
  this->at_each_call(
      this->few_codes(),
      [&] {
        this->store_.reset();
        auto opened = this->stand_->open();
        if (!opened) return opened.error().code();
        this->store_ = std::move(*opened);
        if (const Errc listed = code_of(this->store_->list()); listed != Errc{}) return listed;
        return code_of(this->store_->anchor());
      },
      [&](Errc) {
        EXPECT_THAT(this->held(), testing::ElementsAre(1));
        EXPECT_EQ(*this->store_->anchor(), anchor_of(1));
        EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped), Errc{});
      });
}

TYPED_TEST(RefusedCalls, OfWrappingGiveAWholeKeyOrNone) {
  std::vector<std::byte> wrapped;
  this->at_each_call(
      this->few_codes(),
      [&] {
        auto made = this->store_->wrap(1, as_bytes("region"), some_root());
        wrapped = made ? *made : std::vector<std::byte>();
        return code_of(made);
      },
      [&](Errc answer) {
        if (answer == Errc{}) {
          EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped), Errc{});
        }
      });
}

TYPED_TEST(RefusedCalls, OfUnwrappingNeverGiveAnotherKey) {
  const auto wrapped = wrapped_by(*this->store_, 1);
  this->at_each_call(
      this->every_code(),
      [&] {
        const Errc answer = unwrap_code(*this->store_, 1, wrapped);
        EXPECT_NE(answer, Errc::conflict);
        return answer;
      },
      [&](Errc) { EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped), Errc{}); });
}

// Each thing that a TPM may say of itself; to the first command, which asks what it is, and later.
class TpmCodes : public RefusedCalls<TpmStand> {};

TEST_F(TpmCodes, SayWhatTheCallerCanDo) {
  const auto wrapped = wrapped_by(*store_, 1);
  const std::pair<unsigned long, Errc> meanings[] = {
      {TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_1, Errc::passphrase_wrong},
      {TPM2_RC_AUTH_FAIL | TPM2_RC_S | TPM2_RC_1, Errc::passphrase_wrong},
      {TPM2_RC_NV_RATE, Errc::rate_limited},
      {TPM2_RC_RETRY, Errc::busy},
      {TPM2_RC_YIELDED, Errc::busy},
      {TPM2_RC_TESTING, Errc::busy},
      {TPM2_RC_NV_UNAVAILABLE, Errc::busy},
      {TPM2_RC_LOCKOUT, Errc::busy},
      {TPM2_RC_NV_SPACE, Errc::no_space},
      {TPM2_RC_NV_DEFINED, Errc::exists},
      {TPM2_RC_FAILURE, Errc::token_unavailable}};
  for (const auto& [code, meant] : meanings) {
    SCOPED_TRACE(code);
    stand_->fault().code = code;
    stand_->fault().calls_left = 0;
    const Errc answer = unwrap_code(*store_, 1, wrapped);
    // tpm2-tss itself asks again where the TPM says so.
    EXPECT_TRUE(answer == meant || (answer == Errc{} && meant == Errc::busy)) << name(answer);
    EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});
  }
  for (const unsigned long lost : {TPM2_RC_HANDLE | TPM2_RC_S | TPM2_RC_1,
                                   TPM2_RC_VALUE | TPM2_RC_S | TPM2_RC_1, TPM2_RC_REFERENCE_S0}) {
    stand_->fault().code = lost;
    stand_->fault().calls_left = 0;
    EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});  // Over a new connection.
  }
}

TYPED_TEST(RefusedCalls, OfARotationLeaveTheOldKeyOnlyWhereThatIsSaid) {
  this->at_each_call(
      this->few_codes(),
      [&] {
        const Epoch old = this->newest_++;
        return code_of(this->store_->rotate(old, this->newest_, anchor_of(this->newest_)));
      },
      [&](Errc answer) {
        const Epoch old = this->newest_ - 1;
        if (answer == Errc{}) {
          EXPECT_THAT(this->held(), testing::ElementsAre(this->newest_));
        }
        for (const Epoch epoch : this->held()) {
          EXPECT_TRUE(epoch == old || epoch == this->newest_);
          EXPECT_EQ(unwrap_code(*this->store_, epoch, wrapped_by(*this->store_, epoch)), Errc{});
          ASSERT_EQ(code_of(this->store_->destroy(epoch)), Errc{});
        }
        EXPECT_EQ(code_of(this->store_->create(old, {})), Errc::exists);
        this->newest_ += 2;
        ASSERT_EQ(code_of(this->store_->create(this->newest_, {})), Errc{});
      });
}

TYPED_TEST(RefusedCalls, OfADestructionAreMendedByDestroyingAgain) {
  this->at_each_call(
      this->few_codes(), [&] { return code_of(this->store_->destroy(this->newest_)); },
      [&](Errc answer) {
        if (answer == Errc{}) {
          EXPECT_THAT(this->held(), testing::IsEmpty());
        }
        EXPECT_EQ(code_of(this->store_->destroy(this->newest_)), Errc{});
        EXPECT_THAT(this->held(), testing::IsEmpty());
        EXPECT_EQ(code_of(this->store_->create(this->newest_, {})), Errc::exists);
        ASSERT_EQ(code_of(this->store_->create(++this->newest_, {})), Errc{});
      });
}

}  // namespace
}  // namespace efface::test
