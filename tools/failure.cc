#include "tools/failure.h"

#include <cerrno>

namespace efface::cli {

Exit exit_of(Errc code) noexcept {
  switch (code) {
    case Errc::corruption:
    case Errc::full:
    case Errc::no_space:
    case Errc::io:
    case Errc::outcome_unknown:
    case Errc::closed:
    case Errc::forked:
    case Errc::out_of_memory:
    case Errc::erase_pending:
      return Exit::broken;
    case Errc::invalid_argument:
    case Errc::too_large:
    case Errc::exists:
    case Errc::conflict:
    case Errc::store_missing:
    case Errc::tenant_unknown:
    case Errc::region_unknown:
    case Errc::purpose_unknown:
    case Errc::subject_unknown:
    case Errc::subject_erased:
    case Errc::region_mismatch:
    case Errc::region_not_permitted:
    case Errc::region_not_open:
    case Errc::purpose_not_permitted:
    case Errc::expired:
    case Errc::consent_missing:
    case Errc::suppressed:
    case Errc::restricted:
    case Errc::objected:
    case Errc::legal_hold:
    case Errc::transfer_not_permitted:
    case Errc::transfer_pending:
    case Errc::basis_differs:
    case Errc::agreement_missing:
    case Errc::hold_unknown:
    case Errc::busy:
    case Errc::keyring_stale:
    case Errc::root_key_missing:
    case Errc::root_key_mismatch:
    case Errc::passphrase_wrong:
    case Errc::assurance_too_low:
    case Errc::unsafe_path:
    case Errc::unsafe_filesystem:
    case Errc::format_old:
    case Errc::format_new:
    case Errc::memory_not_locked:
    case Errc::token_unavailable:
    case Errc::unsupported:
    case Errc::rate_limited:
    case Errc::ledger_mismatch:
    case Errc::records_stale:
    case Errc::receipt_unknown:
    case Errc::incident_unknown:
    case Errc::seal_unknown:
      return Exit::refused;
  }
  return Exit::broken;
}

Failure system_failure(std::string note) {
  const int system_code = errno;
  return Failure(name(Errc::io), std::move(note), Exit::broken).with_system_code(system_code);
}

}  // namespace efface::cli
