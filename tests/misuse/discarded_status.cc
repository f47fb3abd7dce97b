// An outcome without a value is looked at as well.
#include "efface/result.h"

efface::Status commit();

void run() {
#ifdef EFFACE_MISUSE
  commit();
#else
  if (!commit()) return;
#endif
}
