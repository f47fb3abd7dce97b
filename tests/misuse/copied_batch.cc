// A batch is written once.
#include <utility>

#include "efface/activity.h"

efface::Batch run(efface::Batch batch) {
#ifdef EFFACE_MISUSE
  efface::Batch copy = batch;
  return copy;
#else
  efface::Batch moved = std::move(batch);
  return moved;
#endif
}
