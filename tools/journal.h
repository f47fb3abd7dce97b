// tools/journal.h -- how far a long list has been worked off, kept so that a run which was killed
// goes on, and so that nobody is left out and no receipt is lost.
//
// Shape   A JSON object a line, each synced before anything else is done; 0600; no id in it. The
//         first says, by keyed hashes, of which list and of which tenant and store it is. Then two
//         for each chunk: "trying", before it is erased, and "done", when its people are erased and
//         its tickets are on disk. So of the last chunk alone it may be unknown whether it was
//         done, and what "trying" says finds its entries in the ledger again.
// Errors  conflict: of another list, tenant or store. busy: another run has it. corruption: not a
//         journal. io.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/file.h"
#include "tools/id_list.h"

namespace efface::cli {

// All up to a line is done.
struct JournalDone {
  std::uint64_t line = 0;
  std::uint64_t erased = 0;
  std::uint64_t unknown = 0;
  std::uint64_t held = 0;
  std::uint64_t shared = 0;
};

// A chunk that is being erased.
struct JournalTrying {
  std::uint64_t line_last = 0;
  std::array<std::byte, 32> salt{};  // ReceiptOptions::salt.
  // Before it: how many entries the ledger of each region had, and bytes the file of tickets.
  std::vector<std::pair<std::string, std::uint64_t>> ledgers;
  std::optional<std::uint64_t> tickets_bytes;  // Nothing: no tickets are kept.
};

class Journal {
 public:
  // where: what the list is erased in, the tenant and the regions of a store.
  Journal(const std::string& path, const IdList& list, const std::string& where);

  const JournalDone& done() const noexcept { return done_; }
  // Of a run that ended in between.
  const std::optional<JournalTrying>& trying() const noexcept { return trying_; }

  void begin(const JournalTrying& chunk);
  void finish(const JournalDone& all);

 private:
  bool read();  // Whether it has a first line.

  AppendFile file_;
  std::array<std::byte, 32> key_{};
  std::string list_;
  std::string where_;
  JournalDone done_;
  std::optional<JournalTrying> trying_;
};

std::array<std::byte, 32> random_bytes();

}  // namespace efface::cli
