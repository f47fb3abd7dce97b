// efface/progress.h -- how far a long call is: Store::maintain, restore, verify_backup, forensics.
//
// Threads  Told on the calling thread, now and then, and once at the end, where the call succeeds.
// Rules    It must not throw, and not call into the store.
//
// Example
//   MaintainOptions daily;
//   daily.on_progress = [](const Progress& at) {
//     std::printf("%llu of %llu steps\n", number(at.done), number(at.total));
//   };
//   store.maintain(daily).value();
#pragma once
#include <cstdint>
#include <functional>

namespace efface {

// In what the call counts: bytes, or steps.
struct Progress {
  std::uint64_t done = 0;   // Never less than it was. At the end, total.
  std::uint64_t total = 0;  // As far as it is known by now: it may grow.
};
using OnProgress = std::function<void(const Progress&)>;

}  // namespace efface
