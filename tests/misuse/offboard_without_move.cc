// Off-boarding uses the tenant up, and says so.
#include <utility>

#include "efface/store.h"

efface::Result<efface::Erasure> run(const efface::Store& store, efface::Tenant tenant) {
#ifdef EFFACE_MISUSE
  return store.offboard(tenant, "token");
#else
  return store.offboard(std::move(tenant), "token");
#endif
}
