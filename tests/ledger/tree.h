// ledger/tree.h -- a tree that keeps every complete subtree in memory, as a store keeps them on
// disk, and one ledger of a few entries that tests sign with a seed that everybody knows.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ledger/entry.h"
#include "ledger/merkle.h"
#include "ledger/receipt.h"

namespace efface::test {

class Tree {
 public:
  void add(Bytes entry) {
    frontier_.add(ledger::leaf_hash(entry),
                  [&](unsigned level, std::uint64_t index, const ledger::Hash& hash) {
                    subtrees_[{level, index}] = hash;
                  });
  }
  Result<ledger::Hash> operator()(unsigned level, std::uint64_t index) const {
    const auto found = subtrees_.find({level, index});
    if (found == subtrees_.end()) return Error(Errc::corruption, "no such subtree");
    return found->second;
  }
  const ledger::Frontier& frontier() const noexcept { return frontier_; }

 private:
  ledger::Frontier frontier_;
  std::map<std::pair<unsigned, std::uint64_t>, ledger::Hash> subtrees_;
};

template <std::size_t N>
std::array<std::byte, N> filled(unsigned value) {
  std::array<std::byte, N> out;
  out.fill(static_cast<std::byte>(value));
  return out;
}

inline crypto::SigningKey signing_key(unsigned seed = 1) {
  return crypto::SigningKey::of(crypto::SecretKey::copy_of(filled<32>(seed)));
}

inline constexpr std::string_view sample_tenant = "acme";
inline constexpr std::string_view sample_person = "ada@example.org";
inline const std::array<std::byte, 32> sample_salt = filled<32>(0x5a);

inline ledger::Entry sample_erasure() {
  ledger::Entry entry;
  entry.kind = ledger::Kind::erased;
  entry.time_ms = 1'767'225'600'125;
  entry.tenant = 4;
  entry.count = 1;
  entry.epoch_before = 17;
  entry.epoch_after = 18;
  entry.root_before = filled<32>(0x11);
  entry.root_after = filled<32>(0x22);
  entry.destroyed = ledger::hash_of_row(filled<16>(0x33));
  entry.commitment = ledger::commitment_to(sample_salt, sample_tenant, as_bytes(sample_person));
  entry.request = filled<16>(0x44);
  entry.actor = "desk";
  return entry;
}

inline Receipt sample_statement() {
  Receipt receipt;
  receipt.region = "eu-west";
  receipt.tenant = sample_tenant;
  receipt.entry = 6;
  receipt.issued = Receipt::Time(std::chrono::milliseconds(1'767'225'601'000));
  receipt.assurance = AssuranceLevel::l2_overwrite_verified;
  receipt.assurance_rests_on = "a file, overwritten in place: same extent before and after";
  receipt.replicas_confirmed = 2;
  receipt.replicas = 2;
  receipt.caches_wiped = 3;
  receipt.caches_fenced = 1;
  receipt.state = ReceiptState::quiesced;
  receipt.beyond_backups = std::chrono::sys_days(std::chrono::year(2026) / 2 / 1);
  receipt.not_covered = {"copies that the caller made",
                         "what the root key store held before, if somebody copied it"};
  return receipt;
}

// Eleven entries, the seventh being the erasure.
class SampleLedger {
 public:
  static constexpr std::uint64_t size = 11;

  SampleLedger() : SampleLedger(sample_erasure()) {}
  explicit SampleLedger(const ledger::Entry& seventh) : entry_(ledger::encode(seventh)) {
    for (std::uint64_t i = 0; i < size; ++i) {
      ledger::Entry other;
      other.kind = ledger::Kind::enrolled;
      other.time_ms = 1'767'225'000'000 + i;
      other.tenant = 4;
      other.count = i + 1;
      tree_.add(i == 6 ? entry_ : ledger::encode(other));
      roots_.push_back(tree_.frontier().root());
    }
  }

  const std::vector<std::byte>& entry() const noexcept { return entry_; }
  ledger::Checkpoint checkpoint(std::uint64_t of = size) const {
    return {ledger::origin_of(filled<16>(0xab)), of,
            of == 0 ? ledger::Frontier{}.root() : roots_[of - 1]};
  }
  std::vector<ledger::Hash> inclusion(std::uint64_t index = 6) const {
    return ledger::prove_inclusion(index, size, tree_).value();
  }
  ledger::ConsistencyProof consistency(std::uint64_t before, std::uint64_t after = size) const {
    return {before, after, ledger::prove_consistency(before, after, tree_).value()};
  }
  Result<std::string> receipt(const Receipt& statement = sample_statement()) const {
    return ledger::write_receipt(statement, entry_, inclusion(), checkpoint(), signing_key());
  }
  std::string verifier_key(unsigned seed = 1) const {
    return ledger::verifier_key(checkpoint().origin, signing_key(seed).verifying_key());
  }

 private:
  std::vector<std::byte> entry_;
  Tree tree_;
  std::vector<ledger::Hash> roots_;
};

}  // namespace efface::test
