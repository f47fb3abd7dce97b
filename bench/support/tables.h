// support/tables.h -- what was measured as tables in Markdown. A table of what was not measured is
// empty.
#pragma once
#include <string>

#include "support/measured.h"

namespace efface::bench {

std::string goals_table(const Measured& measured);
std::string erase_table(const Measured& measured);  // Against records of the person.
std::string rate_table(const Measured& measured);   // Against people a call and threads.
std::string page_table(const Measured& measured);   // Against pages of a commit.
std::string times_table(const Measured& measured);
std::string peers_table(const Measured& measured);
std::string fairness_notes(const Measured& measured);
std::string gdprbench_table(const Measured& measured);
std::string gdprbench_notes(const Measured& measured);
std::string scale_table(const Measured& measured);

// The names of the databases that were asked, efface first.
std::vector<std::string> peer_names(const Measured& measured);

}  // namespace efface::bench
