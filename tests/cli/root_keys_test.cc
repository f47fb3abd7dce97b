// How a command line names root key stores.
#include "tools/root_keys.h"

#include <gtest/gtest.h>

#include "tools/failure.h"

namespace efface::cli {
namespace {

using Texts = std::vector<std::string>;

template <class F>
std::string failure_of(F&& body) {
  try {
    body();
  } catch (const Failure& failure) {
    return failure.code();
  }
  return {};
}

TEST(RootKeyText, OfTheEnvironmentIsFilesByColonsOrAnythingByLines) {
  EXPECT_EQ(split_root_keys("a.root"), Texts{"a.root"});
  EXPECT_EQ(split_root_keys("eu=a.root:us=b.root"), (Texts{"eu=a.root", "us=b.root"}));
  EXPECT_EQ(split_root_keys("eu=tpm:tcti=device:/dev/tpmrm0"),
            Texts{"eu=tpm:tcti=device:/dev/tpmrm0"});
  EXPECT_EQ(split_root_keys("eu=a:b.root\nus=pkcs11:module=/m\n"),
            (Texts{"eu=a:b.root", "us=pkcs11:module=/m"}));
  EXPECT_EQ(split_root_keys(""), Texts{});
}

TEST(RootKeyText, BelongsToTheRegionThatStandsBeforeItOrToTheOnlyOne) {
  EXPECT_EQ(root_keys_of({"a.root"}, {"eu"}), (RegionRootKeys{{"eu", "a.root"}}));
  EXPECT_EQ(root_keys_of({"composite:a+pkcs11:module=/m"}, {"eu"}),
            (RegionRootKeys{{"eu", "composite:a+pkcs11:module=/m"}}));
  EXPECT_EQ(root_keys_of({"us=tpm:index=0x1"}, {"eu", "us"}),
            (RegionRootKeys{{"us", "tpm:index=0x1"}}));
  EXPECT_EQ(failure_of([] { root_keys_of({"a.root"}, {"eu", "us"}); }), "usage");
  EXPECT_EQ(failure_of([] { root_keys_of({"eu=a", "eu=b"}, {"eu"}); }), "usage");
  EXPECT_EQ(failure_of([] { root_keys_of({"eu="}, {"eu"}); }), "usage");
}

TEST(RootKeyText, TellsItsFiles) {
  EXPECT_EQ(root_key_files("a.root"), Texts{"a.root"});
  EXPECT_EQ(root_key_files("replicated:a.root+tpm:index=1+absent=00+b.root"),
            (Texts{"a.root", "b.root"}));
  EXPECT_EQ(root_key_files("pkcs11:module=/m"), Texts{});
  EXPECT_TRUE(is_root_key_file("./tpm:x"));
  EXPECT_FALSE(is_root_key_file("tpm:x"));
}

TEST(RootKeyText, ThatMakesNoSenseIsRefused) {
  const auto open = [](const char* text) {
    return failure_of([&] { RootKeys({}, true).add("eu", text, false); });
  };
  EXPECT_EQ(open("pkcs11:modul=/m"), "usage");
  EXPECT_EQ(open("pkcs11:module=/m;module=/m"), "usage");
  EXPECT_EQ(open("replicated:replicated:a+b"), "usage");
  EXPECT_EQ(open("replicated:absent=12"), "usage");
  EXPECT_EQ(open("composite:absent=00112233445566778899aabbccddeeff"), "usage");
  EXPECT_EQ(open("composite:"), "invalid_argument");
  EXPECT_EQ(open("nowhere/a.root"), "root_key_missing");
}

}  // namespace
}  // namespace efface::cli
