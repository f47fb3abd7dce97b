// faults/library_step.h -- what injector.cc and library_calls.cc share. Private to them.
#pragma once
#include "faults/injector.h"

namespace efface::test {

// The error that this call of a library answers with, or 0: it goes on.
int library_step(Call kind);

// The function of that name in the library that has it.
void* find_real(const char* name);
template <class F>
F* real(const char* name) {
  return reinterpret_cast<F*>(find_real(name));
}

}  // namespace efface::test
