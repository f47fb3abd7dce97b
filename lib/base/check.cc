#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace efface::base {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "efface: broken invariant at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace efface::base
