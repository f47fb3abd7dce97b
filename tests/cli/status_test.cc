#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run.h"
#include "efface/result.h"
#include "tools/failure.h"

namespace {

namespace fs = std::filesystem;
using efface::test::content_of;
using efface::test::Ran;
using efface::test::Shop;
using efface::test::write_file;
using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string code_of(const Ran& ran) {
  const json error = json::parse(ran.err, nullptr, false);
  return error.is_discarded() ? "not JSON" : error["error"]["code"].get<std::string>();
}

TEST(Status, IsThreeOnlyForWhatTheSystemOrTheDiskDid) {
  using efface::Errc;
  using efface::cli::Exit;
  using efface::cli::exit_of;
  for (const Errc code :
       {Errc::corruption, Errc::full, Errc::no_space, Errc::io, Errc::outcome_unknown, Errc::closed,
        Errc::forked, Errc::out_of_memory, Errc::erase_pending})
    EXPECT_EQ(exit_of(code), Exit::broken) << efface::name(code);
  for (const Errc code : {Errc::invalid_argument, Errc::subject_unknown, Errc::region_mismatch,
                          Errc::keyring_stale, Errc::passphrase_wrong, Errc::memory_not_locked})
    EXPECT_EQ(exit_of(code), Exit::refused) << efface::name(code);
}

TEST(Status, IsWrittenDownForEveryCode) {
  const std::string page = content_of(EFFACE_SOURCE_DIR "/docs/cli.md");
  const std::size_t refused = page.find("\n| 1 | "), usage = page.find("\n| 2 | "),
                    broken = page.find("\n| 3 | ");
  ASSERT_NE(broken, std::string::npos);
  const std::string none = efface::name(static_cast<efface::Errc>(9'999));
  int codes = 0;
  for (std::uint16_t number = 1; number < 100; ++number) {
    const auto code = static_cast<efface::Errc>(number);
    if (efface::name(code) == none) continue;
    ++codes;
    const std::size_t at = page.find('`' + std::string(efface::name(code)) + '`', refused);
    ASSERT_NE(at, std::string::npos) << efface::name(code);
    EXPECT_EQ(efface::cli::exit_of(code) == efface::cli::Exit::broken, at > broken)
        << efface::name(code);
    EXPECT_TRUE(at < usage || at > broken) << efface::name(code);
  }
  EXPECT_GT(codes, 30);
}

TEST(Status, SaysWhatKindOfWrongItWas) {
  Shop shop;
  shop.open_for_business();
  struct Case {
    Shop::Words words;
    int status;
    const char* code;
  };
  const std::vector<Case> cases = {
      {{"tenant", "list"}, 0, ""},
      {{"get", "acme", "x", "y", "--purpose", "ratings"}, 1, "subject_unknown"},
      {{"get", "acme", "x", "y", "--purpose", "sales"}, 1, "purpose_unknown"},
      {{"get", "acmes", "x", "y", "--purpose", "ratings"}, 1, "tenant_unknown"},
      {{"put", "acme", "", "y", "--purpose", "ratings"}, 1, "invalid_argument"},
      {{"put", "acme", std::string(257, 'x'), "y", "--purpose", "ratings"}, 1, "too_large"},
      {{"put", "acme", "x", std::string(1025, 'y'), "--purpose", "ratings"}, 1, "too_large"},
      {{"put", "acme", "\xff", "y", "--purpose", "ratings"}, 1, "invalid_argument"},
      {{"tenant", "add", "acme"}, 1, "exists"},
      {{"tenant", "add", "No Label"}, 1, "invalid_argument"},
      {{"purpose", "add", "acme", "ratings", "--basis", "consent"}, 1, "conflict"},
      {{"purpose", "add", "acme", "p", "--basis", "whim"}, 2, "usage"},
      {{"purpose", "add", "acme", "p", "--basis", "contract", "--retain", "2"}, 2, "usage"},
      {{"purpose", "add", "acme", "p", "--basis", "contract", "--retain", "200y"}, 2, "usage"},
      {{"stat", "--store", (shop.path() / "none").string()}, 1, "store_missing"},
      {{"stat", "--root-key", (shop.path() / "none").string()}, 1, "root_key_missing"},
      {{"stat", "--root-key", "mars=" + (shop.path() / "eu.root").string()}, 1, "region_unknown"},
      {{"stat", "--accept-level", "L9"}, 2, "usage"},
      {{"get", "acme"}, 2, "usage"},
      {{"import", "acme", "--purpose", "ratings", "--subject", "u", "--name", "{m}"}, 2, "usage"},
      {{"import", "acme", "--purpose", "ratings", "--subject", "u", "--name", "{m", "--csv", "-"},
       2,
       "usage"},
      {{"import", "acme", "--purpose", "ratings", "--subject", "u", "--name", "{m}", "--csv",
        (shop.path() / "none").string()},
       3,
       "io"},
  };
  for (const Case& one : cases) {
    Shop::Words words = one.words;
    words.emplace_back("--json");
    const Ran ran = shop.run(words);
    EXPECT_EQ(ran.status, one.status) << one.code;
    if (one.status == 0) {
      EXPECT_EQ(ran.err, "");
    } else {
      EXPECT_EQ(code_of(ran), one.code);
      EXPECT_THAT(ran.err, EndsWith("}\n"));
      EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
      const Ran text = shop.run(one.words);
      EXPECT_THAT(text.err, StartsWith(std::string("efface: ") + one.code + ": "));
    }
  }
}

TEST(Status, IsThreeForAFileThatDoesNotVerify) {
  Shop shop;
  shop.open_for_business();
  fs::path data;
  for (const auto& entry : fs::recursive_directory_iterator(shop.path() / "people"))
    if (entry.path().filename() == "data.mdb" && entry.path().parent_path().filename() == "keyring")
      data = entry.path();
  ASSERT_FALSE(data.empty());
  fs::resize_file(data, 100);
  for (const bool verify : {false, true}) {
    Shop::Words words = {"stat", "--json"};
    if (verify) words.emplace_back("--verify");
    const Ran ran = shop.run(words);
    EXPECT_EQ(ran.status, 3);
    EXPECT_EQ(code_of(ran), "corruption");
  }
}

TEST(Errors, NameNoPersonNoRecordNoValueAndNoPath) {
  Shop shop;
  shop.open_for_business();
  const std::string canary = "canary4711";
  const std::string file = (shop.path() / canary).string();
  shop.run({"put", "acme", canary, canary, "--purpose", "ratings"}, canary);
  write_file(file, canary + "\n" + canary + ",\"" + canary + "\"x\n\xff" + canary + "\n");
  const std::string from_none = (shop.path() / "no" / canary).string();
  const std::vector<Shop::Words> wrong = {
      {canary},
      {"--" + canary},
      {"get", canary, canary},
      {"get", "acme", canary, canary, canary, "--purpose", "ratings"},
      {"get", "acme", canary, canary, "--" + canary},
      {"get", "acme", canary, canary, "--purpose=ratings", "--" + canary + "=" + canary},
      {"get", "acme", canary, canary + "2", "--purpose", "ratings"},
      {"get", "acme", canary + "2", canary, "--purpose", "ratings"},
      {"get", "acme", canary, canary, "--purpose", canary},
      {"get", "acme", "@" + from_none, canary, "--purpose", "ratings"},
      {"put", "acme", canary + "\xff", canary, "--purpose", "ratings"},
      {"put", "acme", canary, canary + "\xff", "--purpose", "ratings"},
      {"put", "acme", canary + std::string(256, 'x'), canary, "--purpose", "ratings"},
      {"put", "acme", canary, canary, "--purpose", "ratings", "--region", canary},
      {"tenant", "add", canary + "!"},
      {"tenant", canary},
      {"tenant", "offboard", "acme", "--token", canary},
      {"tenant", "agreement", "set", "acme", "--reference", canary, "--date", canary},
      {"tenant", "agreement", "set", "acme", "--reference", canary + std::string(64, 'x'), "--date",
       "2026-01-01"},
      {"transfer", "rule", "add", "acme", "--from", canary, "--to", canary, "--basis", "adequacy"},
      {"transfer", "rule", "add", "acme", "--from", "eu", "--to", canary, "--basis", canary},
      {"put", "acme", canary, canary, "--purpose", "ratings", "--origin", canary + "\xff"},
      {"put", "acme", canary, canary, "--purpose", "ratings", "--also", canary},
      {"put", "acme", canary, canary, "--purpose", "ratings", "--retain", canary},
      {"consent", "grant", "acme", canary, "--purpose", "ratings", "--channel", canary},
      {"consent", "grant", "acme", canary, "--purpose", canary},
      {"consent", "grant", "acme", canary, "--purpose", "ratings", "--when", canary},
      {"consent", "withdraw", "acme", canary, "--purpose", "ratings", "--channel", canary},
      {"consent", "show", "acme", canary + "2"},
      {"consent", "show", "acme", canary, "--purpose", canary},
      {"object", "acme", canary, "--purpose", "ratings"},
      {"restrict", "acme", canary + "2"},
      {"lift", "acme", canary + "2"},
      {"reinstate", "acme", canary, "--reason", canary},
      {"suppress", "acme", canary + std::string(256, 'x')},
      {"hold", "add", "acme", canary, "--basis", canary + "!", "--reason", canary},
      {"hold", "add", "acme", canary, "--basis", "tax", "--reason", canary, "--until", canary},
      {"hold", "release", "acme", canary, "1"},
      {"hold", "release", "acme", canary, canary},
      {"hold", "show", "acme", canary + "2"},
      {"transfer", "person", "acme", canary, "--to", canary, "--basis", "adequacy"},
      {"query", "acme", "--purpose", canary},
      {"query", "acme", "--consent", canary},
      {"query", "acme", "--cursor", canary},
      {"query", "acme", "--limit", canary},
      {"query", "acme", "--expires-before", canary},
      {"tenant", "processing", canary},
      {"export", "person", "acme", canary + "2"},
      {"export", "person", "acme", canary, "--format", canary},
      {"export", "person", "acme", canary, "--to-key", from_none},
      {"export", "person", "acme", canary, "--to-key", file},
      {"export", "tenant", canary},
      {"export", "open", "--key", file},
      {"export", "open", from_none, "--key", from_none},
      {"export", "read", file},
      {"keygen", from_none},
      {"keygen", file},
      {"identifier", "add", "acme", canary, canary + "\xff"},
      {"identifier", "add", "acme", canary + "2", canary},
      {"identifier", "list", "acme", canary + "2"},
      {"merge", "acme", canary, canary + "2"},
      {"retention", "show", canary},
      {"retention", "commit", "--token", canary},
      {"maintain", "--residue-window", canary},
      {"maintain", "--expiry-days-max", canary},
      {"stat", "--processing-region", canary + "!"},
      {"purpose", "add", "acme", canary, "--basis", canary},
      {"purpose", "add", "acme", canary, "--basis", "contract", "--retain", canary},
      {"erase", "acme", canary + "2"},
      {"erase", "acme", "[" + canary + "]"},
      {"erase", "acme", "--from", file},
      {"erase", "acme", "--from", from_none},
      {"stat", "--store", from_none},
      {"stat", "--root-key", from_none},
      {"stat", "--accept-level", canary},
      {"stat", "--passphrase-file", from_none},
      {"init", from_none, "--region", "eu", "--root-key", from_none + ".root"},
      {"import", "acme", "--purpose", "ratings", "--subject", canary, "--name", "{" + canary + "x}",
       "--csv", file},
      {"import", "acme", "--purpose", "ratings", "--subject", canary, "--name", canary, "--csv",
       file},
      {"import", "acme", "--purpose", "ratings", "--subject", canary, "--name", canary, "--csv",
       file, "--skip-bad"},
      {"import", "acme", "--purpose", "ratings", "--subject", canary, "--name", canary, "--ndjson",
       file},
      {"import", "acme", "--purpose", "ratings", "--subject", canary, "--name", "{" + canary,
       "--ndjson", from_none},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i)
    for (const bool in_json : {false, true}) {
      Shop::Words words = wrong[i];
      if (in_json) words.emplace_back("--json");
      const Ran ran = shop.run(words, canary);
      EXPECT_NE(ran.err, "") << "case " << i;
      EXPECT_THAT(ran.err, Not(HasSubstr(canary))) << "case " << i;
    }
}

TEST(Usage, SuggestsTheVerbThatWasMeant) {
  const Shop shop;
  const auto said = [&](const Shop::Words& words) {
    const Ran ran = shop.run(words);
    EXPECT_EQ(ran.status, 2);
    return ran.err;
  };
  EXPECT_THAT(said({"gte", "acme", "x"}), HasSubstr("did you mean `efface get`?"));
  EXPECT_THAT(said({"improt"}), HasSubstr("did you mean `efface import`?"));
  EXPECT_THAT(said({"offboard", "acme"}), HasSubstr("did you mean `efface tenant offboard`?"));
  EXPECT_THAT(said({"tenant", "lst"}), HasSubstr("did you mean `efface tenant list`?"));
  EXPECT_THAT(said({"delete", "x"}), HasSubstr("did you mean `efface remove`?"));
  EXPECT_THAT(said({"release", "acme"}), HasSubstr("did you mean `efface hold release`?"));
  EXPECT_THAT(said({"tenant", "agreement", "shwo"}),
              HasSubstr("did you mean `efface tenant agreement show`?"));
  EXPECT_THAT(said({"xyzzy"}), HasSubstr("there are init, "));
  EXPECT_THAT(said({"purpose"}), HasSubstr("a verb is missing: add, list"));
  EXPECT_THAT(said({}), HasSubstr("a verb is missing: init, "));
  EXPECT_THAT(said({"list", "acme", "x", "--valeus", "--purpose", "p"}),
              HasSubstr("did you mean --values?"));
}

TEST(Usage, TakesOneValueForEachTimeAnOptionIsGiven) {
  Shop shop;
  // The directory after --region's value is the directory, not one more region.
  const Ran made = shop.run({"init", "--region", "eu", "--root-key",
                             (shop.path() / "eu.root").string(), (shop.path() / "store").string()});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(fs::is_directory(shop.path() / "store"));
}

TEST(Help, ShowsEachVerbWithAnExample) {
  const Shop shop;
  const std::vector<Shop::Words> verbs = {{"init"},
                                          {"tenant", "add"},
                                          {"tenant", "list"},
                                          {"tenant", "offboard"},
                                          {"purpose", "add"},
                                          {"purpose", "list"},
                                          {"import"},
                                          {"put"},
                                          {"get"},
                                          {"remove"},
                                          {"list"},
                                          {"consent", "grant"},
                                          {"consent", "withdraw"},
                                          {"consent", "show"},
                                          {"object"},
                                          {"restrict"},
                                          {"lift"},
                                          {"suppress"},
                                          {"reinstate"},
                                          {"hold", "add"},
                                          {"hold", "release"},
                                          {"hold", "show"},
                                          {"retention", "show"},
                                          {"retention", "plan"},
                                          {"retention", "commit"},
                                          {"tenant", "agreement", "set"},
                                          {"tenant", "agreement", "show"},
                                          {"transfer", "rule", "add"},
                                          {"transfer", "person"},
                                          {"query"},
                                          {"export", "person"},
                                          {"export", "tenant"},
                                          {"export", "open"},
                                          {"export", "read"},
                                          {"keygen"},
                                          {"identifier", "add"},
                                          {"identifier", "list"},
                                          {"merge"},
                                          {"tenant", "processing"},
                                          {"transfer", "rule", "list"},
                                          {"erase"},
                                          {"maintain"},
                                          {"stat"}};
  for (const Shop::Words& verb : verbs) {
    Shop::Words words = verb;
    words.emplace_back("--help");
    const Ran ran = shop.run(words);
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(ran.out, HasSubstr("Example:\n"));
    EXPECT_THAT(ran.out, HasSubstr("efface " + verb.front()));
    for (const char* option :
         {"--json", "--store", "--root-key", "--passphrase-file", "--accept-level"})
      EXPECT_THAT(ran.out, HasSubstr(option));
  }
  EXPECT_THAT(shop.run({"--help"}).out, HasSubstr("Exit status: 0 done"));
}

TEST(Help, SaysTheVersion) {
  EXPECT_THAT(Shop().run({"--version"}).out, ::testing::MatchesRegex("efface [0-9.]+\n"));
}

TEST(Store, IsNamedByOptionsOrByTheEnvironmentAndOptionsWin) {
  Shop shop;
  shop.open_for_business();
  EXPECT_EQ(shop.run({"stat"}).status, 0);
  EXPECT_EQ(shop.run({"stat", "--verify"}).status, 0);
  EXPECT_EQ(shop.run({"stat", "--store", (shop.path() / "other").string()}).status, 1);
  shop.unset("EFFACE_ROOT_KEY");
  EXPECT_THAT(shop.run({"stat"}).out, HasSubstr("not open"));
  EXPECT_EQ(shop.run({"stat", "--root-key", (shop.path() / "eu.root").string()}).status, 0);
  shop.unset("EFFACE_STORE");
  EXPECT_EQ(shop.run({"stat"}).status, 2);
}

}  // namespace
