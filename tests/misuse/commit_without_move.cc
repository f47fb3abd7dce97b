// Committing uses the batch up, and says so.
#include <utility>

#include "efface/activity.h"

efface::Status run(const efface::Activity& activity, efface::Batch batch) {
#ifdef EFFACE_MISUSE
  return activity.commit(batch);
#else
  return activity.commit(std::move(batch));
#endif
}
