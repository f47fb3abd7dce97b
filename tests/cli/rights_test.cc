// What a person and a controller may ask, by command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/run.h"
#include "efface/efface.h"
#include "tools/times.h"

namespace {

using efface::test::Ran;
using efface::test::Shop;
using efface::test::write_file;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Words = Shop::Words;

std::string code_of(const Ran& ran) {
  if (ran.status == 0) return "done";
  const json error = json::parse(ran.err, nullptr, false);
  return error.is_discarded() ? "not JSON" : error["error"]["code"].get<std::string>();
}

std::vector<json> objects_of(const Ran& ran) {
  std::vector<json> objects;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) objects.push_back(json::parse(line));
  return objects;
}

// acme, with a purpose of each kind that people have a say in, and what one does there with alice.
class Desk : public Shop {
 public:
  Desk() : Shop("rights") {
    open_for_business();
    run({"purpose", "add", "acme", "letters", "--basis", "consent"});
    run({"purpose", "add", "acme", "support", "--basis", "legitimate_interest"});
  }
  Ran json_of(Words words, std::string_view input = {}) const {
    words.emplace_back("--json");
    return run(words, input);
  }
  std::string code(Words words, std::string_view input = {}) const {
    return code_of(json_of(std::move(words), input));
  }
  std::string put(const char* purpose, const char* person = "alice") const {
    return code({"put", "acme", person, "tea", "--purpose", purpose}, "green");
  }
  std::string get(const char* purpose, const char* person = "alice") const {
    return code({"get", "acme", person, "tea", "--purpose", purpose});
  }
  std::string act(Words words, const Words& more = {}) const {
    words.insert(words.end(), {"acme", "alice"});
    words.insert(words.end(), more.begin(), more.end());
    return code(std::move(words));
  }
};

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
  EXPECT_EQ(desk.run({"suppress", "acme", "bob"}).out, "suppressed 1 id\n");
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

TEST(Agreement, IsWrittenDownAndMayBeRequired) {
  const Desk desk;
  EXPECT_EQ(desk.code({"tenant", "agreement", "show", "acme"}), "agreement_missing");
  const Words put = {"put",       "acme",    "alice",  "tea",
                     "--purpose", "ratings", "--json", "--require-agreement"};
  EXPECT_EQ(code_of(desk.run(put, "green")), "agreement_missing");
  EXPECT_EQ(desk.code({"tenant", "agreement", "set", "acme", "--reference", "DPA-7", "--date",
                       "2026-02-30"}),
            "usage");
  EXPECT_EQ(desk.code({"tenant", "agreement", "set", "acme", "--reference", "DPA-7", "--date",
                       "2026-02-28"}),
            "done");
  EXPECT_EQ(desk.run({"tenant", "agreement", "show", "acme"}).out,
            "agreement DPA-7 of 2026-02-28\n");
  EXPECT_EQ(code_of(desk.run(put, "green")), "done");
}

TEST(Residency, IsKeptUntilARuleIsOnRecord) {
  const Desk desk;
  desk.put("ratings");
  const Words get = {
      "get", "acme", "alice", "tea", "--purpose", "ratings", "--json", "--processing-region", "us"};
  EXPECT_EQ(code_of(desk.run(get)), "transfer_not_permitted");
  EXPECT_EQ(desk.code({"transfer", "rule", "add", "acme", "--from", "mars", "--to", "us", "--basis",
                       "adequacy"}),
            "region_unknown");
  EXPECT_EQ(desk.code({"transfer", "rule", "add", "acme", "--from", "eu", "--to", "us", "--basis",
                       "whim"}),
            "usage");
  EXPECT_EQ(desk.run({"transfer", "rule", "add", "acme", "--from", "eu", "--to", "us", "--basis",
                      "adequacy"})
                .out,
            "eu to us: adequacy\n");
  EXPECT_EQ(code_of(desk.run(get)), "done");
  EXPECT_EQ(objects_of(desk.json_of({"transfer", "rule", "list", "acme"})),
            std::vector<json>{(json{{"from", "eu"}, {"to", "us"}, {"basis", "adequacy"}})});
}

TEST(Residency, MovesAPersonWholeToAnotherRegion) {
  Shop shop("residency");
  const std::string eu = (shop.path() / "eu.root").string();
  const std::string us = (shop.path() / "us.root").string();
  shop.set("EFFACE_STORE", (shop.path() / "people").string());
  shop.set("EFFACE_ROOT_KEY", "eu=" + eu + ":us=" + us);
  shop.run({"init", (shop.path() / "people").string(), "--region", "eu", "--region", "us"});
  shop.run({"tenant", "add", "acme", "--region", "eu", "--region", "us"});
  shop.run({"purpose", "add", "acme", "ratings", "--basis", "contract"});
  shop.run({"put", "acme", "alice", "tea", "--purpose", "ratings", "--region", "eu"}, "green");
  const auto move = [&](const char* to) {
    return shop.run(
        {"transfer", "person", "acme", "alice", "--to", to, "--basis", "binding_rules", "--json"});
  };
  EXPECT_EQ(code_of(move("eu")), "invalid_argument");
  EXPECT_EQ(code_of(move("mars")), "region_unknown");
  const Ran moved = move("us");
  ASSERT_EQ(moved.status, 0) << moved.err;
  EXPECT_EQ(json::parse(moved.out)["to"], "us");
  EXPECT_EQ(json::parse(moved.out)["regions"][0]["region"], "eu");
  const Words get = {"get",     "acme",   "alice",      "tea",     "--purpose",
                     "ratings", "--json", "--root-key", "us=" + us};
  EXPECT_EQ(json::parse(shop.run(get).out)["value"], "green");
  EXPECT_EQ(objects_of(shop.run({"query", "acme", "--json"})).at(0),
            (json{{"id", "alice"}, {"region", "us"}}));
}

TEST(Identifiers, LeadToOnePerson) {
  const Desk desk;
  desk.put("ratings");
  EXPECT_EQ(desk.act({"identifier", "add"}, {"alice@example.org"}), "done");
  EXPECT_EQ(desk.get("ratings", "alice@example.org"), "done");
  EXPECT_EQ(desk.run({"identifier", "list", "acme", "alice@example.org"}).out,
            "alice@example.org\n");
  desk.code({"put", "acme", "device", "coffee", "--purpose", "ratings"}, "black");
  EXPECT_EQ(desk.act({"identifier", "add"}, {"device"}), "exists");
  const Ran merged = desk.json_of({"merge", "acme", "alice", "device"});
  EXPECT_EQ(merged.status, 0) << merged.err;
  EXPECT_EQ(desk.run({"list", "acme", "device", "--purpose", "ratings"}).out, "coffee\ntea\n");
  EXPECT_EQ(desk.code({"merge", "acme", "alice", "nobody"}), "subject_unknown");
  EXPECT_EQ(desk.code({"erase", "acme", "device"}), "done");
  for (const char* id : {"alice", "alice@example.org", "device"})
    EXPECT_EQ(desk.get("ratings", id), "subject_unknown");
}

TEST(Export, SaysAllThatIsKnownOfAPerson) {
  const Desk desk;
  desk.act({"consent", "grant"}, {"--purpose", "letters", "--channel", "web"});
  desk.put("letters");
  desk.code({"put", "acme", "alice", "tea", "--purpose", "ratings", "--origin", "survey"}, "black");
  desk.act({"restrict"});
  const Ran exported = desk.run({"export", "person", "acme", "alice"});
  ASSERT_EQ(exported.status, 0) << exported.err;
  const json person = json::parse(exported.out);
  EXPECT_EQ(person["subject"]["id"], "alice");
  EXPECT_EQ(person["subject"]["restricted"], true);
  EXPECT_EQ(person["records"].size(), 2u);
  for (const char* word : {"green", "black", "survey", "web", "consent_granted"})
    EXPECT_THAT(exported.out, HasSubstr(word));

  const Ran flat = desk.run({"export", "person", "acme", "alice", "--format", "flatbuffers"});
  const json told = json::parse(desk.run({"export", "read"}, flat.out).out);
  EXPECT_EQ(told["records"], person["records"]);
  EXPECT_EQ(desk.code({"export", "read"}, "nothing of the kind"), "corruption");
  EXPECT_EQ(desk.code({"export", "person", "acme", "nobody"}), "subject_unknown");
}

TEST(Export, OfATenantHasEveryPersonOnce) {
  const Desk desk;
  for (const char* person : {"alice", "bob", "carol"}) desk.put("ratings", person);
  const Ran exported = desk.json_of({"export", "tenant", "acme"});
  std::vector<std::string> ids;
  for (const json& person : objects_of(exported)) ids.push_back(person["subject"]["id"]);
  EXPECT_THAT(ids, ::testing::UnorderedElementsAre("alice", "bob", "carol"));
  EXPECT_EQ(json::parse(exported.err)["exported"], 3);
}

TEST(Export, SealedOpensForItsRecipientAlone) {
  const Desk desk;
  desk.put("ratings");
  const std::string mine = (desk.path() / "mine").string();
  const std::string other = (desk.path() / "other").string();
  ASSERT_EQ(desk.run({"keygen", mine}).status, 0);
  ASSERT_EQ(desk.run({"keygen", other}).status, 0);
  EXPECT_EQ(desk.code({"keygen", mine}), "exists");
  const auto mode = [](const std::string& file) {
    return std::filesystem::status(file).permissions();
  };
  EXPECT_EQ(mode(mine), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  const Ran sealed = desk.run({"export", "person", "acme", "alice", "--to-key", mine + ".pub"});
  ASSERT_EQ(sealed.status, 0) << sealed.err;
  EXPECT_THAT(sealed.out, Not(HasSubstr("green")));
  EXPECT_TRUE(desk.run({"export", "open", "--key", mine}, sealed.out).out ==
              desk.run({"export", "person", "acme", "alice"}).out);
  EXPECT_EQ(desk.code({"export", "open", "--key", other}, sealed.out), "corruption");
  EXPECT_EQ(
      desk.code({"export", "open", "--key", mine}, sealed.out.substr(0, sealed.out.size() - 1)),
      "corruption");
  write_file(desk.path() / "no.pub", std::string(64, 'x') + '\n');
  EXPECT_EQ(desk.code({"export", "person", "acme", "alice", "--to-key",
                       (desk.path() / "no.pub").string()}),
            "invalid_argument");
  std::filesystem::permissions(mine, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(desk.code({"export", "open", "--key", mine}, sealed.out), "unsafe_path");
}

TEST(Query, AnswersWhomTheConditionsFit) {
  const Desk desk;
  for (const char* person : {"alice", "bob", "carol"}) desk.put("support", person);
  desk.act({"consent", "grant"}, {"--purpose", "letters"});
  desk.code({"object", "acme", "bob", "--purpose", "support"});
  desk.code({"restrict", "acme", "carol"});
  desk.code({"put", "acme", "alice", "n", "--purpose", "support", "--recipient", "printer",
             "--automated"},
            "v");
  const auto who = [&](Words conditions) {
    Words words = {"query", "acme"};
    words.insert(words.end(), conditions.begin(), conditions.end());
    std::vector<std::string> ids;
    for (const json& object : objects_of(desk.json_of(words)))
      if (object.contains("id")) ids.push_back(object["id"]);
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  EXPECT_THAT(who({}), ElementsAre("alice", "bob", "carol"));
  EXPECT_THAT(who({"--purpose", "letters", "--consent", "yes"}), ElementsAre("alice"));
  EXPECT_THAT(who({"--purpose", "letters", "--consent", "no"}), ElementsAre("bob", "carol"));
  EXPECT_THAT(who({"--objected", "yes"}), ElementsAre("bob"));
  EXPECT_THAT(who({"--restricted", "yes"}), ElementsAre("carol"));
  EXPECT_THAT(who({"--recipient", "printer"}), ElementsAre("alice"));
  EXPECT_THAT(who({"--automated"}), ElementsAre("alice"));
  EXPECT_THAT(who({"--held", "yes"}), ElementsAre());
  EXPECT_EQ(desk.run({"query", "acme", "--restricted", "no", "--count"}).out, "2\n");
  EXPECT_EQ(desk.code({"query", "acme", "--held", "maybe"}), "usage");
  EXPECT_EQ(desk.code({"query", "acme", "--limit", "0"}), "usage");
  EXPECT_EQ(desk.code({"query", "acme", "--expires-before", "soon"}), "usage");
}

TEST(Query, GoesOnWhereALimitStopped) {
  const Desk desk;
  std::string lines = "who,n\n";
  for (int i = 0; i < 300; ++i) lines += "person" + std::to_string(i) + ",1\n";
  desk.run(
      {"import", "acme", "--purpose", "ratings", "--subject", "who", "--name", "{n}", "--csv", "-"},
      lines);
  std::set<std::string> ids;
  std::string cursor;
  int pages = 0;
  do {
    Words words = {"query", "acme", "--limit", "20"};
    if (!cursor.empty()) words.insert(words.end(), {"--cursor", cursor});
    for (const json& object : objects_of(desk.json_of(words))) {
      if (object.contains("id")) {
        EXPECT_TRUE(ids.insert(object["id"]).second);
      }
      if (object.contains("cursor")) cursor = object["cursor"].is_null() ? "" : object["cursor"];
    }
  } while (!cursor.empty() && ++pages < 300);
  EXPECT_EQ(ids.size(), 300u);
  EXPECT_GT(pages, 1);
  EXPECT_EQ(desk.code({"query", "acme", "--cursor", "none"}), "invalid_argument");
}

TEST(Processing, IsRecordedFromWhatIsThere) {
  const Desk desk;
  desk.put("support");
  desk.act({"consent", "grant"}, {"--purpose", "letters"});
  desk.act({"object"}, {"--purpose", "support"});
  desk.code({"put", "acme", "bob", "tea", "--purpose", "support", "--recipient", "printer"}, "v");
  const json record = json::parse(desk.json_of({"tenant", "processing", "acme"}).out);
  EXPECT_EQ(record["tenant"], "acme");
  EXPECT_EQ(record["regions"], json::array({"eu"}));
  EXPECT_TRUE(record["agreement"].is_null());
  EXPECT_EQ(record["people"], 2);
  ASSERT_EQ(record["purposes"].size(), 3u);
  EXPECT_EQ(record["purposes"][1]["consents"], 1);
  EXPECT_EQ(record["purposes"][2]["objections"], 1);
  EXPECT_EQ(record["purposes"][2]["recipients"], json::array({"printer"}));
  EXPECT_THAT(desk.run({"tenant", "processing", "acme"}).out,
              HasSubstr("purpose support: legitimate_interest, kept until erased\n"
                        "  categories: none\n  recipients: printer\n"));
}

TEST(Purpose, SaysItsCategories) {
  const Desk desk;
  EXPECT_EQ(desk.run({"purpose", "add", "acme", "taste", "--basis", "contract", "--category",
                      "films", "--category", "music"})
                .out,
            "taste: contract, kept until erased, of films and music\n");
  EXPECT_EQ(objects_of(desk.json_of({"purpose", "list", "acme"})).back()["categories"],
            (json{"films", "music"}));
  EXPECT_EQ(desk.code({"purpose", "add", "acme", "x", "--basis", "contract", "--category", "No!"}),
            "invalid_argument");
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
