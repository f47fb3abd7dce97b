// oracle/require.h -- what a history cannot go on without.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>

#include "efface/efface.h"

namespace disclosure {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "the history broke off: %s\n", what);
  std::abort();
}

template <class T>
void require(const efface::Result<T>& result, const char* what) {
  if (result) return;
  std::fprintf(stderr, "the history broke off: %s: %s: %s\n", what, name(result.error().code()),
               std::string(result.error().note()).c_str());
  std::abort();
}

}  // namespace disclosure
