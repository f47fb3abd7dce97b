// One handle, one person: erasing uses it up.
#include <utility>

#include "efface/subject.h"

efface::Subject run(efface::Subject subject) {
#ifdef EFFACE_MISUSE
  efface::Subject copy = subject;
  return copy;
#else
  efface::Subject moved = std::move(subject);
  return moved;
#endif
}
