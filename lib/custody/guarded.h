// custody/guarded.h -- nothing throws across the public API.
#pragma once
#include <new>

#include "crypto/secret.h"

namespace efface::custody {

template <class F>
auto guarded(F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const crypto::memory_lock_refused&) {
    return Error(Errc::memory_not_locked, "no locked memory for a root key");
  } catch (const std::bad_alloc&) {
    return Error(Errc::out_of_memory, "no memory for a root key");
  }
}

}  // namespace efface::custody
