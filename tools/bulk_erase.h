// tools/bulk_erase.h -- erasing a long list of people, a chunk in one epoch, so that a run which is
// killed can be begun again and ends as if it had not been.
//
// Shape   A chunk: the journal says that it is tried; it is erased; its tickets are on disk; the
//         journal says that it is done. Whoever of a chunk that was tried is gone already has her
//         entry in the ledger: it is found by the commitment to her, under the salt in the journal.
// Errors  Of erasing; journal.h; tickets.h. What was done before stays done, and is in report().
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "efface/efface.h"
#include "efface/limits.h"
#include "tools/id_list.h"
#include "tools/journal.h"
#include "tools/progress.h"
#include "tools/tickets.h"

namespace efface::cli {

// What a chunk has behind it.
enum class BulkStep : std::uint8_t { tried, erased, ticketed, done };

struct BulkOptions : TicketOptions {
  std::string journal;  // None: what is killed is begun from the start.
  std::size_t chunk_people = limits::subjects_per_call_max;
  std::function<void(BulkStep)> on_step{};  // For tests.
};

struct BulkReport {
  Erasure sum;  // With what the journal says of earlier runs; regions and epochs are this run's.
  std::uint64_t after_line = 0;  // Up to it all had been done before.
  std::uint64_t through_line = 0;
  std::vector<std::pair<std::size_t, std::size_t>> held;  // Chunks of this run with people on hold.
};

class BulkErasure {
 public:
  BulkErasure(const Store& store, const Tenant& tenant, const IdList& list,
              const BulkOptions& options);
  void run(Progress& progress);
  const BulkReport& report() const noexcept { return report_; }

 private:
  JournalTrying trying_of(std::size_t last) const;
  void erase(std::size_t first, std::size_t end, std::vector<ReceiptTicket> tickets = {});
  // Of people of the chunk whom an earlier run erased.
  std::vector<ReceiptTicket> made_before(std::size_t first, std::size_t end) const;
  void step(BulkStep at) const {
    if (options_.on_step) options_.on_step(at);
  }

  const Store& store_;
  const Tenant& tenant_;
  const IdList& list_;
  const BulkOptions& options_;
  std::optional<Journal> journal_;
  BulkReport report_;
};

}  // namespace efface::cli
