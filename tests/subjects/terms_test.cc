#include "subjects/terms.h"

#include <gtest/gtest.h>

#include "crypto/random.h"
#include "subjects/pseudonym.h"

namespace efface::subjects {
namespace {

Terms sample() {
  Terms terms{"acme", {"eu", "us"}, {}};
  EXPECT_TRUE(add_purpose(terms, {"ratings", LegalBasis::contract, std::nullopt, true}));
  EXPECT_TRUE(add_purpose(terms, {"ads", LegalBasis::consent, Days(30), false}));
  return terms;
}

TEST(Terms, ComeBackFromTheirBytes) {
  const Terms terms = sample();
  const codec::Plaintext bytes = encode(terms);
  const auto decoded = decode_terms(bytes.bytes());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, terms);
}

TEST(Terms, NumberPurposesInTheOrderTheyWereDeclared) {
  Terms terms = sample();
  EXPECT_EQ(terms.find("ratings")->number, 1);
  EXPECT_EQ(terms.find("ads")->number, 2);
  EXPECT_EQ(*add_purpose(terms, terms.find("ads")->terms), 2);
  EXPECT_EQ(terms.find(PurposeNumber{3}), nullptr);
}

TEST(Terms, OfTwoRegionsAreTheirUnion) {
  const Terms behind = sample();
  Terms ahead = behind;
  ASSERT_TRUE(add_purpose(ahead, {"audit"}));
  EXPECT_EQ(merged(behind, ahead).value(), ahead);
  EXPECT_EQ(merged(ahead, behind).value(), ahead);
}

TEST(Terms, ThatContradictEachOtherAreCorruption) {
  const Terms one = sample();
  Terms other = one;
  other.purposes[1].terms.basis = LegalBasis::contract;
  EXPECT_EQ(merged(one, other).error().code(), Errc::corruption);
  other = one;
  other.purposes[1].number = 7;
  EXPECT_EQ(merged(one, other).error().code(), Errc::corruption);
}

TEST(Terms, NumberANewPurposeAboveAllThatThereAre) {
  Terms terms = sample();
  terms.purposes[1].number = 3;
  EXPECT_EQ(*add_purpose(terms, {"billing"}), 4);
  terms.purposes.back().number = 256;
  EXPECT_EQ(add_purpose(terms, {"more"}).error().code(), Errc::too_large);
}

TEST(Terms, AnAgreementIsOfADayThatTheCalendarHas) {
  Terms terms = sample();
  const auto code = [&](std::int64_t day) {
    const auto set = set_agreement(terms, {"dpa", std::chrono::sys_days(std::chrono::days(day))});
    return set ? Errc{} : set.error().code();
  };
  EXPECT_EQ(code(-1), Errc::invalid_argument);
  EXPECT_EQ(code(std::int64_t{1} << 32), Errc::invalid_argument);  // 1970, modulo 32 bits.
  EXPECT_EQ(code(2'932'897), Errc::invalid_argument);              // 10000-01-01
  EXPECT_EQ(terms, sample());
  EXPECT_EQ(code(2'932'896), Errc{});
}

TEST(Terms, BadPurposesAreRefused) {
  Terms terms = sample();
  const auto code = [&](const PurposeTerms& purpose) {
    return add_purpose(terms, purpose).error().code();
  };
  EXPECT_EQ(code({"Bad Name"}), Errc::invalid_argument);
  EXPECT_EQ(code({"x", static_cast<LegalBasis>(9)}), Errc::invalid_argument);
  EXPECT_EQ(code({"x", LegalBasis::contract, Days(0)}), Errc::invalid_argument);
  EXPECT_EQ(code({"x", LegalBasis::contract, Days(40'000)}), Errc::invalid_argument);
  EXPECT_EQ(code({"ads", LegalBasis::consent, Days(31), false}), Errc::conflict);
  EXPECT_EQ(terms, sample());
}

TEST(Pseudonym, DependsOnTheTenantsKeyAndOnTheId) {
  ASSERT_TRUE(crypto::initialise());
  const auto row = [] {
    return keyring::Row{Id16{}, crypto::SecretKey::random(), Id16{}, keyring::pseudonym_key, 0, 0};
  };
  const keyring::Row acme = row();
  const keyring::Row zeta = row();
  EXPECT_EQ(subject_tag(acme, SubjectId("alice")), subject_tag(acme, SubjectId("alice")));
  EXPECT_NE(subject_tag(acme, SubjectId("alice")), subject_tag(acme, SubjectId("alicf")));
  EXPECT_NE(subject_tag(acme, SubjectId("alice")), subject_tag(zeta, SubjectId("alice")));
}

TEST(LegalBasis, HasTheNamesOfArticle6) {
  for (std::uint8_t i = 1; i <= 6; ++i) EXPECT_EQ(legal_basis(name(LegalBasis{i})), LegalBasis{i});
  EXPECT_EQ(legal_basis("because"), std::nullopt);
}

}  // namespace
}  // namespace efface::subjects
