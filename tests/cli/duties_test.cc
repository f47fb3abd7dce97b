// What a person takes along, who may be asked about, and what a controller puts on record, by
// command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "cli/desk.h"

namespace {

using efface::test::code_of;
using efface::test::Desk;
using efface::test::objects_of;
using efface::test::Ran;
using efface::test::Shop;
using efface::test::write_file;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = Shop::Words;

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

}  // namespace
