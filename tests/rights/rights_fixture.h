// A store of two regions with a purpose of each kind, and one person at home in "eu".
#pragma once
#include "support/two_regions.h"

namespace efface::test {

class RightsTest : public TwoRegionsTest {
 protected:
  void SetUp() override {
    TwoRegionsTest::SetUp();
    ASSERT_TRUE(store_);
    declare("news", LegalBasis::consent);
    declare("ads", LegalBasis::consent);
    declare("fraud", LegalBasis::legitimate_interest);
    declare("logs", LegalBasis::contract, Days(30));
  }

  void declare(std::string purpose, LegalBasis basis, std::optional<Days> retention = {}) {
    PurposeTerms terms;
    terms.name = std::move(purpose);
    terms.basis = basis;
    terms.retention = retention;
    const auto declared = tenant_->declare_purpose(terms);
    ASSERT_TRUE(declared) << name(declared.error().code());
  }

  Purpose purpose(std::string_view called) { return tenant_->purpose(called).value(); }
  Activity activity(std::string_view called) { return tenant_->activity(purpose(called)).value(); }
  Subject enrol(std::string_view id) { return tenant_->enrol(SubjectId(id), *eu_).value(); }
  Subject find(std::string_view id) { return tenant_->subject(SubjectId(id)).value(); }

  void grant(const Subject& subject, std::string_view called = "news") {
    const auto granted = tenant_->grant(subject, purpose(called), {"v1", "web", {}});
    ASSERT_TRUE(granted) << name(granted.error().code()) << granted.error().note();
  }
  void put(const Subject& subject, std::string_view called, std::string_view record,
           std::string_view value, const PutOptions& options = {}) {
    const auto put = activity(called).put(subject, RecordName(record), as_bytes(value), options);
    ASSERT_TRUE(put) << name(put.error().code()) << put.error().note();
  }
  std::string get(const Subject& subject, std::string_view called, std::string_view record) {
    return text_of(activity(called).get(subject, RecordName(record)));
  }
  Maintained maintain(const MaintainOptions& options = {}) {
    const auto done = store_->maintain(options);
    EXPECT_TRUE(done) << name(done.error().code()) << ": " << done.error().note();
    return done ? *done : Maintained{};
  }

  void close_all() {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
  }
  void reopen() {
    close_all();
    auto store = Store::open(options());
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  static void go_back(Days days) { offset_ -= days; }

  std::vector<std::string> events_of(const Subject& subject) {
    std::vector<std::string> events;
    EXPECT_TRUE(tenant_->dossier(subject, [&](const Dossier& dossier) {
      for (const Event& event : dossier.events)
        events.push_back(std::string(name(event.kind)) +
                         (event.purpose.empty() ? "" : " " + std::string(event.purpose)));
    }));
    return events;
  }
};

}  // namespace efface::test
