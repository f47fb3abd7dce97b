// The file of the ledger's copy, as a crash while it was made leaves it.
#include <gtest/gtest.h>

#include <fstream>

#include "keyring/ledger_copy.h"
#include "support/temp_directory.h"

namespace efface::keyring {
namespace {

constexpr Id16 region{std::byte{7}};

TEST(LedgerFile, HasItsNameOnceItsHeaderIsDurable) {
  const test::TempDirectory home("ledger");
  std::ofstream(home / "ledger.new") << "what a lost write left, longer than a header would be";
  const auto directory = os::Directory::open(home.path());
  ASSERT_TRUE(directory);
  {
    const auto made = LedgerCopy::open(*directory, "ledger", region);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->size().value(), LedgerCopy::header_bytes);
  }
  EXPECT_FALSE(std::filesystem::exists(home / "ledger.new"));
  EXPECT_TRUE(LedgerCopy::open(*directory, "ledger", region));
}

TEST(LedgerFile, WithSomethingElseForAHeaderIsDamaged) {
  const test::TempDirectory home("ledger");
  const auto directory = os::Directory::open(home.path());
  ASSERT_TRUE(directory && LedgerCopy::open(*directory, "ledger", region));
  std::ofstream(home / "ledger", std::ios::in) << "EFLEDGES";
  const auto opened = LedgerCopy::open(*directory, "ledger", region);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::corruption);
}

}  // namespace
}  // namespace efface::keyring
