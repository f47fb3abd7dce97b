// docs/receipts.md, run and compared: also the part where OpenSSL checks what efface signed.
#include <gtest/gtest.h>

#include "cli/page.h"

namespace {

TEST(ReceiptsPage, ShowsWhatReallyHappensAndWhatOtherToolsSay) {
  const efface::test::TempDirectory directory("receipts");
  std::filesystem::copy(EFFACE_SOURCE_DIR "/docs/examples/receipt", directory / "receipt");
  efface::test::expect_page("receipts.md", directory, 25);
}

}  // namespace
