// crash/steps.h -- every call by which the library or LMDB changes or syncs a file, counted; one of
// them can be the last of the process, or fail, or be lost.
//
// Shape    Linked by --wrap, with LMDB's static library (CMakeLists.txt). Unarmed, calls pass.
// Threads  One changes files; others may read, which makes none of these calls.
#pragma once
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace efface::test {

enum class Then : std::uint8_t {
  stop,        // The process ends before it; all steps before it stand.
  stop_torn,   // Likewise, but the first half of a write's sectors reaches the file.
  power_loss,  // The process ends before it, and of the steps before only what was synced stands.
  fail,        // It answers an error and has done nothing.
  fail_done,   // It answers an error and has been done.
  fall_short,  // A write takes half of its bytes and says so; anything else passes.
};

// Writes that answer that all is well and never reach the file.
enum class Lost : std::uint8_t { nothing, keyring_meta, root_slot };

struct Plan {
  std::size_t at = 0;  // The step, from 1; 0: none.
  Then then = Then::stop;
  bool for_ever = false;  // Every later step fails too.
  int error = EIO;
  Lost lost = Lost::nothing;
  bool syncs_lost = false;  // Syncs answer that all is well and do nothing.
};

inline constexpr int stopped_status = 77;
inline constexpr int untorn_status = 78;  // stop_torn: there is nothing to tear, so nothing new.

void arm(const Plan& plan);
std::size_t disarm();          // Answers how many steps there were.
void lose_power_at_the_end();  // If power_loss is planned and its step did not come: now.
std::size_t writes_to_lmdb();  // Of these, writes to a data.mdb.
bool last_step_was_reached();  // Whether step plan.at came.

}  // namespace efface::test
