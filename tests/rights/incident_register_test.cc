// The register of incidents: its deadline, what is added to it, whom it tells, and what it refuses.
#include <fstream>
#include <utility>

#include "rights/incident_fixture.h"
#include "support/file_content.h"

namespace efface::test {
namespace {

using namespace std::chrono_literals;
using IncidentRegister = IncidentTest;

using Told = std::vector<std::pair<std::string, IncidentNumber>>;

std::vector<std::string> details(const Store& store, const Region& region, std::string_view what) {
  std::vector<std::string> found;
  EXPECT_TRUE(store.each_decision(region, 0, [&](const Decision& decision) {
    if (decision.what == what) found.emplace_back(decision.detail);
    return Flow::more;
  }));
  return found;
}

TEST_F(IncidentRegister, IsDue72HoursAfterTheDiscovery) {
  IncidentTerms late = terms(memory, now() - 100h, now() - 90h);
  late.discovered = now() - 80h;
  const Incident overdue = store_->incident(open(late)).value();
  EXPECT_EQ(overdue.deadline - overdue.terms.discovered, 72h);
  ASSERT_TRUE(overdue.left);
  EXPECT_LE(*overdue.left, -8h);
  EXPECT_GT(*overdue.left, -9h);

  const IncidentNumber number = open(terms(memory));
  advance(Days(1));
  const Incident incident = store_->incident(number).value();
  ASSERT_TRUE(incident.left);
  EXPECT_LE(*incident.left, 48h);
  EXPECT_GT(*incident.left, 47h);
  ASSERT_TRUE(store_->note_notified(number, Audience::people, Actor("dpo")));
  EXPECT_TRUE(store_->incident(number)->left);  // That is another duty.
  ASSERT_TRUE(store_->note_notified(number, Audience::authority, Actor("dpo")));
  EXPECT_FALSE(store_->incident(number)->left);
}

TEST_F(IncidentRegister, KeepsWhatWasAddedToItOverAReopening) {
  const IncidentTerms given = terms(everything, now() - 2h, now() - 1h);
  const IncidentNumber number = open(given);
  ASSERT_TRUE(store_->update_incident(number, "the laptop was found", Actor("security")));
  ASSERT_TRUE(store_->note_notified(number, Audience::authority, Actor("dpo"), now() - 30min));
  const TimePoint first = *store_->incident(number)->authority_notified;
  ASSERT_TRUE(store_->note_notified(number, Audience::authority, Actor("dpo")));  // It stays.
  ASSERT_TRUE(store_->update_incident(number, "its disk was wiped", Actor("dpo")));
  ASSERT_TRUE(store_->close_incident(number, Actor("dpo")));
  reopen();
  const auto all = store_->incidents().value();
  ASSERT_EQ(all.size(), 1u);
  const Incident& incident = all[0];
  EXPECT_EQ(incident.number, number);
  EXPECT_EQ(incident.terms.exposed, everything);
  EXPECT_EQ(
      incident.terms.from,
      TimePoint(std::chrono::floor<std::chrono::milliseconds>(given.from.time_since_epoch())));
  EXPECT_EQ(incident.terms.reference, "case 17");
  EXPECT_EQ(incident.terms.regions, (std::vector<std::string>{"eu", "us"}));
  EXPECT_EQ(incident.terms.tenants, std::vector<std::string>{"acme"});
  EXPECT_TRUE(incident.every_tenant);
  EXPECT_EQ(incident.opened_by, "security");
  ASSERT_EQ(incident.updates.size(), 2u);
  EXPECT_EQ(incident.updates[0].text, "the laptop was found");
  EXPECT_EQ(incident.updates[1].actor, "dpo");
  EXPECT_EQ(incident.authority_notified, first);
  EXPECT_FALSE(incident.people_notified);
  EXPECT_TRUE(incident.closed);
  EXPECT_EQ(code_of(store_->update_incident(number, "more", Actor("dpo"))), Errc::conflict);
  EXPECT_EQ(code_of(store_->close_incident(number, Actor("dpo"))), Errc::conflict);
}

TEST_F(IncidentRegister, IsInTheLedgerOfEachRegionByItsNumberAlone) {
  IncidentTerms secret = terms(memory);
  secret.reference = "the stolen laptop";
  const std::string number = std::to_string(open(secret));
  ASSERT_TRUE(store_->update_incident(1, "of the second floor", Actor("security")));
  ASSERT_TRUE(store_->note_notified(1, Audience::authority, Actor("security")));
  ASSERT_TRUE(store_->note_notified(1, Audience::people, Actor("security")));
  ASSERT_TRUE(store_->close_incident(1, Actor("security")));
  for (const Region& region : {*eu_, *us_}) {
    EXPECT_EQ(details(*store_, region, "incident_opened"), std::vector<std::string>{number});
    EXPECT_EQ(details(*store_, region, "incident_updated"),
              (std::vector<std::string>{number + " updated", number + " authority notified",
                                        number + " people notified", number + " closed"}));
  }
}

TEST_F(IncidentRegister, GivesNumbersThatAreTheStoresWhicheverRegionIsOpen) {
  IncidentTerms in_us = terms(memory);
  in_us.regions = {"us"};
  const IncidentNumber one = open(terms(memory));
  const IncidentNumber two = open(in_us);
  reopen_without_us();
  const IncidentNumber three = open(terms(memory));
  EXPECT_EQ((std::vector<IncidentNumber>{one, two, three}), (std::vector<IncidentNumber>{1, 2, 3}));
  EXPECT_EQ(code_of(store_->incident(two)), Errc::region_not_open);
  EXPECT_EQ(store_->incidents()->size(), 2u);
  EXPECT_EQ(store_->incident(three)->terms.regions, std::vector<std::string>{"eu"});
  // The first is in a region that is not open now.
  EXPECT_EQ(code_of(store_->exposure(one, [](const TenantExposure&) {})), Errc::region_not_open);
  EXPECT_EQ(code_of(store_->open_incident(in_us, Actor("security"))), Errc::region_not_open);
}

TEST_F(IncidentRegister, RefusesWhatCannotBe) {
  const IncidentTerms good = terms(memory, now() - 1h, now());
  const auto refused = [&](auto&& change) {
    IncidentTerms bad = good;
    change(bad);
    return code_of(store_->open_incident(bad, Actor("security")));
  };
  EXPECT_EQ(refused([](IncidentTerms& t) { t.exposed = {}; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.until = t.from - 1s; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.until += 1h; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.discovered += 1h; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.from = {}; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.reference = ""; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.reference.resize(1'025, 'x'); }), Errc::too_large);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.tenants = {"nobody"}; }), Errc::tenant_unknown);
  EXPECT_EQ(refused([](IncidentTerms& t) { t.regions = {"mars"}; }), Errc::region_unknown);
  EXPECT_EQ(code_of(store_->open_incident(good, Actor("Ann Smith"))), Errc::invalid_argument);
  EXPECT_TRUE(store_->incidents()->empty());
  for (const IncidentNumber none : {0u, 1u, 77u}) {
    EXPECT_EQ(code_of(store_->incident(none)), Errc::incident_unknown);
    EXPECT_EQ(code_of(store_->update_incident(none, "x", Actor("dpo"))), Errc::incident_unknown);
    EXPECT_EQ(code_of(store_->exposure(none, *tenant_)), Errc::incident_unknown);
  }
  const IncidentNumber number = open(good);
  EXPECT_EQ(code_of(store_->note_notified(number, Audience::people, Actor("dpo"), now() + 1h)),
            Errc::invalid_argument);
}

TEST_F(IncidentRegister, TellsATenantOfItsOwnPeopleAlone) {
  const Region both[] = {*eu_, *us_};
  const Tenant other = store_->declare_tenant("rival", both, Actor("test")).value();
  const Purpose orders = other.declare_purpose({"orders"}).value();
  ASSERT_TRUE(other.activity(orders)->put(SubjectId("zoe"), *us_, RecordName("a"), as_bytes("x")));
  put(enrol("alice"), "ratings", "a", "x");
  const IncidentNumber number = open(terms(everything));
  EXPECT_EQ(concerned(number, *tenant_), (People{{"alice", {"ratings"}}}));
  EXPECT_EQ(concerned(number, other), (People{{"zoe", {"orders"}}}));
  EXPECT_EQ(exposure(number).people, 1u);
  const std::string text = store_->notification(number, *tenant_, Audience::authority).value();
  for (const char* const unsaid : {"alice", "zoe", "rival", "orders"})
    EXPECT_EQ(text.find(unsaid), std::string::npos);

  IncidentTerms only_other = terms(everything);
  only_other.tenants = {"rival"};
  const IncidentNumber theirs = open(only_other);
  const auto nobody = [](std::string_view, std::span<const std::string_view>) {
    return Flow::more;
  };
  EXPECT_EQ(code_of(store_->exposure(theirs, *tenant_)), Errc::incident_unknown);
  EXPECT_EQ(code_of(store_->each_concerned(theirs, *tenant_, nobody)), Errc::incident_unknown);
  EXPECT_EQ(code_of(store_->notification(theirs, *tenant_, Audience::people)),
            Errc::incident_unknown);
}

TEST_F(IncidentRegister, WritesTextsWithWhatTheArticlesAskFor) {
  PurposeTerms health;
  health.name = "health";
  health.categories = {"diagnoses", "contact"};
  ASSERT_TRUE(tenant_->declare_purpose(health));
  put(enrol("alice"), "health", "a", "x");
  put(enrol("bob"), "health", "a", "x");
  const IncidentNumber number = open(terms(everything));
  const auto has = [&](Audience audience, std::string_view what) {
    const auto text = store_->notification(number, *tenant_, audience);
    return text && text->find(what) != std::string::npos;
  };
  for (const char* const said :
       {"about 2 people", "health: about 2 people and 2 records", "diagnoses; contact", "case 17",
        "Whoever has it can read the records", "data protection officer", "Measures"})
    EXPECT_TRUE(has(Audience::authority, said)) << said;
  for (const char* const said :
       {"your data could be read", "health: diagnoses; contact", "Whom to ask"})
    EXPECT_TRUE(has(Audience::people, said)) << said;
  EXPECT_FALSE(has(Audience::people, "case 17"));
}

class IncidentNotice : public IncidentTest {
 protected:
  Told told_;
  bool takes_ = true;

  void reopen_told() {
    close_all();
    OpenOptions told = options();
    told.on_incident = [this](std::string_view tenant, IncidentNumber number) {
      told_.emplace_back(tenant, number);
      return takes_;
    };
    store_.emplace(Store::open(told).value());
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
};

TEST_F(IncidentNotice, IsGivenOnceForEachTenantThatItConcerns) {
  reopen_told();
  ASSERT_TRUE(store_->declare_tenant("other", {&*eu_, 1}, Actor("test")));
  const IncidentNumber both = open(terms(memory));
  IncidentTerms in_us = terms(memory);
  in_us.regions = {"us"};
  const IncidentNumber one = open(in_us);
  const Told expected{{"acme", both}, {"other", both}, {"acme", one}};
  EXPECT_EQ(told_, expected);
  maintain();
  reopen_told();
  EXPECT_EQ(told_, expected);
}

TEST_F(IncidentNotice, IsGivenAgainUntilItIsTaken) {
  const IncidentNumber number = open(terms(memory));  // There was nobody to tell.
  takes_ = false;
  reopen_told();
  EXPECT_EQ(told_, (Told{{"acme", number}}));
  ASSERT_TRUE(store_->update_incident(number, "x", Actor("dpo")));
  maintain();
  EXPECT_EQ(told_.size(), 2u);
  takes_ = true;
  maintain();
  EXPECT_EQ(told_.size(), 3u);
  maintain();
  EXPECT_EQ(told_.size(), 3u);
  EXPECT_EQ(store_->incident(number)->updates.size(), 1u);  // Telling takes nothing from it.
}

// The sealed bytes behind the key of a note, wherever a page has them.
std::size_t damage_notes(const std::filesystem::path& file, char number) {
  std::string bytes = file_content(file);
  const std::string key = std::string("b") + std::string(7, '\0') + number;
  std::size_t found = 0;
  for (std::size_t at = bytes.find(key); at != std::string::npos; at = bytes.find(key, at + 1)) {
    bytes[at + key.size() + 60] = static_cast<char>(bytes[at + key.size() + 60] ^ 1);
    ++found;
  }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  return found;
}

TEST_F(IncidentRegister, ThatDoesNotVerifySaysSoAndTheStoreOpens) {
  const IncidentNumber number = open(terms(memory));
  close_all();
  ASSERT_GE(damage_notes(home_ / "store" / "eu" / "keyring" / "data.mdb", '\1'), 1u);
  reopen();
  EXPECT_EQ(code_of(store_->incident(number)), Errc::corruption);
  EXPECT_EQ(code_of(store_->incidents()), Errc::corruption);
  EXPECT_EQ(code_of(store_->update_incident(number, "x", Actor("dpo"))), Errc::corruption);
  EXPECT_EQ(code_of(store_->exposure(number, *tenant_)), Errc::corruption);
  IncidentTerms next = terms(memory);
  EXPECT_EQ(open(next), number + 2);
}

}  // namespace
}  // namespace efface::test
