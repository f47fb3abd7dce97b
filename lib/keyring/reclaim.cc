// Giving space back after an erasure. Secrecy never depends on it.
#include "keyring/keyring_txn.h"

namespace efface::keyring {
namespace {
constexpr std::size_t entries_per_transaction_max = 512;
}

Result<std::optional<Reclaim>> Keyring::next_reclaim() {
  std::optional<Reclaim> found;
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  constexpr std::array<std::byte, 1> queue{std::byte{'q'}};
  EFFACE_TRY(txn.scan(queue, queue, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    if (entry.key.size() != 9) return Error(Errc::corruption, "a reclaim entry has no number");
    const auto sequence = load_be<std::uint64_t>(entry.key.subspan<1, 8>());
    EFFACE_ASSIGN(found, decode_reclaim(sequence, entry.value));
    return Flow::stop;
  }));
  return found;
}

Status Keyring::drop_nodes(std::uint32_t tenant_number) {
  EFFACE_TRY(drop_prefix(nodes_prefix(2 * tenant_number)));
  EFFACE_TRY(drop_prefix(nodes_prefix(2 * tenant_number + 1)));
  EFFACE_TRY(drop_prefix(notices_prefix(tenant_number)));
  return drop_prefix(files_prefix(tenant_number));
}

Result<std::vector<Keyring::Notice>> Keyring::notices(const TenantRef& tenant) {
  std::vector<Notice> found;
  const auto prefix = notices_prefix(tenant.number);
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_TRY(txn.scan(prefix, prefix, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    if (entry.key.size() != 13) return Error(Errc::corruption, "a notice has no number");
    found.push_back({load_be<std::uint64_t>(entry.key.subspan<5, 8>()),
                     {entry.value.begin(), entry.value.end()}});
    return Flow::more;
  }));
  return found;
}

Status Keyring::finish_notice(const TenantRef& tenant, std::uint64_t sequence) {
  EFFACE_ASSIGN(const Lock held, lock());
  return drop_entry(held, notice_key(tenant.number, sequence));
}

Status Keyring::drop_entry(const Lock& held, Bytes key) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  return change_plain([&](storage::WriteTxn& txn) -> Status {
    EFFACE_TRY(txn.remove(key));
    return {};
  });
}

Status Keyring::drop_prefix(Bytes prefix) {
  for (bool more = true; more;) {
    EFFACE_ASSIGN(const Lock held, lock());
    more = false;
    EFFACE_TRY(change_plain([&](storage::WriteTxn& txn) -> Status {
      std::vector<std::vector<std::byte>> keys;
      EFFACE_TRY(txn.scan(prefix, prefix, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
        keys.emplace_back(entry.key.begin(), entry.key.end());
        return keys.size() < entries_per_transaction_max ? Flow::more : Flow::stop;
      }));
      more = keys.size() == entries_per_transaction_max;
      for (const auto& key : keys) EFFACE_TRY(txn.remove(key));
      return {};
    }));
  }
  return {};
}

Status Keyring::finish_reclaim(std::uint64_t sequence) {
  EFFACE_ASSIGN(const Lock held, lock());
  return drop_entry(held, reclaim_key(sequence));
}

}  // namespace efface::keyring
