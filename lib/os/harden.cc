#include "efface/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

#include "os/file.h"

namespace efface {

Status harden_process() noexcept {
  constexpr rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    return os::system_error(errno, "the limit of core dumps could not be set");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return os::system_error(errno, "the process could not be made undumpable");
  return {};
}

}  // namespace efface
