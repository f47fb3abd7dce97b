// What a person and a controller may ask, by command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/desk.h"
#include "efface/efface.h"
#include "tools/times.h"

namespace {

using efface::test::code_of;
using efface::test::Desk;
using efface::test::objects_of;
using efface::test::Ran;
using efface::test::write_file;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Words = efface::test::Shop::Words;

TEST(Rights, AreWalkedThroughFromConsentToReinstatement) {
  const Desk desk;
  EXPECT_EQ(desk.put("letters"), "consent_missing");
  EXPECT_EQ(desk.act({"consent", "grant"},
                     {"--purpose", "letters", "--text-version", "2026-05", "--channel", "web"}),
            "done");
  EXPECT_EQ(desk.put("letters"), "done");
  EXPECT_EQ(desk.get("letters"), "done");
  EXPECT_EQ(desk.put("support"), "done");

  EXPECT_EQ(desk.act({"object"}, {"--purpose", "support"}), "done");
  EXPECT_EQ(desk.get("support"), "objected");
  EXPECT_EQ(desk.get("letters"), "done");
  EXPECT_EQ(desk.act({"object"}, {"--purpose", "support", "--lift"}), "done");
  EXPECT_EQ(desk.get("support"), "done");

  EXPECT_EQ(desk.act({"restrict"}), "done");
  EXPECT_EQ(desk.get("letters"), "restricted");
  EXPECT_EQ(desk.put("support"), "restricted");
  EXPECT_EQ(desk.act({"lift"}), "done");
  EXPECT_EQ(desk.get("letters"), "done");

  const Words terms = {"--basis", "litigation", "--reason", "case 17"};
  EXPECT_EQ(desk.act({"hold", "add"}, terms), "done");
  const Ran refused = desk.json_of({"erase", "acme", "alice"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(code_of(refused), "legal_hold");
  const std::vector<json> said = objects_of(refused);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0]["erased"], 0);
  EXPECT_EQ(said[0]["held"], 1);
  EXPECT_EQ(said[1]["hold"], 1);
  EXPECT_EQ(said[1]["basis"], "litigation");
  EXPECT_FALSE(said[1].contains("reason"));
  EXPECT_EQ(desk.get("letters"), "restricted");

  const Ran released = desk.json_of({"hold", "release", "acme", "alice", "1"});
  EXPECT_EQ(released.status, 0);
  EXPECT_EQ(json::parse(released.out)["erased"], 1);
  EXPECT_EQ(desk.get("letters"), "subject_unknown");

  EXPECT_EQ(desk.act({"suppress"}), "done");
  EXPECT_EQ(desk.put("ratings"), "suppressed");
  EXPECT_EQ(desk.act({"consent", "grant"}, {"--purpose", "letters"}), "suppressed");
  EXPECT_EQ(desk.act({"reinstate"}, {"--reason", "asked for an account again"}), "done");
  EXPECT_EQ(desk.put("ratings"), "done");
  EXPECT_EQ(desk.get("ratings"), "done");
  EXPECT_EQ(desk.get("letters"), "consent_missing");
}

TEST(Consent, WithdrawnDestroysWhatItWasForAndNothingElse) {
  const Desk desk;
  desk.act({"consent", "grant"}, {"--purpose", "letters"});
  desk.put("letters");
  desk.put("support");
  const Ran withdrawn = desk.run({"consent", "withdraw", "acme", "alice", "--purpose", "letters"});
  EXPECT_EQ(withdrawn.status, 0);
  EXPECT_THAT(withdrawn.out, HasSubstr("is destroyed"));
  EXPECT_THAT(withdrawn.out, HasSubstr("\nregion eu: epoch "));
  EXPECT_EQ(desk.get("letters"), "consent_missing");
  EXPECT_EQ(desk.get("support"), "done");
  EXPECT_EQ(desk.act({"consent", "withdraw"}, {"--purpose", "letters"}), "consent_missing");
  desk.act({"consent", "grant"}, {"--purpose", "letters"});
  const Ran fresh = desk.run({"list", "acme", "alice", "--purpose", "letters"});
  EXPECT_EQ(fresh.status, 0);
  EXPECT_EQ(fresh.out, "");
}

TEST(Consent, ShowsItsEvidenceAndItsHistory) {
  const Desk desk;
  desk.act({"consent", "grant"}, {"--purpose", "letters", "--text-version", "2026-05", "--channel",
                                  "web", "--when", "2026-05-25T09:30:00Z", "--actor", "signup"});
  desk.act({"consent", "withdraw"}, {"--purpose", "letters", "--channel", "phone"});
  desk.act({"restrict"});
  const std::vector<json> all = objects_of(desk.json_of({"consent", "show", "acme", "alice"}));
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0]["restricted"], true);
  EXPECT_EQ(all[1], (json{{"purpose", "letters"}, {"standing", "withdrawn"}}));
  EXPECT_EQ(all[2], (json{{"event", "consent_granted"},
                          {"at", "2026-05-25T09:30:00.000Z"},
                          {"purpose", "letters"},
                          {"text_version", "2026-05"},
                          {"channel", "web"},
                          {"actor", "signup"}}));
  EXPECT_EQ(all[3]["event"], "consent_withdrawn");
  EXPECT_EQ(all[3]["channel"], "phone");
  EXPECT_EQ(all[4]["event"], "restricted");
  const std::vector<json> one =
      objects_of(desk.json_of({"consent", "show", "acme", "alice", "--purpose", "letters"}));
  EXPECT_EQ(one, std::vector<json>(all.begin() + 1, all.begin() + 4));
}

TEST(Consent, IsRefusedWhereItSaysNothing) {
  const Desk desk;
  desk.put("support");
  EXPECT_EQ(desk.act({"consent", "grant"}, {"--purpose", "support"}), "basis_differs");
  EXPECT_EQ(desk.act({"object"}, {"--purpose", "letters"}), "basis_differs");
  EXPECT_EQ(desk.act({"consent", "withdraw"}, {"--purpose", "letters"}), "consent_missing");
  EXPECT_EQ(desk.act({"consent", "grant"}, {"--purpose", "letters", "--when", "2199-01-01"}),
            "invalid_argument");
  EXPECT_EQ(
      desk.act({"consent", "grant"}, {"--purpose", "letters", "--channel", std::string(65, 'x')}),
      "too_large");
  EXPECT_EQ(desk.get("letters"), "consent_missing");
}

TEST(Hold, IsNamedForEachPersonWhomItKeeps) {
  const Desk desk;
  for (const char* person : {"alice", "bob", "carol"}) desk.put("ratings", person);
  desk.act({"hold", "add"}, {"--basis", "tax", "--reason", "r", "--until", "2199-01-31"});
  desk.code({"hold", "add", "acme", "carol", "--basis", "litigation", "--reason", "r"});
  desk.code({"hold", "add", "acme", "carol", "--basis", "tax", "--reason", "r"});
  const Ran ran = desk.run({"erase", "acme", "--from", "-"}, "bob\nnobody\ncarol\nalice\ncarol\n");
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, StartsWith("erased 1 person in "));
  EXPECT_THAT(ran.out, HasSubstr(", 1 unknown, 2 on legal hold\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nperson 3: hold 1: litigation, since "));
  EXPECT_THAT(ran.out, HasSubstr("\nperson 3: hold 2: tax, since "));
  EXPECT_THAT(ran.out, HasSubstr("\nperson 4: hold 1: tax, since "));
  EXPECT_THAT(ran.out, HasSubstr(", until 2199-01-31T00:00:00.000Z\n"));
  EXPECT_THAT(ran.err, StartsWith("efface: legal_hold: "));
  EXPECT_EQ(desk.get("ratings", "bob"), "subject_unknown");
  EXPECT_EQ(json::parse(desk.json_of({"tenant", "offboard", "acme"}).out)["held"], 2);
}

TEST(Hold, KeepsWhatWasWithdrawnUntilTheLastIsReleased) {
  const Desk desk;
  desk.act({"consent", "grant"}, {"--purpose", "letters"});
  desk.put("letters");
  desk.put("ratings");
  desk.act({"hold", "add"}, {"--basis", "tax", "--reason", "first"});
  desk.act({"hold", "add"}, {"--basis", "tax", "--reason", "second"});
  const Ran withdrawn = desk.run({"consent", "withdraw", "acme", "alice", "--purpose", "letters"});
  EXPECT_EQ(withdrawn.status, 0);
  EXPECT_THAT(withdrawn.out, HasSubstr("a legal hold keeps"));
  EXPECT_EQ(desk.get("letters"), "consent_missing");
  EXPECT_EQ(objects_of(desk.json_of({"hold", "show", "acme", "alice"})).at(1)["reason"], "second");
  EXPECT_EQ(desk.run({"hold", "release", "acme", "alice", "1"}).out, "released hold 1\n");
  EXPECT_EQ(desk.act({"hold", "release"}, {"1"}), "hold_unknown");
  EXPECT_EQ(desk.act({"hold", "release"}, {"one"}), "usage");
  EXPECT_THAT(desk.run({"hold", "release", "acme", "alice", "2"}).out,
              StartsWith("released hold 2, destroyed what only holds kept in "));
  EXPECT_EQ(desk.run({"hold", "show", "acme", "alice"}).out, "");
  EXPECT_EQ(desk.get("ratings"), "done");
}

TEST(Suppression, ErasesWhoIsThereAndKeepsOutWhoIsNot) {
  const Desk desk;
  desk.put("ratings");
  const Ran known = desk.run({"suppress", "acme", "alice"});
  EXPECT_EQ(known.status, 0);
  EXPECT_THAT(known.out, StartsWith("suppressed 1 id, erased 1 person in "));
  EXPECT_THAT(desk.run({"suppress", "acme", "bob"}).out,
              StartsWith("suppressed 1 id\nregion eu: epoch "));
  EXPECT_EQ(desk.put("ratings", "bob"), "suppressed");
  EXPECT_EQ(desk.act({"reinstate"}, {"--reason", ""}), "invalid_argument");
  EXPECT_EQ(desk.code({"reinstate", "acme", "carol", "--reason", "r"}), "subject_unknown");

  write_file(desk.path() / "in.csv", "who,n\nalice,1\ncarol,2\n");
  const Ran imported =
      desk.json_of({"import", "acme", "--purpose", "ratings", "--subject", "who", "--name", "{n}",
                    "--skip-bad", "--csv", (desk.path() / "in.csv").string()});
  EXPECT_EQ(json::parse(imported.out)["records"], 1);
  EXPECT_EQ(json::parse(imported.out)["skipped"], 1);
  EXPECT_THAT(imported.err, HasSubstr("\"suppressed\""));
}

TEST(Suppression, WaitsForAHoldAndSaysSo) {
  const Desk desk;
  desk.put("ratings");
  desk.act({"hold", "add"}, {"--basis", "tax", "--reason", "r"});
  EXPECT_THAT(desk.run({"suppress", "acme", "alice"}).out,
              HasSubstr("a legal hold keeps the person"));
  EXPECT_EQ(desk.put("ratings"), "suppressed");
  const Ran released = desk.json_of({"hold", "release", "acme", "alice", "1"});
  EXPECT_EQ(json::parse(released.out)["erased"], 1);
  EXPECT_EQ(desk.get("ratings"), "suppressed");
}

TEST(Put, SaysWhereARecordIsFromAndWhoGetsIt) {
  const Desk desk;
  const Words put = {"put", "acme", "alice", "tea", "--purpose", "ratings"};
  const auto with = [&](const Words& more) {
    Words words = put;
    words.insert(words.end(), more.begin(), more.end());
    return desk.code(words, "green");
  };
  EXPECT_EQ(with({"--origin", "survey", "--recipient", "mailer", "--recipient", "printer",
                  "--automated", "--also", "support", "--retain", "30d"}),
            "done");
  EXPECT_EQ(desk.get("support"), "done");  // By --also.
  EXPECT_EQ(with({"--rectify"}), "done");
  EXPECT_EQ(objects_of(desk.json_of({"consent", "show", "acme", "alice"})).back()["event"],
            "rectified");
  EXPECT_EQ(with({"--origin", std::string(65, 'x')}), "too_large");
  EXPECT_EQ(with({"--recipient", ""}), "invalid_argument");
  EXPECT_EQ(with({"--retain", "30"}), "usage");
  EXPECT_EQ(with({"--also", "none"}), "purpose_unknown");
}

TEST(Residue, IsCountedByStatAndShreddedByMaintainOrAtOnce) {
  const Desk desk;
  const auto residue = [&] {
    return objects_of(desk.json_of({"stat"})).at(0)["residue_records"].get<int>();
  };
  desk.put("ratings");
  EXPECT_THAT(desk.run({"stat"}).out, HasSubstr("not yet shredded: 0 records\n"));
  desk.put("ratings");
  EXPECT_EQ(residue(), 1);
  EXPECT_FALSE(objects_of(desk.json_of({"stat"})).at(0)["residue_oldest"].is_null());
  EXPECT_THAT(desk.run({"stat"}).out, HasSubstr(" bytes, the oldest 0 minutes old\n"));
  EXPECT_EQ(json::parse(desk.json_of({"maintain"}).out)["scopes_rekeyed"], 0);
  EXPECT_EQ(json::parse(desk.json_of({"maintain", "--residue-window", "0h"}).out)["scopes_rekeyed"],
            1);
  EXPECT_EQ(residue(), 0);
  EXPECT_EQ(desk.get("ratings"), "done");
  EXPECT_EQ(desk.code({"remove", "acme", "alice", "tea", "--purpose", "ratings", "--shred-now"}),
            "done");
  EXPECT_EQ(json::parse(desk.json_of({"maintain", "--residue-window", "0h"}).out)["scopes_rekeyed"],
            0);
  EXPECT_EQ(residue(), 0);
  EXPECT_EQ(desk.code({"maintain", "--residue-window", "soon"}), "usage");
  EXPECT_EQ(desk.code({"maintain", "--expiry-days-max", "-1"}), "usage");
}

// A hundred days ago.
efface::TimePoint then() { return std::chrono::system_clock::now() - std::chrono::days(100); }

// As a program would have written it then.
void write_then(const Desk& desk) {
  auto keys = efface::FileRootKeyStore::open(
      {.path = (desk.path() / "eu.root").string(), .passphrase = {}, .accept_l0 = true});
  ASSERT_TRUE(keys.has_value());
  efface::OpenOptions options;
  options.directory = desk.path() / "people";
  options.regions.push_back({.name = "eu", .root_keys = keys->get()});
  options.accept_l0 = true;
  options.now = then;
  auto store = efface::Store::open(options);
  ASSERT_TRUE(store.has_value());
  auto tenant = store->tenant("acme", efface::Actor("test"));
  ASSERT_TRUE(tenant.has_value());
  auto purpose = tenant->declare_purpose({.name = "visits",
                                          .basis = efface::LegalBasis::contract,
                                          .retention = efface::Days(7),
                                          .compress = true,
                                          .categories = {}});
  ASSERT_TRUE(purpose.has_value());
  auto activity = tenant->activity(*purpose);
  ASSERT_TRUE(activity.has_value());
  const efface::Region region = store->regions().front();
  ASSERT_TRUE(activity
                  ->put(efface::SubjectId("alice"), region, efface::RecordName("tea"),
                        efface::as_bytes("green"))
                  .has_value());
}

TEST(Retention, WaitsForASecondWordWhereManyDaysExpiredAtOnce) {
  const Desk desk;
  EXPECT_EQ(desk.run({"retention", "plan"}).out, "no day has expired that is not destroyed\n");
  write_then(desk);
  EXPECT_EQ(desk.get("visits"), "expired");
  const Ran waits = desk.json_of({"maintain"});
  EXPECT_EQ(waits.status, 0);
  EXPECT_EQ(json::parse(waits.out)["expiry_waits"], true);
  EXPECT_EQ(json::parse(waits.out)["buckets_expired"], 0);
  EXPECT_THAT(waits.err, HasSubstr("efface retention plan"));

  const json plan = json::parse(desk.json_of({"retention", "plan"}).out);
  EXPECT_EQ(plan["buckets"], 1);
  EXPECT_EQ(plan["tenants"], 1);
  const auto day = std::chrono::floor<std::chrono::days>(then()) + std::chrono::days(7);
  EXPECT_EQ(plan["first"], efface::cli::spell_date(day));
  EXPECT_EQ(plan["last"], plan["first"]);
  const std::string token = plan["token"];
  EXPECT_THAT(desk.run({"retention", "plan"}).out,
              HasSubstr("nothing is destroyed yet: efface retention commit --token " + token));
  EXPECT_EQ(desk.code({"retention", "commit", "--token", token + "0"}), "conflict");
  const Ran done = desk.json_of({"retention", "commit", "--token", token});
  EXPECT_EQ(json::parse(done.out)["buckets_expired"], 1);
  EXPECT_EQ(desk.code({"retention", "commit", "--token", token}), "conflict");
  EXPECT_EQ(json::parse(desk.json_of({"maintain"}).out)["expiry_waits"], false);
}

TEST(Retention, GoesInOneStepWhereItIsLetTo) {
  const Desk desk;
  write_then(desk);
  const Ran done = desk.json_of({"maintain", "--expiry-days-max", "120"});
  EXPECT_EQ(json::parse(done.out)["buckets_expired"], 1);
  EXPECT_EQ(done.err, "");
}

TEST(Retention, IsShownWithTheDayThatARecordOfTodayLivesTo) {
  const Desk desk;
  desk.run({"purpose", "add", "acme", "visits", "--basis", "contract", "--retain", "1w"});
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const std::vector<json> shown = objects_of(desk.json_of({"retention", "show", "acme"}));
  ASSERT_EQ(shown.size(), 4u);
  EXPECT_EQ(shown[3]["retain_days"], 7);
  // Midnight may come in between.
  EXPECT_THAT((std::vector<std::string>{efface::cli::spell_date(today + std::chrono::days(7)),
                                        efface::cli::spell_date(today + std::chrono::days(8))}),
              ::testing::Contains(shown[3]["last_day"].get<std::string>()));
  EXPECT_TRUE(shown[0]["last_day"].is_null());
}

}  // namespace
