// tools/usage.h -- what is wrong with a command line, said without a word of it: an id may be
// there.
#pragma once
#include <CLI/CLI.hpp>

#include "tools/failure.h"

namespace efface::cli {

// The usage failure for what the parser threw, with the verb or option that was probably meant.
Failure explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace efface::cli
