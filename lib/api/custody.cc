#include "access/custody.h"

#include "api/handles.h"
#include "base/check.h"
#include "efface/store.h"

namespace efface {

using internal::Access;

Result<Erasure::InRegion> Store::rotate_root(const Region& region, Actor actor) const {
  return api::call(*state_, "Store::rotate_root",
                   [&] { return access::rotate_root(*Access::region(region), actor.text); });
}

Result<Erasure::InRegion> Store::migrate_root(const Region& region, RootKeyStore& to, Actor actor,
                                              const MigrateRootOptions& options) const {
  return api::call(*state_, "Store::migrate_root", [&] {
    return access::migrate_root(*Access::region(region), to, options, actor.text);
  });
}

Status Store::retire_root(const Region& region, RootKeyStore& left) const {
  return api::call(*state_, "Store::retire_root",
                   [&] { return access::retire_root(*Access::region(region), left); });
}

}  // namespace efface
