// The text of an error is known at compile time, so it cannot carry an id, a name or a value.
#include <string>

#include "efface/result.h"

efface::Error refuse(const std::string& subject_id) {
#ifdef EFFACE_MISUSE
  return {efface::Errc::subject_unknown, subject_id.c_str()};
#else
  return {efface::Errc::subject_unknown,
          subject_id.empty() ? efface::Note("an empty id") : efface::Note("nobody of that id")};
#endif
}
