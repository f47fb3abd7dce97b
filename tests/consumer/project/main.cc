#include <cstdio>
#include <cstring>

#include "efface/result.h"

int main() {
  const efface::Error error(efface::Errc::subject_unknown, "nobody of that id");
  std::printf("%s: %s\n", efface::name(error.code()), error.note());
  return std::strcmp(efface::name(error.code()), "subject_unknown") == 0 ? 0 : 1;
}
