// tools/child.h -- looking at bytes from elsewhere in a process of its own, which may die of them.
#pragma once
#include <string>

namespace efface::cli {

// `efface backup verify-here DIRECTORY`. What is wrong it says itself; then this process ends with
// its code. Errors: corruption: it died.
void verify_in_child(const std::string& directory, bool json);

}  // namespace efface::cli
