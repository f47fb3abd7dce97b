// A Result does not turn into its value by itself.
#include "efface/result.h"

efface::Result<int> count();

int run() {
#ifdef EFFACE_MISUSE
  return count();
#else
  const auto counted = count();
  return counted ? *counted : 0;
#endif
}
