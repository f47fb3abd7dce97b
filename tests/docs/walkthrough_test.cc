// The command line of docs/walkthrough.md, on the people of MovieLens.
#include <gtest/gtest.h>

#include "cli/movielens.h"
#include "cli/page.h"

namespace {

TEST(WalkthroughPage, ShowsWhatReallyHappensToThePeopleOfMovieLens) {
  const std::filesystem::path csv = efface::test::movielens_csv();
  if (!std::filesystem::exists(csv)) GTEST_SKIP() << "needs ../shared/data";
  const efface::test::TempDirectory directory("walkthrough");
  std::filesystem::copy_file(csv, directory / "ratings.csv");
  efface::test::expect_page("walkthrough.md", directory, 20);
}

}  // namespace
