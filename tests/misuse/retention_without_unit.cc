// A retention says its unit.
#include "efface/types.h"

efface::PurposeTerms run() {
#ifdef EFFACE_MISUSE
  return {.name = "ratings", .retention = 730};
#else
  return {.name = "ratings", .retention = efface::Days(730)};
#endif
}
