// A view does not outlive its record.
#include "efface/record.h"

efface::Record read();

std::size_t run() {
#ifdef EFFACE_MISUSE
  const efface::Bytes bytes = read().bytes();
  return bytes.size();
#else
  const efface::Record record = read();
  return record.bytes().size();
#endif
}
