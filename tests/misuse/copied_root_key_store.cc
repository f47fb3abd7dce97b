// A root key store that destroys a key has no twin that keeps it.
#include "efface/file_root_key_store.h"

efface::Result<efface::Anchor> run(efface::FileRootKeyStore& store) {
#ifdef EFFACE_MISUSE
  efface::FileRootKeyStore twin = store;
  return twin.anchor();
#else
  efface::FileRootKeyStore& same = store;
  return same.anchor();
#endif
}
