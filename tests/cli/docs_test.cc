// docs/cli.md and docs/operations.md, run and compared.
#include <gtest/gtest.h>

#include "cli/page.h"

namespace {

using efface::test::agrees;

TEST(CliPage, ShowsWhatReallyHappens) {
  const efface::test::TempDirectory directory("page");
  std::filesystem::copy(EFFACE_SOURCE_DIR "/docs/examples/receipt", directory / "receipt");
  efface::test::expect_page("cli.md", directory, 20);
}

TEST(OperationsPage, ShowsWhatReallyHappens) {
  const efface::test::TempDirectory directory("operations");
  efface::test::expect_page("operations.md", directory, 40);
}

TEST(CliPage, IsComparedWithPlaceholders) {
  EXPECT_TRUE(agrees("took 1.5 ms, epoch 3", "took <time>, epoch <n>"));
  EXPECT_FALSE(agrees("took , epoch 3", "took <time>, epoch <n>"));
  EXPECT_FALSE(agrees("took 1 ms, era 3", "took <time>, epoch <n>"));
  EXPECT_FALSE(agrees("plain!", "plain"));
}

}  // namespace
