// rights/sealing.h -- destroying the key of what was sealed for storage elsewhere.
//
// Errors  legal_hold, transfer_pending, subject_erased; those of Keyring::erase.
#pragma once
#include "rights/file.h"

namespace efface::rights {

// Of one person and purpose, if there is one.
Result<Erasure> discard_sealed(const Acting& acting, const Person& person,
                               subjects::PurposeNumber purpose, const ReceiptOptions& receipt);

// The removal of a row of such a key, where there is one.
std::optional<keyring::Removal> removal_of_sealing(const Person& person, const keyring::Keys& keys,
                                                   subjects::PurposeNumber purpose);
bool has_bytes_sealed(const keyring::Keys& keys) noexcept;

}  // namespace efface::rights
