// tools/dry_run.h -- what a verb that destroys would do, said without doing it: --dry-run.
//
// Shape   In text a line that begins with "would", one for each region in which an epoch would end,
//         and "nothing is destroyed"; in JSON one object with "dry_run": true.
// Errors  Those that the verb would end with, as far as they can be seen; what a legal hold would
//         keep is counted.
// Cost    A look-up of each person.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "efface/efface.h"
#include "tools/output.h"

namespace efface::cli {

void dry_run_option(CLI::App& verb, bool& into);

// regions: in which an epoch would end, by name.
void say_would(Output& out, const Store& store, const std::string& text, Json object,
               const std::vector<std::string>& regions);
// Of a store that is not opened for it.
void say_would(Output& out, const std::string& text, Json object);

// What is on file about a person that keeps her, or waits.
struct Kept {
  std::size_t holds = 0;
  bool erasure_asked = false;
};
Kept kept_of(const Tenant& tenant, const Subject& subject);
// Throws legal_hold when something keeps her.
void refuse_if_held(const Tenant& tenant, const Subject& subject);

}  // namespace efface::cli
