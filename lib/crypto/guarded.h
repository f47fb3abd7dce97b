// crypto/guarded.h -- a body that may run out of memory, or of locked memory, behind a function of
// the public API, which throws nothing.
#pragma once
#include <new>

#include "crypto/secret.h"
#include "efface/result.h"

namespace efface::crypto {

// body answers a Status or a Result. Errors: its own; memory_not_locked; out_of_memory.
template <class F>
auto guarded(F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const memory_lock_refused&) {
    return Error(Errc::memory_not_locked, "no locked memory for a root key");
  } catch (const std::bad_alloc&) {
    return Error(Errc::out_of_memory, "no memory for a root key");
  }
}

}  // namespace efface::crypto
