// keyring/survivor.h -- going on with a mirror when the keyring is lost, damaged or put back.
//
// The newest of the keyring and its mirrors that opens under the root keys as they are is put in
// the keyring's place. What stood there is moved aside, not removed: NAME.damaged-N, N its sequence
// or 0. What is in it stays as readable as it was, until the next erasure.
//
// Errors  Of the keyring, where no mirror opens: as Keyring::open.
// Cost    Opens each once, to look. Nothing where there are no mirrors.
#pragma once
#include <string_view>

#include "keyring/keyring.h"
#include "keyring/mirrors.h"

namespace efface::keyring {

// Whether the keyring, or one of its mirrors, opens. Errors: those that say nothing about it (busy,
// io, a token that is away).
Result<bool> any_opens(const os::Directory& parent, std::string_view name,
                       const KeyringOptions& options, const Mirrors* mirrors);

// A directory of that parent takes the keyring's place; what stood there is moved aside.
Status put_in_place(const os::Directory& parent, std::string_view name, std::string_view arriving,
                    const KeyringOptions& options);

// Answers whether a mirror took the keyring's place.
Result<bool> put_newest_in_place(const os::Directory& parent, std::string_view name,
                                 const KeyringOptions& options, const Mirrors& mirrors);

}  // namespace efface::keyring
