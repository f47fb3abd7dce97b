// What is told to a log is texts of the library and numbers: nobody's id fits in.
#include <string>

#include "efface/observe.h"

efface::LogNumber told(const std::string& subject_id) {
#ifdef EFFACE_MISUSE
  return {subject_id.c_str(), 1};
#else
  return {"characters", subject_id.size()};
#endif
}
