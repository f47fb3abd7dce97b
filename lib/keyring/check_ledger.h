// keyring/check_ledger.h -- a whole ledger: every entry, what it hangs together by, its copy, and
// what the root key store remembers of it.
#pragma once
#include "efface/root_key_store.h"
#include "keyring/book.h"
#include "keyring/check.h"

namespace efface::keyring {

// copy may be null. Errors: those of reading; what does not verify is counted.
Status check_ledger(const storage::ReadTxn& txn, const Id16& region, const LedgerCopy* copy,
                    const Anchor& anchor, KeyringCheck& into);

}  // namespace efface::keyring
