// Plaintext is not copied by the way.
#include <utility>

#include "efface/record.h"

efface::Record run(efface::Record record) {
#ifdef EFFACE_MISUSE
  efface::Record copy = record;
  return copy;
#else
  efface::Record moved = std::move(record);
  return moved;
#endif
}
