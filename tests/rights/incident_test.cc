// Incidents: what of a copy could be read, of whom, and who was beyond its reach.
#include <random>

#include "rights/incident_fixture.h"

namespace efface::test {
namespace {

using StolenRecords = IncidentTest;
using StolenKeyring = IncidentTest;
using StolenMachine = IncidentTest;

TEST_F(StolenRecords, ShowNothingReadableAndTheTextSaysSo) {
  put(enrol("alice"), "ratings", "a", "x");
  put(enrol("bob"), "ratings", "a", "x");
  erase("bob");
  advance(Days(1));
  const IncidentNumber number = open(terms(only_records));
  const TenantExposure found = exposure(number);
  EXPECT_EQ(found.reach, Reach::nothing);
  EXPECT_EQ(found.people, 0u);
  EXPECT_EQ(of(found, "ratings").records, 0u);
  EXPECT_EQ(found.people_beyond_reach, 1u);
  EXPECT_TRUE(concerned(number, *tenant_).empty());
  const std::string text = store_->notification(number, *tenant_, Audience::authority).value();
  EXPECT_NE(text.find("No personal data could be read."), std::string::npos) << text;
  EXPECT_NE(text.find("sizes"), std::string::npos) << text;
}

TEST_F(StolenKeyring, OpensNothingWithoutItsRootKeyAndNeitherDoesARootKeyAlone) {
  put(enrol("alice"), "ratings", "a", "x");
  for (const Exposed exposed :
       {only_keyring, Exposed{.root_key = true}, Exposed{.records = true, .keyring = true},
        Exposed{.records = true, .root_key = true}}) {
    const TenantExposure found = exposure(exposed);
    EXPECT_EQ(found.reach, Reach::nothing);
    EXPECT_EQ(found.people, 0u);
  }
}

TEST_F(StolenKeyring, WithItsRootKeyPutsThoseAtRiskWhoWereThere) {
  put(enrol("alice"), "ratings", "a", "x");
  put(enrol("bob"), "ratings", "a", "x");
  advance(Days(1));
  const IncidentNumber before = open(terms(keyring_and_root));
  advance(Days(1));
  erase("bob");
  advance(Days(1));
  const IncidentNumber after = open(terms(keyring_and_root));

  // Bob's keys were in the first copy, whoever has been erased since.
  const TenantExposure first = exposure(before);
  EXPECT_EQ(first.reach, Reach::at_risk);
  EXPECT_EQ(first.people, 2u);
  EXPECT_EQ(first.people_gone, 1u);
  EXPECT_EQ(first.people_beyond_reach, 0u);
  // The second has an epoch's root key that opens nothing of his.
  const TenantExposure second = exposure(after);
  EXPECT_EQ(second.people, 1u);
  EXPECT_EQ(second.people_gone, 0u);
  EXPECT_EQ(second.people_beyond_reach, 1u);
  EXPECT_EQ(concerned(after, *tenant_), (People{{"alice", {"ratings"}}}));
}

TEST_F(StolenKeyring, ShowsPagesBackToTheLastEndOfAnEpoch) {
  enrol("alice");
  const auto region = [&](TimePoint from, TimePoint until) {
    const IncidentNumber number = open(terms(keyring_and_root, from, until));
    return store_->exposure(number, [](const TenantExposure&) {})->regions[0];
  };
  const TimePoint first = now();
  EXPECT_EQ(region(first, first).reaches_back_to, std::nullopt);  // To the beginning.
  advance(Days(1));
  const TimePoint before = now();
  erase("alice");
  const TimePoint after = now();
  advance(Days(1));
  const TimePoint second = now();
  const Exposure::InRegion later = region(second, second);
  ASSERT_TRUE(later.reaches_back_to);
  EXPECT_GE(*later.reaches_back_to + std::chrono::milliseconds(1), before);
  EXPECT_LE(*later.reaches_back_to, after);
  EXPECT_EQ(later.epochs_ended, 0u);
  EXPECT_EQ(region(before - std::chrono::seconds(1), now()).epochs_ended, 1u);
}

TEST_F(StolenMachine, CountsNobodyWhoCameLaterOrHadGoneBefore) {
  put(enrol("early"), "ratings", "a", "x");
  put(enrol("gone"), "ratings", "a", "x");
  erase("gone");
  advance(Days(2));
  put(enrol("late"), "ratings", "a", "x");
  for (const Exposed exposed : {everything, memory}) {
    const IncidentNumber number = open(terms(exposed, after_day(0), after_day(1)));
    const TenantExposure found = exposure(number);
    EXPECT_EQ(found.reach, Reach::readable);
    EXPECT_EQ(found.people, 1u);
    EXPECT_EQ(found.people_gone, 0u);
    EXPECT_EQ(found.people_beyond_reach, 1u);
    EXPECT_EQ(of(found, "ratings").records, 1u);
    EXPECT_EQ(concerned(number, *tenant_), (People{{"early", {"ratings"}}}));
  }
}

TEST_F(StolenMachine, CountsWhoIsErasedAfterItAllTheSame) {
  put(enrol("alice"), "ratings", "a", "x");
  const IncidentNumber number = open(terms(everything, after_day(-1), now()));
  advance(Days(1));
  put(enrol("late"), "ratings", "a", "x");
  advance(Days(1));
  erase("alice");
  erase("late");  // Who was never in it.
  const TenantExposure found = exposure(number);
  EXPECT_EQ(found.people, 1u);
  EXPECT_EQ(found.people_gone, 1u);
  EXPECT_EQ(found.people_beyond_reach, 0u);
  EXPECT_TRUE(concerned(number, *tenant_).empty());
}

TEST_F(StolenMachine, DoesNotReachWhatWasWithdrawnOrHadExpiredBefore) {
  const Subject alice = enrol("alice");
  grant(alice, "news");
  grant(alice, "ads");
  put(alice, "news", "n", "x");
  put(alice, "ads", "a", "x");
  put(alice, "logs", "l", "x");
  advance(Days(1));
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  advance(Days(1));
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("ads")));
  const TenantExposure between = exposure(everything, after_day(1), now());
  EXPECT_EQ(of(between, "news").consents_beyond_reach, 1u);
  EXPECT_EQ(of(between, "news").consents_gone, 0u);
  EXPECT_EQ(of(between, "ads").consents_beyond_reach, 0u);
  EXPECT_EQ(of(between, "ads").consents_gone, 1u);
  EXPECT_EQ(of(between, "logs").records, 1u);
  EXPECT_EQ(between.days_gone, 0u);

  maintain();
  advance(Days(30));
  EXPECT_EQ(maintain().buckets_expired, 1u);
  const TenantExposure before = exposure(everything, after_day(1), after_day(2));
  EXPECT_EQ(of(before, "logs").records, 0u);
  EXPECT_EQ(before.days_gone, 1u);
  advance(Days(1));
  const TenantExposure after = exposure(everything);
  EXPECT_EQ(after.days_gone, 0u);
  EXPECT_EQ(after.days_beyond_reach, 1u);
}

TEST_F(StolenMachine, SaysPerhapsOfWhatMayHaveReplacedSomething) {
  put(enrol("plain"), "ratings", "a", "x");
  const Subject over = enrol("over");
  put(over, "ratings", "a", "x");
  enrol("empty");
  advance(Days(1));
  put(over, "ratings", "a", "newer");
  put(find("empty"), "ratings", "a", "first");
  const IncidentNumber number = open(terms(everything, began_, after_day(0)));
  const auto ratings = [&] { return of(exposure(number), "ratings"); };
  EXPECT_EQ(ratings().people, 1u);
  EXPECT_EQ(ratings().people_perhaps, 1u);
  EXPECT_EQ(ratings().records, 1u);
  EXPECT_EQ(exposure(number).people, 3u);
  // Also when what was replaced is shredded.
  advance(Days(8));
  EXPECT_GE(maintain().scopes_rekeyed, 1u);
  EXPECT_EQ(ratings().people_perhaps, 1u);
  EXPECT_EQ(concerned(number, *tenant_),
            (People{{"empty", {}}, {"over", {"ratings"}}, {"plain", {"ratings"}}}));
}

TEST_F(StolenMachine, CountsWhoMovedWhereSheWas) {
  put(enrol("alice"), "ratings", "a", "x");
  advance(Days(2));
  ASSERT_TRUE(tenant_->transfer(find("alice"), *us_, TransferBasis::adequacy));
  advance(Days(1));
  const auto in = [&](const char* region, TimePoint from, TimePoint until) {
    IncidentTerms where = terms(everything, from, until);
    where.regions = {region};
    return exposure(open(where));
  };
  EXPECT_EQ(in("eu", after_day(0), after_day(1)).people_gone, 1u);
  EXPECT_EQ(in("us", after_day(0), after_day(1)).people, 0u);
  const TimePoint later = now();
  EXPECT_EQ(in("eu", later, later).people, 0u);
  EXPECT_EQ(in("eu", later, later).people_beyond_reach, 1u);
  EXPECT_EQ(in("us", later, later).people, 1u);
  EXPECT_EQ(of(in("us", later, later), "ratings").records, 1u);
}

TEST_F(StolenMachine, CountsBothOfTwoThatWereMergedSince) {
  put(enrol("from"), "ratings", "a", "x");
  advance(Days(1));
  const Subject into = enrol("into");
  advance(Days(1));
  const IncidentNumber early = open(terms(everything, began_, after_day(0)));
  const IncidentNumber both = open(terms(everything, began_, now()));
  ASSERT_TRUE(tenant_->merge(into, find("from")));
  EXPECT_EQ(exposure(both).people, 2u);
  EXPECT_EQ(exposure(both).people_gone, 1u);
  // Her records say that part of her was there.
  EXPECT_EQ(of(exposure(early), "ratings").records, 1u);
  EXPECT_EQ(concerned(early, *tenant_), (People{{"into", {"ratings"}}}));
}

TEST_F(StolenMachine, CountsThePeopleOfATenantThatHasGone) {
  const Region both[] = {*eu_, *us_};
  Tenant other = store_->declare_tenant("other", both, Actor("test")).value();
  ASSERT_TRUE(other.enrol(SubjectId("zoe"), *eu_));
  const IncidentNumber all = open(terms(everything, began_, now()));
  IncidentTerms named = terms(everything, began_, now());
  named.tenants = {"acme"};
  const IncidentNumber one = open(named);
  advance(Days(1));
  const OffboardPlan plan = store_->prepare_offboard(other).value();
  ASSERT_TRUE(store_->offboard(std::move(other), plan.token));
  std::vector<std::string> told;
  const auto look = [&](const TenantExposure& of) { told.push_back(of.tenant); };
  const Exposure of_all = store_->exposure(all, look).value();
  EXPECT_EQ(told, std::vector<std::string>{"acme"});
  ASSERT_EQ(of_all.regions.size(), 2u);
  for (const Exposure::InRegion& region : of_all.regions) EXPECT_EQ(region.tenants_gone, 1u);
  EXPECT_EQ(of_all.people, 1u);
  EXPECT_EQ(of_all.people_gone, 1u);
  EXPECT_EQ(store_->exposure(one, look)->people, 0u);
  advance(Days(1));
  const IncidentNumber after = open(terms(everything));
  EXPECT_EQ(store_->exposure(after, look)->people_beyond_reach, 1u);
}

// What a history did, kept beside the store.
struct Model {
  struct Person {
    int enrolled = 0;
    int erased = 1'000;
    std::map<std::string, int> written;  // Records, and the day of the last write.
    bool replaced = false;
  };
  std::vector<Person> people;

  bool within(const Person& person, int from, int until) const {
    return person.enrolled <= until && person.erased > from;
  }
};

TEST_F(StolenMachine, CountsExactlyWhatAHistoryLeft) {
  constexpr int days = 12;
  std::mt19937 random(4'711);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Model model;
  const auto id_of = [](std::size_t i) { return "p" + std::to_string(i); };
  for (int day = 0; day < days; ++day, advance(Days(1))) {
    for (int step = 0; step < 6; ++step) {
      const std::size_t i = pick(model.people.size() + 2);
      if (i >= model.people.size()) {
        enrol(id_of(model.people.size()));
        model.people.push_back({.enrolled = day, .erased = 1'000, .written = {}});
        continue;
      }
      Model::Person& person = model.people[i];
      if (person.erased < 1'000) continue;
      if (pick(5) == 0) {
        erase(id_of(i));
        person.erased = day;
        continue;
      }
      const std::string record = "r" + std::to_string(pick(3));
      put(find(id_of(i)), "ratings", record, "x");
      person.replaced = person.replaced || person.written.contains(record);
      person.written[record] = day;
    }
  }
  for (int from = -1; from < days; from += 2) {
    for (int until = from + 1; until < days; until += 3) {
      TenantExposure expected;
      TenantExposure::OfPurpose ratings;
      for (const Model::Person& person : model.people) {
        expected.people_beyond_reach += person.erased <= from ? 1 : 0;
        if (!model.within(person, from, until)) continue;
        ++expected.people;
        if (person.erased < 1'000) {
          ++expected.people_gone;
          continue;
        }
        const auto records = std::ranges::count_if(
            person.written, [&](const auto& record) { return record.second <= until; });
        ratings.records += static_cast<std::uint64_t>(records);
        ratings.people += records != 0 ? 1 : 0;
        ratings.people_perhaps += records == 0 && person.replaced ? 1 : 0;
      }
      const TenantExposure found = exposure(everything, after_day(from), after_day(until));
      EXPECT_EQ(found.people, expected.people) << from << ".." << until;
      EXPECT_EQ(found.people_gone, expected.people_gone) << from << ".." << until;
      EXPECT_EQ(found.people_beyond_reach, expected.people_beyond_reach);
      EXPECT_EQ(of(found, "ratings").people, ratings.people) << from << ".." << until;
      EXPECT_EQ(of(found, "ratings").people_perhaps, ratings.people_perhaps);
      EXPECT_EQ(of(found, "ratings").records, ratings.records) << from << ".." << until;
    }
  }
  EXPECT_GT(model.people.size(), 10u);
}

}  // namespace
}  // namespace efface::test
