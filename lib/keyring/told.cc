// What is told of a keyring to whoever runs it: that something is not done, once, and that it is
// done after all.
#include "keyring/keyring.h"

namespace efface::keyring {

// Answers `answer`.
Error Keyring::tell_pending(const Error& why, const Error& answer) {
  const Replicas did = replicas();
  if (!std::exchange(told_pending_, true))
    watch().note(LogEvent::erase_pending,
                 {{"epoch", epoch()}, {"replicas_confirmed", did.confirmed}, {"replicas", did.of}},
                 why);
  return answer;
}

Error Keyring::tell_left() {
  const Error left(Errc::erase_pending, "the root key store that was left still holds keys");
  return tell_pending(left, left);
}

void Keyring::tell_replicas() {
  const Replicas did = replicas();
  if (!std::exchange(told_replicas_, true))
    watch().note(LogEvent::replica_missing,
                 {{"replicas_confirmed", did.confirmed}, {"replicas", did.of}});
}

void Keyring::tell_settled() {
  if (pending_) return;
  if (std::exchange(told_replicas_, false))
    watch().note(LogEvent::replicas_complete, {{"replicas", replicas().of}});
  if (std::exchange(told_pending_, false))
    watch().note(LogEvent::erase_finished, {{"epoch", epoch()}});
}

void Keyring::tell_copy(const Status& written) {
  if (!written) {
    if (!std::exchange(told_copy_, true))
      watch().note(LogEvent::ledger_copy_behind, {}, written.error());
  } else if (!copy_behind_ && std::exchange(told_copy_, false)) {
    watch().note(LogEvent::ledger_copy_in_step, {{"entries", book_.tree.size}});
  }
}

}  // namespace efface::keyring
