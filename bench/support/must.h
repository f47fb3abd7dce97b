// support/must.h -- a bench that cannot go on says why, and ends the program.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "efface/result.h"

namespace efface::bench {

[[noreturn]] inline void give_up(const char* what, const char* why, int code = 0) {
  std::fprintf(stderr, "bench: %s: %s (%d)\n", what, why, code);
  std::exit(1);  // Not abort: what lies on the disk is removed.
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    const Error& error = result.error();
    give_up(name(error.code()), error.note(), error.system_code());
  }
  return *std::move(result);
}
inline void must(const Status& status) {
  if (!status) {
    const Error& error = status.error();
    give_up(name(error.code()), error.note(), error.system_code());
  }
}

}  // namespace efface::bench
