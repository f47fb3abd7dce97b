// What efface/receipt.h promises to whoever checks: no exception leaves it.
#include <algorithm>
#include <new>

#include "base/check.h"
#include "crypto/secret.h"
#include "ledger/receipt.h"

namespace efface {
namespace {

template <class F>
auto guarded(F&& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Error(Errc::out_of_memory, "not enough memory");
  }
}

}  // namespace

const char* name(ReceiptKind kind) noexcept {
  switch (kind) {
    case ReceiptKind::erasure:
      return "erasure";
    case ReceiptKind::withdrawal:
      return "withdrawal";
    case ReceiptKind::expiry:
      return "expiry";
    case ReceiptKind::suppression:
      return "suppression";
    case ReceiptKind::transfer:
      return "transfer";
    case ReceiptKind::offboarding:
      return "offboarding";
    case ReceiptKind::rekeying:
      return "rekeying";
    case ReceiptKind::merger:
      return "merger";
  }
  return "unknown";
}

const char* name(ReceiptState state) noexcept {
  switch (state) {
    case ReceiptState::sealed:
      return "sealed";
    case ReceiptState::quiesced:
      return "quiesced";
    case ReceiptState::swept:
      return "swept";
    case ReceiptState::beyond_backups:
      return "beyond_backups";
  }
  return "unknown";
}

Result<Receipt> verify_receipt(std::string_view receipt, std::string_view verifier_key) noexcept {
  return guarded([&] { return ledger::read_receipt(receipt, verifier_key); });
}

Status verify_about(const Receipt& receipt, Bytes salt, std::string_view tenant,
                    std::string_view subject_id) noexcept {
  if (salt.size() != crypto::key_bytes) return Error(Errc::invalid_argument, "not a salt");
  const Receipt::Hash nobody{};  // Never a value.
  const Receipt::Hash expected = ledger::commitment_to(salt, tenant, as_bytes(subject_id));
  const Receipt::Hash& stated = receipt.commitment ? *receipt.commitment : nobody;
  if (!crypto::equal(expected, stated))
    return Error(Errc::corruption, "the receipt does not show that it is about that person");
  return {};
}

Result<Receipt::Hash> commitment_of(Bytes salt, std::string_view tenant,
                                    std::string_view subject_id) noexcept {
  if (salt.size() != crypto::key_bytes) return Error(Errc::invalid_argument, "not a salt");
  return ledger::commitment_to(salt, tenant, as_bytes(subject_id));
}

Result<std::array<std::byte, 32>> salt_of(Bytes salt, std::string_view subject_id) noexcept {
  if (salt.size() != crypto::key_bytes) return Error(Errc::invalid_argument, "not a salt");
  return ledger::salt_of_one(salt, as_bytes(subject_id));
}

Status verify_consistency(std::string_view checkpoint_before, std::string_view checkpoint_after,
                          std::string_view proof, std::string_view verifier_key) noexcept {
  return guarded([&]() -> Status {
    EFFACE_ASSIGN(const ledger::Checkpoint before,
                  ledger::open_checkpoint(checkpoint_before, verifier_key));
    EFFACE_ASSIGN(const ledger::Checkpoint after,
                  ledger::open_checkpoint(checkpoint_after, verifier_key));
    EFFACE_ASSIGN(const ledger::ConsistencyProof parts, ledger::read_proof(proof));
    if (parts.before != before.size || parts.after != after.size || before.size > after.size)
      return Error(Errc::corruption, "a proof of other checkpoints");
    return ledger::verify_consistency(before.size, after.size, parts.hashes, before.root,
                                      after.root);
  });
}

Result<std::string> checkpoint_of(std::string_view receipt) noexcept {
  return guarded([&]() -> Result<std::string> {
    const std::size_t front = receipt.find("\n\n");
    const std::size_t back = receipt.rfind("\n\n");
    if (front == std::string_view::npos || back == front)
      return Error(Errc::corruption, "not a receipt");
    return std::string(receipt.substr(front + 2, back - front - 1));
  });
}

}  // namespace efface
