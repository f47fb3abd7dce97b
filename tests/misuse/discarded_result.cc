// An outcome is looked at.
#include "efface/result.h"

efface::Result<int> count();

void run() {
#ifdef EFFACE_MISUSE
  count();
#else
  if (!count()) return;
#endif
}
