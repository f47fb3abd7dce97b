#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run.h"

namespace {

using efface::test::Ran;
using efface::test::Shop;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Shop::Words import_of(const char* format, std::vector<std::string> more = {}) {
  Shop::Words words = {"import", "acme",   "--purpose", "ratings", "--subject", "user",
                       "--name", "{item}", format,      "-",       "--json"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string value_of(const Shop& shop, const char* id, const char* name) {
  const Ran ran = shop.run({"get", "acme", id, name, "--purpose", "ratings"});
  return ran.status == 0 ? ran.out : "status " + std::to_string(ran.status);
}

class Import : public ::testing::Test {
 protected:
  Import() { shop.open_for_business(); }
  Shop shop{"import"};
};

TEST_F(Import, KeepsACsvLineByteForByteWithoutItsLineEnd) {
  const Ran ran = shop.run(import_of("--csv"),
                           "user,item,text\r\n"
                           "1,a,  spaces  \r\n"
                           "1,\"b \"\"x\"\"\",\"commas, and\r\nline ends\"\n"
                           "\"2\",a,");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json said = json::parse(ran.out);
  EXPECT_EQ(said["records"], 3);
  EXPECT_EQ(said["people"], 2);
  EXPECT_EQ(said["through_line"], 5);
  EXPECT_EQ(said["complete"], true);
  EXPECT_EQ(value_of(shop, "1", "a"), "1,a,  spaces  ");
  EXPECT_EQ(value_of(shop, "1", "b \"x\""), "1,\"b \"\"x\"\"\",\"commas, and\r\nline ends\"");
  EXPECT_EQ(value_of(shop, "2", "a"), "\"2\",a,");
}

TEST_F(Import, NamesTheLineOfBadCsvAndKeepsWhatCameBefore) {
  struct Case {
    std::string line;
    const char* code;
    const char* note;
  };
  const std::vector<Case> cases = {
      {"7", "bad_line", "fewer columns"},
      {"7,a,b,c", "bad_line", "more columns"},
      {"", "bad_line", "empty"},
      {"7,\"a\"x,b", "bad_line", "after a closing quote"},
      {"7,a\"b,c", "bad_line", "a quote inside"},
      {"7,a,\"b", "bad_line", "a quote is not closed"},
      {"7,a\rb,c", "bad_line", "carriage return"},
      {"\xff,a,b", "invalid_argument", "not UTF-8"},
      {"\xed\xa0\x80,a,b", "invalid_argument", "not UTF-8"},
      {",a,b", "invalid_argument", "the subject is empty"},
      {"7,,b", "invalid_argument", "name is empty"},
      {"7,\xc0\x80,b", "invalid_argument", "name is not UTF-8"},
      {std::string(257, '7') + ",a,b", "too_large", "the subject is too long"},
      {"7," + std::string(1025, 'a') + ",b", "too_large", "name is too long"},
      {"7,a," + std::string((16 << 20) + 1, 'b'), "bad_line", "too long"},
  };
  int number = 0;
  for (const Case& one : cases) {
    const std::string id = "p" + std::to_string(++number);
    const Ran ran = shop.run(import_of("--csv"), "user,item,text\n" + id + ",a,x\n" + id +
                                                     ",b,x\n" + one.line + "\nlast,a,x\n");
    EXPECT_EQ(ran.status, 1);
    const json error = json::parse(ran.err)["error"];
    EXPECT_EQ(error["code"], one.code) << one.note;
    EXPECT_EQ(error["line"], 4) << one.note;
    EXPECT_THAT(error["note"].get<std::string>(), HasSubstr(one.note));
    const json said = json::parse(ran.out);
    EXPECT_EQ(said["records"], 2) << one.note;
    EXPECT_EQ(said["people"], 1) << one.note;
    EXPECT_EQ(said["through_line"], 3) << one.note;
    EXPECT_EQ(said["complete"], false) << one.note;
    EXPECT_EQ(value_of(shop, id.c_str(), "b"), id + ",b,x") << one.note;
    EXPECT_EQ(value_of(shop, "last", "a"), "status 1") << one.note;
  }
}

TEST_F(Import, SaysInWordsHowFarItCame) {
  Shop::Words words = import_of("--csv");
  std::erase(words, "--json");
  const Ran ran = shop.run(words, "user,item\n1,a\n1,b\n2,a\nbad\n");
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "efface: bad_line: line 5: fewer columns than the first line names\n");
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("^imported 3 records of 2 people in .*; stopped, "
                                                "all lines up to 4 are in\n$"));
}

TEST_F(Import, CountsBadLinesAndGoesOnWhenAsked) {
  const Ran ran = shop.run(import_of("--csv", {"--skip-bad"}),
                           "user,item\n1,a\nbad\n2,a\n3,\"x\n4,a\n,a\n5,a\n");
  EXPECT_EQ(ran.status, 0);
  const json said = json::parse(ran.out);
  EXPECT_EQ(said["skipped"], 3);
  EXPECT_EQ(said["records"], 4);
  EXPECT_EQ(said["complete"], true);
  EXPECT_THAT(ran.err, HasSubstr("\"line\":3,"));
  EXPECT_THAT(ran.err, HasSubstr("\"line\":5,"));
  EXPECT_THAT(ran.err, HasSubstr("\"line\":7,"));
  // A quote that never ends costs its own line alone.
  EXPECT_EQ(value_of(shop, "4", "a"), "4,a");
  EXPECT_EQ(value_of(shop, "5", "a"), "5,a");
}

TEST_F(Import, FindsTheBadLineFarInsideAndHasAllBeforeIt) {
  std::string input = "user,item\n";
  for (int i = 2; i <= 20'000; ++i)
    input +=
        i == 15'000 ? "nobody\n" : "p" + std::to_string(i % 700) + ",i" + std::to_string(i) + "\n";
  const Ran ran = shop.run(import_of("--csv"), input);
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(json::parse(ran.err)["error"]["line"], 15'000);
  const json said = json::parse(ran.out);
  EXPECT_EQ(said["records"], 14'998);
  EXPECT_EQ(said["people"], 700);
  EXPECT_EQ(said["through_line"], 14'999);
  EXPECT_EQ(value_of(shop, "p299", "i14999"), "p299,i14999");
  EXPECT_EQ(value_of(shop, "p301", "i15001"), "status 1");
}

TEST_F(Import, RefusesColumnsThatAreNotThereOrThereTwice) {
  const auto code = [&](std::string_view header) {
    const Ran ran = shop.run(import_of("--csv"), header);
    EXPECT_EQ(ran.status, 1);
    const json error = json::parse(ran.err)["error"];
    EXPECT_EQ(error["line"], 1);
    return error["code"].get<std::string>();
  };
  EXPECT_EQ(code("user,thing\n1,a\n"), "column_unknown");
  EXPECT_EQ(code("User,item\n1,a\n"), "column_unknown");
  EXPECT_EQ(code("user,item,user\n1,a,1\n"), "column_unknown");
  EXPECT_EQ(code(""), "bad_line");
  EXPECT_EQ(code("user,\"item\n"), "bad_line");
}

TEST_F(Import, TakesAByteOrderMarkBeforeTheColumns) {
  EXPECT_EQ(shop.run(import_of("--csv"), "\xef\xbb\xbfuser,item\n1,a\n").status, 0);
  EXPECT_EQ(value_of(shop, "1", "a"), "1,a");
}

TEST_F(Import, MakesNamesOutOfATemplate) {
  Shop::Words words = import_of("--csv");
  std::replace(words.begin(), words.end(), std::string("{item}"), std::string("{{{item}}}-{day}"));
  ASSERT_EQ(shop.run(words, "user,item,day\n1,a,mon\n").status, 0);
  EXPECT_EQ(value_of(shop, "1", "{a}-mon"), "1,a,mon");
}

TEST_F(Import, TakesOneJsonObjectALine) {
  const Ran ran = shop.run(import_of("--ndjson"),
                           "{\"user\": \"u\\u00e9\", \"item\": 1.50, \"x\": {\"user\": \"no\"}}\r\n"
                           "{\"item\":true,\"user\":18446744073709551615,\"l\":[1,{\"item\":2}]}\n"
                           "{\"user\":12345678901234567890123,\"item\":-7}");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(json::parse(ran.out)["records"], 3);
  EXPECT_EQ(value_of(shop, "u\xc3\xa9", "1.50"),
            "{\"user\": \"u\\u00e9\", \"item\": 1.50, \"x\": {\"user\": \"no\"}}");
  EXPECT_EQ(value_of(shop, "18446744073709551615", "true"),
            "{\"item\":true,\"user\":18446744073709551615,\"l\":[1,{\"item\":2}]}");
  EXPECT_EQ(value_of(shop, "12345678901234567890123", "-7"),
            "{\"user\":12345678901234567890123,\"item\":-7}");
}

TEST_F(Import, NamesTheLineOfBadJsonAndKeepsWhatCameBefore) {
  const std::vector<std::string> bad = {"",
                                        "{\"user\":1,\"item\":2",
                                        "{\"user\":1,\"item\":2} x",
                                        "[1]",
                                        "7",
                                        "null",
                                        "{\"user\":1}",
                                        "{\"user\":null,\"item\":2}",
                                        "{\"user\":[1],\"item\":2}",
                                        "{\"user\":{},\"item\":2}",
                                        "{\"user\":1,\"user\":2,\"item\":2}",
                                        "{\"user\":\"\xff\",\"item\":2}",
                                        "{\"user\":\"\",\"item\":2}"};
  int number = 0;
  for (const std::string& line : bad) {
    const std::string id = "p" + std::to_string(++number);
    const std::string good = "{\"user\":\"" + id + "\",\"item\":1}";
    const Ran ran = shop.run(import_of("--ndjson"), good + '\n' + line + '\n' + good + '\n');
    EXPECT_EQ(ran.status, 1) << number;
    EXPECT_EQ(json::parse(ran.err)["error"]["line"], 2) << number;
    EXPECT_EQ(json::parse(ran.out)["records"], 1) << number;
    EXPECT_EQ(value_of(shop, id.c_str(), "1"), good) << number;
    const Ran skipping =
        shop.run(import_of("--ndjson", {"--skip-bad"}), good + '\n' + line + '\n' + good + '\n');
    EXPECT_EQ(skipping.status, 0) << number;
    EXPECT_EQ(json::parse(skipping.out)["records"], 2) << number;
  }
}

TEST_F(Import, DrawsNothingOverInAPipe) {
  std::string input = "user,item\n";
  for (int i = 0; i < 50'000; ++i)
    input += std::to_string(i % 9000) + ',' + std::to_string(i) + '\n';
  Shop::Words words = import_of("--csv");
  std::erase(words, "--json");
  const Ran ran = shop.run(words, input);
  EXPECT_EQ(ran.status, 0);
  for (const std::string& text : {ran.out, ran.err})
    EXPECT_TRUE(std::all_of(text.begin(), text.end(),
                            [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
}

TEST(ImportIntoTwoRegions, NamesTheLineOfAPersonWhoLivesElsewhere) {
  Shop shop("import");
  const std::string store = (shop.path() / "people").string();
  const std::string eu = "eu=" + (shop.path() / "eu.root").string();
  const std::string us = "us=" + (shop.path() / "us.root").string();
  shop.run({"init", store, "--region", "eu", "--region", "us", "--root-key", eu, "--root-key", us});
  shop.set("EFFACE_STORE", store);
  shop.set("EFFACE_ROOT_KEY", eu + ':' + us);
  shop.run({"tenant", "add", "acme", "--region", "eu", "--region", "us"});
  shop.run({"purpose", "add", "acme", "ratings", "--basis", "contract"});
  shop.run({"put", "acme", "17", "x", "--purpose", "ratings", "--region", "us"}, "y");

  std::string input = "user,item\n";
  for (int i = 2; i <= 40; ++i) input += std::to_string(i) + ",a\n";
  EXPECT_EQ(shop.run(import_of("--csv"), input).status, 2);  // Into which region?
  const Ran ran = shop.run(import_of("--csv", {"--region", "eu"}), input);
  EXPECT_EQ(ran.status, 1);
  const json error = json::parse(ran.err)["error"];
  EXPECT_EQ(error["code"], "region_mismatch");
  EXPECT_EQ(error["line"], 17);
  EXPECT_EQ(json::parse(ran.out)["records"], 15);
  EXPECT_EQ(value_of(shop, "16", "a"), "16,a");
  EXPECT_EQ(value_of(shop, "18", "a"), "status 1");

  const Ran skipping = shop.run(import_of("--csv", {"--region", "eu", "--skip-bad"}), input);
  EXPECT_EQ(skipping.status, 0);
  EXPECT_EQ(json::parse(skipping.out)["records"], 38);
  EXPECT_EQ(json::parse(skipping.out)["skipped"], 1);
  EXPECT_EQ(value_of(shop, "40", "a"), "40,a");
}

}  // namespace
