// efface/root_key_store.h -- what holds the root key of a region, and is able to destroy it.
//
// The keyring is a tree of sealed nodes; the key of its root is wrapped by a RootKeyStore. An
// erasure wraps a new root under the next epoch and then destroys the present one. Everything hangs
// on destroy being true: how well it is, is the assurance level, printed with every erasure.
//
// Threads   Called by one thread at a time, never inside a database transaction: it may take a
//           second.
// Lifetime  Outlives the Store that uses it. One RootKeyStore serves one region.
// Errors    Whatever a method answers, a later list() tells what the store holds.
// Source    Di Crescenzo et al., "How to forget a secret", STACS 1999; NIST SP 800-88r2 (2025).
//
// Example
//   const Assurance assurance = root_keys->assurance();
//   std::printf("%s: %s\n", name(assurance.level), assurance.rests_on);
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "efface/bytes.h"
#include "efface/export.h"
#include "efface/result.h"

namespace efface {

// The number of a root key. Grows; never returns.
using Epoch = std::uint64_t;

enum class AssuranceLevel : std::uint8_t {
  l0_logical = 0,             // Copies on write, or unknown: the old bytes may stay on the medium.
  l1_overwritten = 1,         // A file, overwritten in place; nothing verifies it.
  l2_overwrite_verified = 2,  // A file, overwritten in place: same extent before and after.
  l3_token = 3,               // Destroyed inside a token (TPM NV, HSM).
  l4_composite = 4,           // Several stores, one of them L3; destroying any one suffices.
};
EFFACE_EXPORT const char* name(AssuranceLevel level) noexcept;  // "L0" to "L4"

struct Assurance {
  AssuranceLevel level = AssuranceLevel::l0_logical;
  const char* rests_on = "";  // One compile-time sentence: what the level rests on.
};

// How many of the stores that one is made of did its last step, and of how many.
struct Replicas {
  unsigned confirmed = 1;
  unsigned of = 1;
  friend bool operator==(const Replicas&, const Replicas&) = default;
};

// What the store keeps beside its keys, authenticated: how far the keyring had come.
struct Anchor {
  Epoch epoch = 0;                        // In force when the anchor was written; 0: never used.
  std::array<std::byte, 32> root_hash{};  // BLAKE2b-256 of the sealed root node.
  std::uint64_t ledger_entries = 0;
  std::array<std::byte, 16> ledger_hash{};
  friend bool operator==(const Anchor&, const Anchor&) = default;
};
static_assert(sizeof(Anchor) == 64);

class EFFACE_EXPORT RootKeyStore {
 public:
  using Key = std::span<std::byte, 32>;
  using KeyView = std::span<const std::byte, 32>;
  using StoreId = std::array<std::byte, 16>;
  static constexpr std::size_t wrapped_bytes_max = 1024;

  virtual ~RootKeyStore();
  RootKeyStore(const RootKeyStore&) = delete;
  RootKeyStore& operator=(const RootKeyStore&) = delete;

  // Random, made with the store: a keyring remembers it and refuses another.
  virtual StoreId id() const = 0;
  virtual Assurance assurance() const = 0;

  // As of its last create, rotate or destroy; before any, as of when it was opened.
  virtual Replicas replicas() const { return {1, 1}; }

  // The epochs whose keys it holds, ascending: at most two, but that a step which several stores
  // did not all do may leave more.
  virtual Result<std::vector<Epoch>> list() = 0;
  virtual Result<Anchor> anchor() = 0;

  // Makes the key of one more epoch and keeps the anchor; durable when it answers.
  // Errors: exists when the epoch is not above all that the store has seen, or two are held.
  virtual Status create(Epoch epoch, const Anchor& anchor) = 0;

  // Wraps a root key under an epoch; and back. context is authenticated, not kept.
  // Errors: root_key_missing when the epoch is not held; corruption when it does not verify.
  virtual Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) = 0;
  virtual Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) = 0;

  // Destroys one epoch's key and makes another's, with the anchor, in one durable step where it
  // can. When it answers, the destroyed key is nowhere in the store, and that was read back.
  virtual Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) = 0;

  // Destroys one epoch's key; durable and read back when it answers. An epoch not held is no error.
  virtual Status destroy(Epoch epoch) = 0;

  // Whether the store's files lie within this directory: the library refuses that for its data.
  virtual Result<bool> lies_within(const std::string& directory) const = 0;

  // For Store::diagnose. Whether the store's files lie on this directory's volume: one disk, or one
  // image of it, then has both. And whether who reads the store's files has its keys.
  virtual Result<bool> shares_volume(const std::string&) const { return false; }
  virtual bool keeps_in_clear() const { return false; }

  // Whether objects of several processes may stand for the same store at the same time: each sees
  // what the others did. The library calls what changes it in one process at a time.
  virtual bool may_be_shared() const { return false; }

 protected:
  RootKeyStore() = default;
};

}  // namespace efface
