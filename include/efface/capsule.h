// efface/capsule.h -- a recovery capsule: a region's keyring and the key of its root, sealed to
// somebody's public key until a day. It outlives the loss of the disk and of the root keys
// together.
//
// It is the one copy that can bring back who is erased after it was made: whoever has it and the
// secret key reads what the keyring had, until the secret key is destroyed. So it is optional, it
// is made until a day, and that day stands in the ledger, and in every receipt from then on
// ("beyond backups"). Give each period a key pair of its own, keep the secret away from the store,
// and destroy it when the day is over: nothing but that closes a capsule.
//
// Bringing it back (Store::restore) needs a root key store, new or not, and the ledger's copy: what
// was erased since is erased again before anything is read.
//
// Shape  docs/format/capsule.md. A file, 0600; about as large as the keyring.
//
// Example
//   RecipientKeyPair october = RecipientKeyPair::generate().value();  // Its secret: not here.
//   CapsuleOptions options;
//   options.target = home / "eu.capsule";
//   options.recipient = october.public_key();
//   options.opens_until = system_clock::now() + std::chrono::days(30);
//   store.make_capsule(eu, options, Actor("operations")).value();
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "efface/portability.h"

namespace efface {

struct CapsuleOptions {
  std::filesystem::path target;  // Made; nothing may be there.
  RecipientPublicKey recipient;
  std::chrono::system_clock::time_point opens_until;  // Until the end of that day, in UTC.
};

struct CapsuleReport {
  std::chrono::sys_days opens_until;
  std::uint64_t bytes = 0;
};

// A capsule that is brought back by Store::restore.
struct Capsule {
  std::string region;
  std::filesystem::path path;
  const RecipientKeyPair* keys = nullptr;  // Borrowed for the call.
  std::string verifier_key;                // The region's: Store::verifier_key.
};

}  // namespace efface
