// house/rules.h -- the rules of the house that a machine can check. Each takes the sources as text
// and answers what stands against it, so that it can be shown a planted fault as well.
#pragma once
#include "house/tree.h"

namespace house {

// Layers include strictly downwards; the command line includes the public headers and its own.
Findings includes_go_down(const Tree& tree);

// Each family of third-party headers stands in one folder, and none in include/.
Findings third_party_stands_in_one_folder(const Tree& tree);

// Whoever reads or writes records does it through the choke point.
Findings records_are_reached_through_access(const Tree& tree);

// Every .cc is named in the CMakeLists.txt of its folder, or of the nearest one above.
Findings sources_are_in_a_target(const Tree& tree);

// Every public header is in the file set that is installed, and in the umbrella.
Findings public_headers_are_installed(const Tree& tree);

// Calls and flags that have no place here, each with what to use instead.
Findings nothing_banned_is_called(const Tree& tree);

// A header says what it is before anything else, and is guarded by #pragma once.
Findings headers_say_what_they_are(const Tree& tree);

// Sources to 500 lines, tests to 600, lines to 100 columns.
Findings sizes_are_kept(const Tree& tree);

// ASCII, spaces, newline at the end, nothing after the end of a line.
Findings text_is_plain(const Tree& tree);

// No path of somebody's machine, no note to do something later.
Findings nothing_is_left_lying_about(const Tree& tree);

// A skip names what it needs; no test is disabled.
Findings skips_say_what_they_need(const Tree& tree);

// The two commands of README.md exist, and .ci/run ends with the one for tests.
Findings readme_commands_are_real(const Tree& tree);

// One package a line, each with its reason.
Findings packages_have_reasons(const Tree& tree);

}  // namespace house
