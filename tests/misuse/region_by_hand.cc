// A region comes from a store.
#include "efface/store.h"

efface::Result<efface::Region> run(const efface::Store& store) {
#ifdef EFFACE_MISUSE
  return efface::Region(nullptr);
#else
  return store.region("eu-west");
#endif
}
