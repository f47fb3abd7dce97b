// A legal basis has a name.
#include "efface/types.h"

efface::PurposeTerms run() {
#ifdef EFFACE_MISUSE
  return {.name = "ratings", .basis = 2};
#else
  return {.name = "ratings", .basis = efface::LegalBasis::contract};
#endif
}
