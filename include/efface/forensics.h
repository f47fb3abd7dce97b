// efface/forensics.h -- what Store::forensics looks for, and answers: what of old copies, backups,
// mirrors, images of disks the keys of today still open.
//
// Shape  What is counted are images: LMDB writes a page anew with each commit, so one record may be
//        found many times, also in one file. docs/doctor.md says what is searched and what is not.
//
// Example
//   const fs::path places[] = {home / "monday"};
//   const ForensicsCount records = store.forensics(places, {}).value().counts.records;
//   std::printf("%llu of %llu open\n", number(records.opened), number(records.found));
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "efface/export.h"
#include "efface/progress.h"

namespace efface {

struct ForensicsCount {
  std::uint64_t found = 0;   // That look sealed. What did not open is of the erased, or foreign.
  std::uint64_t opened = 0;  // By a key that is there today, or that another image gave.
};

struct ForensicsCounts {
  ForensicsCount records{};  // A person's id and the summaries of her scopes among them.
  ForensicsCount shared{};   // Records of several people.
  ForensicsCount files{};    // On people, of keyrings.
  ForensicsCount nodes{};    // Of key trees.
  ForensicsCount roots{};    // Root keys, wrapped.
};

// One file in which something was found. Valid during the call.
struct ForensicsFile {
  const std::filesystem::path& path;
  const ForensicsCounts& counts;
};

// Somebody of whom something opened. Valid during the call.
struct ForensicsPerson {
  std::string_view tenant{};   // Empty: the tenant is gone.
  std::string_view subject{};  // Her id. Empty: it did not open.
  std::uint64_t objects = 0;   // Records and files.
  bool beyond_today = false;   // By a key that no key tree has today.
};

struct ForensicsOptions {
  // These two must not throw, and are called when all is done.
  std::function<void(const ForensicsFile&)> on_file{};
  // Says ids. Without it nobody's id is opened.
  std::function<void(const ForensicsPerson&)> whose{};
  OnProgress on_progress{};  // In bytes that are searched.
};

struct ForensicsReport {
  std::uint64_t files = 0;  // That were read.
  std::uint64_t bytes = 0;
  std::uint64_t unreadable = 0;  // Files and directories that could not be read, or not to the end.
  ForensicsCounts counts{};
  std::uint64_t people = 0;  // Of whom a record or a file opened.
  // Rows of key trees (people, their scopes, days) that were reached through old images, and are
  // not there today: they were removed, and their keys are not forgotten. Then whoever has these
  // files, and the keys of today, reads what should be gone. Never so while the root key store
  // destroys what it says it destroyed.
  std::uint64_t beyond_today = 0;
  std::uint64_t opened_beyond_today = 0;  // Records and files, by the keys of such rows.
  // Wrapped root keys of which the root key store could not say whether it opens them: a token, or
  // one of several replicas, that cannot be reached. What they lead to is not known.
  std::uint64_t roots_unanswered = 0;
};

}  // namespace efface
