// crypto/root_wrap.h -- a root key sealed under the key of one epoch, for the root key stores that
// seal in software.
//
// Shape   docs/format/root-key-file.md, the last section.
// Errors  unwrap: corruption for anything but what wrap made with the same key, place and context.
#pragma once
#include <vector>

#include "crypto/secret.h"
#include "efface/root_key_store.h"

namespace efface::crypto {

struct WrapPlace {
  RootKeyStore::StoreId store_id;
  Epoch epoch;
};

std::vector<std::byte> wrap_root(RootKeyStore::KeyView epoch_key, const WrapPlace& place,
                                 Bytes context, RootKeyStore::KeyView root);
Status unwrap_root(RootKeyStore::KeyView epoch_key, const WrapPlace& place, Bytes context,
                   Bytes wrapped, RootKeyStore::Key out);

}  // namespace efface::crypto
