// crypto/random.h -- buffered, fork-safe public randomness (nonces, handles, ids). Keys come from
// SecretKey::random(), never from here.
//
// Threads  A buffer per thread. After fork() the child draws afresh (generation counter).
// Cost     About 15 ns for 24 bytes; a system call per 4 KiB.
#pragma once
#include "base/bytes.h"

namespace efface::crypto {

void fill_random(MutableBytes out) noexcept;
// Part of initialise(), in crypto/secret.h. Not, when the system has no memory for it.
bool watch_forks_for_random() noexcept;

inline Id16 random_id() noexcept {
  Id16 id;
  fill_random(id);
  return id;
}

}  // namespace efface::crypto
