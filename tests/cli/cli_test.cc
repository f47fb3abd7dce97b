#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run.h"

namespace {

namespace fs = std::filesystem;
using efface::test::content_of;
using efface::test::Ran;
using efface::test::Shop;
using efface::test::write_file;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string code_of(const Ran& ran) {
  const json error = json::parse(ran.err, nullptr, false);
  return error.is_discarded() ? "not JSON" : error["error"]["code"].get<std::string>();
}

TEST(CommandLine, KeepsRecordsAndForgetsAPerson) {
  Shop shop;
  shop.open_for_business();
  EXPECT_EQ(shop.run({"put", "acme", "alice", "tea", "--purpose", "ratings"}, "green").status, 0);
  EXPECT_EQ(shop.run({"put", "acme", "bob", "tea", "--purpose", "ratings"}, "black").status, 0);
  EXPECT_EQ(shop.run({"get", "acme", "alice", "tea", "--purpose", "ratings"}).out, "green");

  const Ran erased = shop.run({"erase", "acme", "alice", "--json"});
  ASSERT_EQ(erased.status, 0);
  const json said = json::parse(erased.out);
  EXPECT_EQ(said["erased"], 1);
  EXPECT_EQ(said["unknown"], 0);
  EXPECT_GT(said["regions"][0]["epoch_after"], said["regions"][0]["epoch_before"]);
  EXPECT_THAT(said["regions"][0]["assurance"].get<std::string>(), StartsWith("L"));
  EXPECT_NE(said["regions"][0]["rests_on"], "");

  const Ran gone = shop.run({"get", "acme", "alice", "tea", "--purpose", "ratings", "--json"});
  const Ran never = shop.run({"get", "acme", "carol", "tea", "--purpose", "ratings", "--json"});
  EXPECT_EQ(gone.status, 1);
  EXPECT_EQ(code_of(gone), "subject_unknown");
  EXPECT_EQ(gone.err, never.err);
  EXPECT_EQ(shop.run({"get", "acme", "bob", "tea", "--purpose", "ratings"}).out, "black");
}

TEST(CommandLine, SaysHowLongAnErasureTookAndWhatItRestsOn) {
  Shop shop;
  shop.open_for_business();
  shop.run({"put", "acme", "alice", "tea", "--purpose", "ratings"}, "green");
  const Ran erased = shop.run({"erase", "acme", "alice", "nobody"});
  EXPECT_THAT(erased.out, ::testing::ContainsRegex("^erased 1 person in [0-9.]+ m?s, 1 unknown\n"
                                                   "region eu: epoch [0-9]+ is over, now [0-9]+; "
                                                   "assurance L[0-4]: .+\n$"));
}

TEST(CommandLine, GivesAValueBackByteForByteAndNothingElse) {
  Shop shop;
  shop.open_for_business();
  std::string value;
  for (int byte = 0; byte < 256; ++byte) value.push_back(static_cast<char>(byte));
  ASSERT_EQ(shop.run({"put", "acme", "alice", "all", "--purpose", "ratings"}, value).status, 0);
  const Ran got = shop.run({"get", "acme", "alice", "all", "--purpose", "ratings"});
  EXPECT_TRUE(got.out == value);
  EXPECT_EQ(got.err, "");
  const json object =
      json::parse(shop.run({"get", "acme", "alice", "all", "--purpose", "ratings", "--json"}).out);
  EXPECT_FALSE(object.contains("value"));
  EXPECT_THAT(object["value_base64"].get<std::string>(), StartsWith("AAECAwQF"));

  shop.run({"put", "acme", "alice", "none", "--purpose", "ratings"}, "");
  EXPECT_EQ(shop.run({"get", "acme", "alice", "none", "--purpose", "ratings", "--json"}).out,
            "{\"value\":\"\"}\n");
}

TEST(CommandLine, RefusesAValueOver16MiBAndTakesOneOf16MiB) {
  Shop shop;
  shop.open_for_business();
  const std::string most(16 << 20, 'x');
  EXPECT_EQ(shop.run({"put", "acme", "a", "n", "--purpose", "ratings"}, most).status, 0);
  const Ran over =
      shop.run({"put", "acme", "a", "n", "--purpose", "ratings", "--json"}, most + 'x');
  EXPECT_EQ(over.status, 1);
  EXPECT_EQ(code_of(over), "too_large");
  EXPECT_TRUE(shop.run({"get", "acme", "a", "n", "--purpose", "ratings"}).out == most);
}

TEST(CommandLine, ListsNamesInOrderOneALine) {
  Shop shop;
  shop.open_for_business();
  for (const char* name : {"b", "a\nb\t\\", "ab", "a"})
    shop.run({"put", "acme", "alice", name, "--purpose", "ratings"}, "line\n\x1b[31m");
  EXPECT_EQ(shop.run({"list", "acme", "alice", "--purpose", "ratings"}).out,
            "a\na\\nb\\t\\\\\nab\nb\n");
  EXPECT_EQ(
      shop.run({"list", "acme", "alice", "--purpose", "ratings", "--prefix", "ab", "--values"}).out,
      "ab\tline\\n\\x1b[31m\n");
  EXPECT_EQ(shop.run({"list", "acme", "alice", "--purpose", "ratings", "--json", "--values",
                      "--prefix", "a\n"})
                .out,
            "{\"name\":\"a\\nb\\t\\\\\",\"value\":\"line\\n\\u001b[31m\"}\n");
}

TEST(CommandLine, RemovesARecordOnce) {
  Shop shop;
  shop.open_for_business();
  shop.run({"put", "acme", "alice", "tea", "--purpose", "ratings"}, "green");
  EXPECT_EQ(shop.run({"remove", "acme", "alice", "tea", "--purpose", "ratings"}).status, 0);
  const Ran again = shop.run({"remove", "acme", "alice", "tea", "--purpose", "ratings", "--json"});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(code_of(again), "record_unknown");
  EXPECT_EQ(code_of(shop.run({"get", "acme", "alice", "tea", "--purpose", "ratings", "--json"})),
            "record_unknown");
}

TEST(CommandLine, TakesPeopleFromStdinAndFromFiles) {
  Shop shop;
  shop.open_for_business();
  const std::string file = (shop.path() / "id.txt").string();
  write_file(file, "alice@example.org\r\nmore\n");
  ASSERT_EQ(shop.run({"put", "acme", "@" + file, "tea", "--purpose", "ratings"}, "green").status,
            0);
  EXPECT_EQ(shop.run({"get", "acme", "-", "tea", "--purpose", "ratings"}, "alice@example.org").out,
            "green");
  EXPECT_EQ(shop.run({"get", "acme", "alice@example.org", "tea", "--purpose", "ratings"}).out,
            "green");
  const Ran both = shop.run({"put", "acme", "-", "tea", "--purpose", "ratings"}, "alice\n");
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err, HasSubstr("stdin is the value"));
  EXPECT_EQ(shop.run({"list", "acme", "-", "--purpose", "ratings"}, "").status, 1);
  EXPECT_EQ(shop.run({"erase", "acme", "-", "-"}, "bob\nalice@example.org\n").status, 0);
  EXPECT_EQ(shop.run({"list", "acme", "@" + file, "--purpose", "ratings"}).status, 1);
}

TEST(CommandLine, TakesIdsThatLookLikeSomethingElse) {
  Shop shop;
  shop.open_for_business();
  for (const char* id : {"[a,b]", "{}", "list", "-5", "a=b", "%%", "++x"}) {
    const Ran put = shop.run({"put", "acme", "--purpose", "ratings", "--", id, "tea"}, id);
    EXPECT_EQ(put.status, 0) << put.err;
    EXPECT_EQ(shop.run({"get", "acme", "--purpose", "ratings", "--", id, "tea"}).out, id);
  }
  EXPECT_EQ(shop.run({"get", "acme", "--purpose", "ratings", "--", "a", "tea"}).status, 1);
  const Ran erased = shop.run({"erase", "acme", "{}", "[a,b]", "--json", "--", "list", "-5", "%%"});
  EXPECT_EQ(json::parse(erased.out)["erased"], 5) << erased.err;
  EXPECT_EQ(json::parse(erased.out)["unknown"], 0);
  EXPECT_EQ(shop.run({"get", "acme", "a=b", "tea", "--purpose", "ratings"}).out, "a=b");
}

TEST(CommandLine, ErasesWhomAFileNames) {
  Shop shop;
  shop.open_for_business();
  for (const char* id : {"alice", "bob", "carol"})
    shop.run({"put", "acme", id, "tea", "--purpose", "ratings"}, "green");
  const std::string file = (shop.path() / "ids.txt").string();
  write_file(file, "alice\nbob\n\ncarol\n");
  const Ran bad = shop.run({"erase", "acme", "--from", file, "--json"});
  EXPECT_EQ(bad.status, 1);
  EXPECT_EQ(json::parse(bad.err)["error"]["line"], 3);
  EXPECT_EQ(shop.run({"get", "acme", "alice", "tea", "--purpose", "ratings"}).out, "green");

  write_file(file, "alice\nbob\nalice\nnobody");
  const json said = json::parse(shop.run({"erase", "acme", "--from", file, "--json"}).out);
  EXPECT_EQ(said["erased"], 2);
  EXPECT_EQ(said["unknown"], 1);
  EXPECT_EQ(shop.run({"get", "acme", "carol", "tea", "--purpose", "ratings"}).out, "green");
  const Ran none = shop.run({"erase", "acme", "--from", file, "--json"});
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(code_of(none), "subject_unknown");
}

TEST(CommandLine, OffboardsATenantOnlyByTheTokenOfAPlan) {
  Shop shop;
  shop.open_for_business();
  shop.run({"put", "acme", "alice", "tea", "--purpose", "ratings"}, "green");
  const Ran planned = shop.run({"tenant", "offboard", "acme", "--json"});
  EXPECT_EQ(planned.status, 0);
  const json plan = json::parse(planned.out);
  EXPECT_EQ(plan["people"], 1);
  EXPECT_EQ(plan["held"], 0);
  EXPECT_EQ(plan["regions"], json::array({"eu"}));
  const std::string token = plan["token"];
  EXPECT_EQ(code_of(shop.run({"tenant", "offboard", "acme", "--token", token + "0", "--json"})),
            "conflict");
  shop.run({"put", "acme", "bob", "tea", "--purpose", "ratings"}, "black");
  EXPECT_EQ(code_of(shop.run({"tenant", "offboard", "acme", "--token", token, "--json"})),
            "conflict");
  EXPECT_EQ(shop.run({"get", "acme", "alice", "tea", "--purpose", "ratings"}).out, "green");
  const json again = json::parse(shop.run({"tenant", "offboard", "acme", "--json"}).out);
  const Ran gone =
      shop.run({"tenant", "offboard", "acme", "--token", again["token"].get<std::string>()});
  EXPECT_EQ(gone.status, 0);
  EXPECT_THAT(gone.out, StartsWith("erased 1 tenant in "));
  EXPECT_EQ(code_of(shop.run({"purpose", "list", "acme", "--json"})), "tenant_unknown");
  EXPECT_EQ(shop.run({"tenant", "list"}).out, "");
}

TEST(CommandLine, GivesBackTheSpaceOfTheErased) {
  Shop shop;
  shop.open_for_business();
  for (int i = 0; i < 20; ++i)
    shop.run({"put", "acme", "alice", "tea" + std::to_string(i), "--purpose", "ratings"}, "green");
  const auto before =
      json::parse(shop.run({"stat", "--json"}).out.substr(0, std::string::npos), nullptr, false);
  EXPECT_TRUE(before.is_discarded());  // Several objects, one a line.
  shop.run({"erase", "acme", "alice"});
  const json swept = json::parse(shop.run({"maintain", "--json"}).out);
  EXPECT_GE(swept["records_removed"], 20);
  std::istringstream lines(shop.run({"stat", "--json"}).out);
  std::string region;
  std::getline(lines, region);
  EXPECT_EQ(json::parse(region)["records"], 0);
  EXPECT_EQ(json::parse(region)["reclaim_entries"], 0);
}

TEST(CommandLine, KeepsTwoRegionsApart) {
  Shop shop;
  const std::string store = (shop.path() / "people").string();
  const std::string eu = (shop.path() / "eu.root").string();
  const std::string us = (shop.path() / "us.root").string();
  ASSERT_EQ(shop.run({"init", store, "--region", "eu", "--region",
                      "us=" + (shop.path() / "elsewhere").string(), "--root-key", "eu=" + eu,
                      "--root-key", "us=" + us})
                .status,
            0);
  EXPECT_TRUE(fs::is_directory(shop.path() / "elsewhere"));
  shop.set("EFFACE_STORE", store);
  shop.set("EFFACE_ROOT_KEY", "eu=" + eu + ":us=" + us);
  EXPECT_EQ(shop.run({"tenant", "add", "acme"}).status, 2);  // Which of two regions?
  EXPECT_EQ(shop.run({"tenant", "add", "acme", "--region", "eu", "--region", "us"}).status, 0);
  shop.run({"purpose", "add", "acme", "ratings", "--basis", "contract"});
  const Shop::Words put = {"put", "acme", "alice", "tea", "--purpose", "ratings", "--json"};
  const auto in = [&](const char* region) {
    Shop::Words words = put;
    words.insert(words.end(), {"--region", region});
    return words;
  };
  EXPECT_EQ(code_of(shop.run(put, "green")), "usage");  // New, and where?
  EXPECT_EQ(shop.run(in("us"), "green").status, 0);
  EXPECT_EQ(shop.run(put, "white").status, 0);  // She is known: at home in us.
  const Ran elsewhere = shop.run(in("eu"), "green");
  EXPECT_EQ(elsewhere.status, 1);
  EXPECT_EQ(code_of(elsewhere), "region_mismatch");
  EXPECT_EQ(code_of(shop.run(in("mars"), "green")), "region_unknown");

  shop.set("EFFACE_ROOT_KEY", eu);  // No name, two regions.
  EXPECT_EQ(shop.run({"stat"}).status, 2);
  shop.set("EFFACE_ROOT_KEY", "eu=" + eu);
  const Ran closed = shop.run({"get", "acme", "alice", "tea", "--purpose", "ratings", "--json"});
  EXPECT_EQ(closed.status, 1);
  EXPECT_EQ(code_of(closed), "region_not_open");
  EXPECT_THAT(shop.run({"stat"}).out, HasSubstr("region us: not open"));
}

TEST(CommandLine, OpensRootKeysWithAPassphraseFromAFile) {
  Shop shop;
  const std::string store = (shop.path() / "people").string();
  const std::string root = (shop.path() / "eu.root").string();
  const std::string file = (shop.path() / "pass").string();
  write_file(file, "correct horse\n");
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  const Shop::Words init = {"init", store,    "--region",          "eu", "--root-key",
                            root,   "--json", "--passphrase-file", file};
  EXPECT_EQ(code_of(shop.run(init)), "unsafe_path");
  EXPECT_FALSE(fs::exists(root));
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  ASSERT_EQ(shop.run(init).status, 0);

  shop.set("EFFACE_STORE", store);
  shop.set("EFFACE_ROOT_KEY", root);
  EXPECT_EQ(code_of(shop.run({"stat", "--json"})), "passphrase_wrong");
  shop.set("EFFACE_PASSPHRASE_FILE", file);
  EXPECT_EQ(shop.run({"stat", "--json"}).status, 0);
  write_file(file, "correct house\n");
  const Ran wrong = shop.run({"stat", "--json"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_EQ(code_of(wrong), "passphrase_wrong");
}

TEST(CommandLine, LeavesNoRootKeyBehindWhenAStoreCannotBeMade) {
  Shop shop;
  shop.open_for_business();
  const std::string fresh = (shop.path() / "fresh.root").string();
  const Ran again = shop.run(
      {"init", (shop.path() / "people").string(), "--region", "eu", "--root-key", fresh, "--json"});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(code_of(again), "exists");
  EXPECT_FALSE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(shop.path() / "eu.root"));

  const std::string second = (shop.path() / "second").string();
  const Ran inside =
      shop.run({"init", second, "--region", "eu", "--root-key", second + "/eu.root", "--json"});
  EXPECT_EQ(code_of(inside), "unsafe_path");
  const Ran missing = shop.run(
      {"init", second, "--region", "eu", "--region", "us", "--root-key", "eu=" + fresh, "--json"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_FALSE(fs::exists(fresh));
  EXPECT_FALSE(fs::exists(second));
}

TEST(CommandLine, RefusesAKeyringFromBeforeAnErasure) {
  Shop shop;
  shop.open_for_business();
  shop.run({"put", "acme", "alice", "tea", "--purpose", "ratings"}, "green");
  fs::copy(shop.path() / "people", shop.path() / "copy", fs::copy_options::recursive);
  fs::permissions(shop.path() / "copy", fs::perms::owner_all);
  shop.run({"erase", "acme", "alice"});
  const Ran stale = shop.run({"stat", "--store", (shop.path() / "copy").string(), "--json"});
  EXPECT_EQ(stale.status, 1);
  EXPECT_EQ(code_of(stale), "keyring_stale");
}

}  // namespace
