// Incidents in a store of two regions, at times that count in days since the fixture began.
#pragma once
#include <algorithm>
#include <map>

#include "rights/rights_fixture.h"

namespace efface::test {

class IncidentTest : public RightsTest {
 protected:
  void SetUp() override {
    RightsTest::SetUp();
    began_ = now();
  }

  static TimePoint now() { return std::chrono::system_clock::now() + offset_; }
  // Between what is done on a day and what is done on the next.
  TimePoint after_day(int days) const {
    return began_ + std::chrono::days(days) + std::chrono::hours(12);
  }

  IncidentTerms terms(Exposed exposed, TimePoint from, TimePoint until) const {
    IncidentTerms terms;
    terms.from = from;
    terms.until = until;
    terms.exposed = exposed;
    terms.reference = "case 17";
    terms.discovered = now();
    return terms;
  }
  // Of a copy that was made just now.
  IncidentTerms terms(Exposed exposed) const {
    const TimePoint moment = now();
    return terms(exposed, moment, moment);
  }
  IncidentNumber open(const IncidentTerms& terms) {
    const auto number = store_->open_incident(terms, Actor("security"));
    EXPECT_TRUE(number) << (number ? "" : number.error().note());
    return number ? *number : 0;
  }
  TenantExposure exposure(Exposed exposed, TimePoint from, TimePoint until) {
    return exposure(open(terms(exposed, from, until)));
  }
  TenantExposure exposure(IncidentNumber number) {
    const auto found = store_->exposure(number, *tenant_);
    EXPECT_TRUE(found) << (found ? "" : found.error().note());
    return found ? *found : TenantExposure{};
  }
  TenantExposure exposure(Exposed exposed) { return exposure(open(terms(exposed))); }
  static TenantExposure::OfPurpose of(const TenantExposure& exposure, std::string_view purpose) {
    for (const TenantExposure::OfPurpose& of : exposure.purposes)
      if (of.purpose == purpose) return of;
    return {};
  }

  using People = std::map<std::string, std::vector<std::string>>;  // And their purposes.
  People concerned(IncidentNumber number, const Tenant& tenant) {
    People people;
    EXPECT_TRUE(store_->each_concerned(
        number, tenant, [&](std::string_view id, std::span<const std::string_view> purposes) {
          people[std::string(id)].assign(purposes.begin(), purposes.end());
          return Flow::more;
        }));
    return people;
  }
  void erase(std::string_view id) { ASSERT_TRUE(tenant_->erase(find(id))); }

  static constexpr Exposed only_records{.records = true};
  static constexpr Exposed only_keyring{.keyring = true};
  static constexpr Exposed keyring_and_root{.keyring = true, .root_key = true};
  static constexpr Exposed everything{.records = true, .keyring = true, .root_key = true};
  static constexpr Exposed memory{.memory = true};

  TimePoint began_;
};

}  // namespace efface::test
