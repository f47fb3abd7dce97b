// Each rule is shown a planted fault, or nobody would know that it can find one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "house/rules.h"

namespace house {
namespace {

using Rule = Findings (*)(const Tree&);

// How often the rule finds something in this one file.
std::size_t found(Rule rule, const std::string& path, const std::string& text) {
  return rule({{path, text}}).size();
}

TEST(HouseRule, SeesAnIncludeThatGoesUp) {
  const auto up = [](const std::string& layer, const std::string& include) {
    return found(includes_go_down, "lib/" + layer + "/x.cc", "#include \"" + include + "\"\n");
  };
  EXPECT_EQ(up("base", "os/file.h"), 1U);
  EXPECT_EQ(up("crypto", "os/file.h"), 1U);
  EXPECT_EQ(up("storage", "crypto/aead.h"), 1U);
  EXPECT_EQ(up("codec", "storage/environment.h"), 1U);
  EXPECT_EQ(up("keyring", "records/record.h"), 1U);
  EXPECT_EQ(up("records", "subjects/tenant.h"), 1U);
  EXPECT_EQ(up("subjects", "records/record.h"), 1U);
  EXPECT_EQ(up("access", "rights/erase.h"), 1U);
  EXPECT_EQ(up("rights", "api/store_impl.h"), 1U);
  EXPECT_EQ(up("keyring", "row.h"), 1U) << "a name without its layer";
  EXPECT_EQ(up("gossip", "base/check.h"), 1U) << "a layer nobody knows";
}

TEST(HouseRule, LetsIncludesGoDown) {
  const auto down = [](const std::string& layer, const std::string& include) {
    return found(includes_go_down, "lib/" + layer + "/x.cc", "#include \"" + include + "\"\n");
  };
  EXPECT_EQ(down("base", "base/check.h"), 0U);
  EXPECT_EQ(down("base", "efface/result.h"), 0U);
  EXPECT_EQ(down("codec", "crypto/secret.h"), 0U);
  EXPECT_EQ(down("storage", "os/file.h"), 0U);
  EXPECT_EQ(down("records", "keyring/row.h"), 0U);
  EXPECT_EQ(down("api", "access/access.h"), 0U);
  EXPECT_EQ(found(includes_go_down, "lib/base/x.cc", "// #include \"os/file.h\"\n"), 0U);
}

TEST(HouseRule, KeepsPrivateHeadersFromThePublicOnesAndTheCommandLine) {
  EXPECT_EQ(found(includes_go_down, "include/efface/x.h", "#include \"base/bytes.h\"\n"), 1U);
  EXPECT_EQ(found(includes_go_down, "include/efface/x.h", "#include <os/file.h>\n"), 1U);
  EXPECT_EQ(found(includes_go_down, "include/efface/x.h", "#include <span>\n"), 0U);
  EXPECT_EQ(found(includes_go_down, "tools/x.cc", "#include \"base/utf8.h\"\n"), 1U);
  EXPECT_EQ(found(includes_go_down, "tools/x.cc", "#include \"efface/store.h\"\n"), 0U);
  EXPECT_TRUE(includes_go_down({{"tools/x.cc", "#include \"y.h\"\n"}, {"tools/y.h", ""}}).empty());
}

TEST(HouseRule, SeesAThirdPartyHeaderOutsideItsFolder) {
  const Rule rule = third_party_stands_in_one_folder;
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "#include <sodium.h>\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "#  include <lmdb.h>\n"), 1U);
  EXPECT_EQ(found(rule, "lib/os/x.cc", "#include <zstd.h>\n"), 1U);
  EXPECT_EQ(found(rule, "lib/api/x.cc", "#include \"flatbuffers/flatbuffers.h\"\n"), 1U);
  EXPECT_EQ(found(rule, "lib/base/x.cc", "#include <CLI/CLI.hpp>\n"), 1U);
  EXPECT_EQ(found(rule, "include/efface/x.h", "#include <sodium/core.h>\n"), 1U);
  EXPECT_EQ(found(rule, "lib/base/x.cc", "#include <gtest/gtest.h>\n"), 1U);
  EXPECT_EQ(found(rule, "lib/crypto/x.cc", "#include <sodium.h>\n"), 0U);
  EXPECT_EQ(found(rule, "tests/oracle/x.cc", "#include <lmdb.h>\n"), 0U);
}

TEST(HouseRule, SeesARecordReadPastTheChokePoint) {
  const Rule rule = records_are_reached_through_access;
  EXPECT_EQ(found(rule, "lib/api/x.cc", "#include \"records/record.h\"\n"), 1U);
  EXPECT_EQ(found(rule, "lib/access/x.cc", "#include \"records/record.h\"\n"), 0U);
}

TEST(HouseRule, SeesASourceInNoTarget) {
  const File list{"lib/os/CMakeLists.txt", "efface_layer(os SOURCES a.cc # b.cc\n  sub/c.cc)\n"};
  const Rule rule = sources_are_in_a_target;
  EXPECT_EQ(rule({list, {"lib/os/a.cc", ""}}).size(), 0U);
  EXPECT_EQ(rule({list, {"lib/os/sub/c.cc", ""}}).size(), 0U);
  EXPECT_EQ(rule({list, {"lib/os/b.cc", ""}}).size(), 1U) << "named in a comment only";
  EXPECT_EQ(rule({list, {"lib/os/aa.cc", ""}}).size(), 1U) << "the end of another name";
  EXPECT_EQ(rule({list, {"lib/crypto/a.cc", ""}}).size(), 1U) << "another folder";
}

TEST(HouseRule, SeesAPublicHeaderThatIsNotInstalled) {
  const File list{"lib/CMakeLists.txt", "${PROJECT_SOURCE_DIR}/include/efface/efface.h\n"};
  const File umbrella{"include/efface/efface.h", "#include \"efface/other.h\"\n"};
  EXPECT_EQ(public_headers_are_installed({list, umbrella}).size(), 0U);
  EXPECT_EQ(public_headers_are_installed({list, umbrella, {"include/efface/x.h", ""}}).size(), 2U)
      << "neither in the set nor in the umbrella";
}

TEST(HouseRule, SeesABannedCall) {
  const Rule rule = nothing_banned_is_called;
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "std::memset(key, 0, 32);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "memset (key, 0, 32);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "int a = rand();\n"), 1U);
  EXPECT_EQ(found(rule, "tests/model/x.cc", "std::random_device seed;\n"), 1U);
  EXPECT_EQ(found(rule, "tools/x.cc", "strcpy(a, b);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "sprintf(a, b);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "std::cout << a;\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "int fd = ::open(path, 0);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "fsync(fd);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "::pwrite(fd, p, n, 0);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "std::filesystem::rename(a, b);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "std::ofstream out;\n"), 1U);
  EXPECT_EQ(found(rule, "lib/storage/x.cc", "flags |= MDB_NOSYNC;\n"), 1U);
  EXPECT_EQ(found(rule, "lib/storage/x.cc", "flags |= MDB_WRITEMAP;\n"), 1U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "mdb_get(t, d, k, v);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/crypto/x.cc", "sodium_malloc(32);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/api/x.cc", "throw 1;\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "assert(a);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/records/x.cc", "std::thread t(f);\n"), 1U);
  EXPECT_EQ(found(rule, "lib/rights/x.cc", "records::open_record(keys, tag, value);\n"), 1U);
}

TEST(HouseRule, LeavesAloneWhatOnlyLooksBanned) {
  const Rule rule = nothing_banned_is_called;
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "// memset() would not do\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "/* fsync(fd) */ note(\"fsync(fd)\");\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "auto f = os::File::open(parent, name);\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "directory.rename(a, b); file->fsync();\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "auto key = SecretKey::random();\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "static_assert(sizeof(Row) == 72);\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "int n = 100'000; // it's\nopen('\"');\n"), 0U);
  EXPECT_EQ(found(rule, "lib/keyring/x.cc", "auto t = R\"(memset(a))\";\n"), 0U);
  EXPECT_EQ(found(rule, "lib/access/x.cc", "records::open_record(keys, tag, value);\n"), 0U);
  EXPECT_EQ(found(rule, "lib/os/x.cc", "::fsync(fd); ::open(path, 0);\n"), 0U);
  EXPECT_EQ(found(rule, "lib/storage/x.cc", "mdb_get(t, d, k, v);\n"), 0U);
}

TEST(HouseRule, NamesTheReplacement) {
  const auto findings =
      nothing_banned_is_called({{"lib/keyring/x.cc", "\nstd::memset(key, 0, 32);\n"}});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].line, 2U);
  EXPECT_THAT(findings[0].says, testing::HasSubstr("crypto::wipe"));
}

TEST(HouseRule, SeesAHeaderThatSaysNothing) {
  const Rule rule = headers_say_what_they_are;
  EXPECT_EQ(found(rule, "lib/os/x.h", "// os/x.h -- a thing.\n#pragma once\n"), 0U);
  EXPECT_EQ(found(rule, "lib/os/x.h", "#pragma once\n// os/x.h -- a thing.\n"), 1U);
  EXPECT_EQ(found(rule, "lib/os/x.h", "// os/y.h -- a thing.\n#pragma once\n"), 1U);
  EXPECT_EQ(found(rule, "lib/os/x.h", "// os/x.h -- a thing.\n"), 1U);
}

TEST(HouseRule, SeesWhatGrewTooLarge) {
  const auto lines = [](std::size_t count) { return std::string(count, '\n'); };
  EXPECT_EQ(found(sizes_are_kept, "lib/os/x.cc", lines(500)), 0U);
  EXPECT_EQ(found(sizes_are_kept, "lib/os/x.cc", lines(501)), 1U);
  EXPECT_EQ(found(sizes_are_kept, "tests/os/x_test.cc", lines(600)), 0U);
  EXPECT_EQ(found(sizes_are_kept, "tests/os/x_test.cc", lines(601)), 1U);
  EXPECT_EQ(found(sizes_are_kept, "lib/os/x.cc", std::string(101, '/') + "\n"), 1U);
}

TEST(HouseRule, SeesWhatIsNotPlainText) {
  EXPECT_EQ(found(text_is_plain, "docs/x.md", "caf\xc3\xa9\n"), 1U);
  EXPECT_EQ(found(text_is_plain, "docs/x.md", "\tindented\n"), 1U);
  EXPECT_EQ(found(text_is_plain, "docs/x.md", "trailing \n"), 1U);
  EXPECT_EQ(found(text_is_plain, "docs/x.md", "no newline"), 1U);
  EXPECT_EQ(found(text_is_plain, "docs/x.md", "plain\n"), 0U);
}

TEST(HouseRule, SeesWhatWasLeftLyingAbout) {
  const Rule rule = nothing_is_left_lying_about;
  EXPECT_EQ(found(rule, "lib/os/x.cc",
                  "auto p = \"/ho"
                  "me/ada/store\";\n"),
            1U);
  EXPECT_EQ(found(rule, "lib/os/x.cc",
                  "// TO"
                  "DO: more\n"),
            1U);
  EXPECT_EQ(found(rule, "lib/os/x.cc",
                  "// relative/wo"
                  "rk/x\n"),
            0U);
}

TEST(HouseRule, SeesASkipWithoutAReason) {
  const Rule rule = skips_say_what_they_need;
  EXPECT_EQ(found(rule, "tests/os/x_test.cc", "GTEST_SKIP() << \"needs extents\";\n"), 0U);
  EXPECT_EQ(found(rule, "tests/os/x_test.cc", "GTEST_SKIP() << \"flaky\";\n"), 1U);
  EXPECT_EQ(found(rule, "tests/os/x_test.cc", "GTEST_SKIP();\nf(\"needs x\");\n"), 1U);
  EXPECT_EQ(found(rule, "tests/os/x_test.cc", "TEST(A, DISABLED_B) {}\n"), 1U);
}

TEST(HouseRule, SeesACommandThatIsGone) {
  EXPECT_EQ(found(readme_commands_are_real, "README.md", "make test\n"), 5U);
}

TEST(HouseRule, SeesAPackageWithoutAReason) {
  const Rule rule = packages_have_reasons;
  EXPECT_EQ(found(rule, ".ci/packages.txt", "# list\ncmake  # builds\n"), 0U);
  EXPECT_EQ(found(rule, ".ci/packages.txt", "cmake\n"), 1U);
  EXPECT_EQ(found(rule, ".ci/packages.txt", "cmake ninja-build # build\n"), 1U);
}

}  // namespace
}  // namespace house
