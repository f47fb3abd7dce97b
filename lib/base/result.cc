#include "efface/result.h"

namespace efface {

const char* name(Errc code) noexcept {
  switch (code) {
#define EFFACE_NAME(code_name) \
  case Errc::code_name:        \
    return #code_name
    EFFACE_NAME(invalid_argument);
    EFFACE_NAME(too_large);
    EFFACE_NAME(exists);
    EFFACE_NAME(conflict);
    EFFACE_NAME(store_missing);
    EFFACE_NAME(tenant_unknown);
    EFFACE_NAME(region_unknown);
    EFFACE_NAME(purpose_unknown);
    EFFACE_NAME(subject_unknown);
    EFFACE_NAME(subject_erased);
    EFFACE_NAME(region_mismatch);
    EFFACE_NAME(region_not_permitted);
    EFFACE_NAME(region_not_open);
    EFFACE_NAME(purpose_not_permitted);
    EFFACE_NAME(expired);
    EFFACE_NAME(consent_missing);
    EFFACE_NAME(suppressed);
    EFFACE_NAME(restricted);
    EFFACE_NAME(objected);
    EFFACE_NAME(busy);
    EFFACE_NAME(keyring_stale);
    EFFACE_NAME(root_key_missing);
    EFFACE_NAME(root_key_mismatch);
    EFFACE_NAME(passphrase_wrong);
    EFFACE_NAME(assurance_too_low);
    EFFACE_NAME(unsafe_path);
    EFFACE_NAME(unsafe_filesystem);
    EFFACE_NAME(format_old);
    EFFACE_NAME(format_new);
    EFFACE_NAME(memory_not_locked);
    EFFACE_NAME(token_unavailable);
    EFFACE_NAME(unsupported);
    EFFACE_NAME(rate_limited);
    EFFACE_NAME(ledger_mismatch);
    EFFACE_NAME(records_stale);
    EFFACE_NAME(corruption);
    EFFACE_NAME(full);
    EFFACE_NAME(no_space);
    EFFACE_NAME(io);
    EFFACE_NAME(outcome_unknown);
    EFFACE_NAME(closed);
    EFFACE_NAME(forked);
    EFFACE_NAME(out_of_memory);
    EFFACE_NAME(erase_pending);
    EFFACE_NAME(legal_hold);
    EFFACE_NAME(transfer_not_permitted);
    EFFACE_NAME(transfer_pending);
    EFFACE_NAME(basis_differs);
    EFFACE_NAME(agreement_missing);
    EFFACE_NAME(hold_unknown);
    EFFACE_NAME(receipt_unknown);
    EFFACE_NAME(incident_unknown);
    EFFACE_NAME(seal_unknown);
#undef EFFACE_NAME
  }
  return "unknown";
}

}  // namespace efface
