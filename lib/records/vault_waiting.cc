// What is acknowledged ahead of its commit. There is no thread for it: it is committed by whoever
// writes next, by whoever looks at it, by sync, and at the latest when its owner goes.
#include <algorithm>
#include <new>

#include "base/check.h"
#include "records/vault_job.h"

namespace efface::records {
namespace {

// Of what was decided before, and of nothing.
constexpr auto is_valid = []() -> Status { return {}; };

}  // namespace

Result<bool> Vault::leave_waiting(std::unique_ptr<Waiting>& batch,
                                  FunctionRef<Status()> still_valid) {
  EFFACE_CHECK(prepare_ != nullptr);
  {
    const auto usable = environment_.read();  // Nothing waits for a commit that will never be.
    EFFACE_TRY(usable);
  }
  return queue_.add(batch, still_valid);
}

// Under the records lock. Nobody else writes, so what is sealed beside for what stands there now
// finds it so.
Status Vault::get_ready(Ahead& ahead) {
  if (queue_.empty()) return {};
  ahead.batches = queue_.all();
  EFFACE_TRY(prepare_(ahead.batches, ahead.beside));
  for (Waiting* batch : ahead.batches)
    if (!batch->refused) ahead.jobs.push_back({batch->changes, batch->now_ms, is_valid});
  if (!ahead.beside.empty()) ahead.jobs.push_back({ahead.beside, 0, is_valid});
  for (Change& change : ahead.beside) change.expect = Change::Expect::anything;
  return {};
}

// Those that were refused, too.
void Vault::take_off_queue(const Ahead& stored) {
  std::uint64_t refused = 0;
  std::optional<Error> why;
  for (const Waiting* batch : stored.batches) {
    if (!batch->refused) continue;
    if (++refused == 1) why = batch->refused;
  }
  queue_.remove_oldest(stored.batches.size());
  if (refused != 0) watch_.note(LogEvent::relaxed_dropped, {{"batches", refused}}, why);
}

Status Vault::commit_waiting() {
  if (queue_.empty()) return {};
  return commit({}, 0, is_valid);
}

Status Vault::commit_waiting(const keyring::Handle& handle) {
  if (!queue_.has(handle)) return {};
  return commit_waiting();
}

Status Vault::sync() {
  {
    const auto usable = environment_.read();
    EFFACE_TRY(usable);
  }
  if (mutant == Mutant::sync_answers_first) return {};
  EFFACE_TRY(commit_waiting());
  if (const std::optional<Error> refused = queue_.take_refusal()) return *refused;
  return {};
}

// In a child of fork() the queue, as all that is here, is the parent's.
void Vault::let_go(const void* owner) noexcept {
  if (queue_.empty()) return;
  const base::Telling after_the_locks;
  Status committed = Error(Errc::out_of_memory, "no memory to store records");
  try {
    {
      const auto usable = environment_.read();
      if (!usable && usable.error().code() == Errc::forked) return;
    }
    committed = commit_waiting();  // There is nobody left to be told, but by the log.
  } catch (const std::bad_alloc&) {
  }
  const std::lock_guard nobody_writes(writer_);
  const std::size_t lost = queue_.remove_of(owner);
  if (lost == 0) return;
  watch_.note(LogEvent::relaxed_lost, {{"batches", lost}},
              committed ? std::nullopt : std::optional(committed.error()));
}

Status Vault::copy(const os::Directory& into, const storage::EnvironmentOptions& options,
                   storage::CopyProgress progress) {
  EFFACE_TRY(commit_waiting());
  return storage::copy(environment_, into, options, progress);
}

Result<storage::Environment::Stats> Vault::stats() {
  EFFACE_TRY(commit_waiting());
  return environment_.stats();
}

}  // namespace efface::records
