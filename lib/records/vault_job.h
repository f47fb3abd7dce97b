// records/vault_job.h -- what one commit of a vault is made of. Private to its sources.
#pragma once
#include "records/mutant.h"
#include "records/vault.h"

namespace efface::records {

struct Vault::Job {
  std::span<Change> changes;
  std::int64_t now_ms;
  FunctionRef<Status()> still_valid;
  Status answer{};
  bool refused = false;
};

// All that waits, decided again: as jobs, those that were not refused.
struct Vault::Ahead {
  std::vector<Waiting*> batches;
  std::vector<Change> beside;
  std::vector<Job> jobs;
  std::vector<Job*> all;

  std::span<Job* const> before(std::span<Job* const> others) {
    all.clear();
    for (Job& job : jobs) all.push_back(&job);
    all.insert(mutant == Mutant::waiting_comes_last ? all.begin() : all.end(), others.begin(),
               others.end());
    return all;
  }
};

}  // namespace efface::records
