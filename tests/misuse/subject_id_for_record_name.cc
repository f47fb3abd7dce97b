// Who it is about and what it is called do not change places.
#include "efface/activity.h"

efface::Result<std::optional<efface::Record>> run(const efface::Activity& activity,
                                                  const efface::Subject& subject) {
#ifdef EFFACE_MISUSE
  return activity.get(subject, efface::SubjectId("4711"));
#else
  return activity.get(subject, efface::RecordName("4711"));
#endif
}
