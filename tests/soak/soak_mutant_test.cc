// A library whose processes do not look for what others committed does not survive the soak.
#include <sys/mman.h>

#include "soak/soak.h"

namespace efface::test {
namespace {

using SoakMutant = SharedStore;

TEST_F(SoakMutant, WhichDoesNotLookForOthersIsFound) {
  void* shared =
      ::mmap(nullptr, sizeof(Soak), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Soak& soak = *new (shared) Soak;
  run_soak(soak, {60, 1, home_.path()});  // Ends with the first violation.
  EXPECT_TRUE(soak.history.violated);
  ::munmap(shared, sizeof(Soak));
}

}  // namespace
}  // namespace efface::test
