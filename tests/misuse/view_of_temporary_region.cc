// A name does not outlive its region.
#include "efface/store.h"

std::size_t run(const efface::Store& store) {
#ifdef EFFACE_MISUSE
  const std::string_view name = store.region("eu-west").value().name();
  return name.size();
#else
  const efface::Region region = store.region("eu-west").value();
  const std::string_view name = region.name();
  return name.size();
#endif
}
