// A span is named by a text of the library: by nobody's id.
#include <string>

#include "efface/observe.h"

efface::TraceSpan span(const std::string& subject_id) {
#ifdef EFFACE_MISUSE
  return {.name = subject_id.c_str()};
#else
  return {.name = "get", .id = subject_id.size()};
#endif
}
