#include "rights/decision.h"

#include <algorithm>

#include "access/person_records.h"
#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "efface/limits.h"

namespace efface::rights {
namespace {

constexpr std::size_t salt_bytes = 32;

Result<const keyring::Row*> tenant_row(const keyring::Keys& keys) {
  const keyring::Row* row = keys.find(keyring::pseudonym_key);
  if (row == nullptr) return Error(Errc::tenant_unknown, "the region has no such tenant");
  return row;
}

Result<Id16> request_tag(const access::TenantRegion& home, Bytes request) {
  EFFACE_ASSIGN(const auto keys, home.region->keyring->tenant_keys(home.ref));
  EFFACE_ASSIGN(const keyring::Row* row, tenant_row(*keys));
  return crypto::prf128(row->key.bytes(), {as_bytes("efface.request"), request});
}

Result<crypto::SecretKey> ledger_key(const access::TenantRegion& home) {
  EFFACE_ASSIGN(const auto keys, home.region->keyring->tenant_keys(home.ref));
  EFFACE_ASSIGN(const keyring::Row* row, tenant_row(*keys));
  auto key = crypto::SecretKey::zeroed();
  crypto::prf256(row->key.bytes(), {as_bytes("efface.ledger.sealed"), Bytes(home.region->id)},
                 key.bytes());
  return key;
}

}  // namespace

ledger::Entry decision(const Acting& acting, ledger::Kind kind,
                       std::optional<subjects::PurposeNumber> purpose, std::string_view detail) {
  ledger::Entry entry;
  entry.kind = kind;
  entry.purpose = purpose;
  entry.actor = acting.actor;
  entry.detail = detail;
  return entry;
}

Status check(const ReceiptOptions& receipt) {
  if (!receipt.salt.empty() && receipt.salt.size() != salt_bytes)
    return Error(Errc::invalid_argument, "a receipt's salt is 32 bytes");
  if (receipt.request.size() > limits::token_bytes_max)
    return Error(Errc::invalid_argument, "a request is 1 to 64 bytes");
  return {};
}

Status bind(const About& about, const access::TenantRegion& home, SubjectId id,
            keyring::Removal& removal) {
  EFFACE_TRY(check(about.receipt));
  ledger::Entry entry = decision(about.acting, about.kind, about.purpose, about.detail);
  if (about.receipt.salt.empty())
    crypto::fill_random(removal.salt);
  else
    std::ranges::copy(about.receipt.salt, removal.salt.begin());
  entry.commitment =
      ledger::commitment_to(removal.salt, about.acting.tenant->name(), as_bytes(id.text));
  if (!about.receipt.request.empty()) {
    EFFACE_ASSIGN(entry.request, request_tag(home, about.receipt.request));
  }
  removal.decisions.push_back(std::move(entry));
  return {};
}

Status bind(const About& about, const Person& person, keyring::Removal& removal) {
  const auto id = access::id_of(person);
  // Whose id does not open is erased all the same, and bound to nobody.
  if (!id && id.error().code() == Errc::corruption) {
    removal.decisions.push_back(decision(about.acting, about.kind, about.purpose, about.detail));
    return {};
  }
  EFFACE_TRY(id);
  return bind(about, *person.home, SubjectId(as_text(id->bytes())), removal);
}

Result<std::optional<ReceiptTicket>> made_by(const access::TenantState& tenant,
                                             const ReceiptOptions& receipt) {
  EFFACE_TRY(check(receipt));
  if (receipt.request.empty()) return std::optional<ReceiptTicket>();
  for (const access::TenantRegion& home : tenant.regions()) {
    if (!home.region->open) continue;
    EFFACE_ASSIGN(const Id16 request, request_tag(home, receipt.request));
    EFFACE_ASSIGN(const auto entry, home.region->keyring->find_request(request));
    if (!entry) continue;
    EFFACE_TRY(home.region->keyring->settle());
    ReceiptTicket ticket{home.region->name, *entry, 0, {}};
    if (!receipt.salt.empty()) std::ranges::copy(receipt.salt, ticket.salt.begin());
    return std::optional(std::move(ticket));
  }
  return std::optional<ReceiptTicket>();
}

Result<std::vector<std::byte>> seal_for_tenant(const access::TenantRegion& home, Bytes what) {
  EFFACE_ASSIGN(const crypto::SecretKey key, ledger_key(home));
  std::vector<std::byte> sealed(what.size() + crypto::seal_overhead_bytes);
  crypto::seal(key.bytes(), home.region->id, what, sealed);
  return sealed;
}

Result<codec::Plaintext> open_for_tenant(const access::TenantRegion& home, Bytes sealed) {
  if (sealed.size() < crypto::seal_overhead_bytes)
    return Error(Errc::corruption, "an entry of the ledger is shorter than any");
  EFFACE_ASSIGN(const crypto::SecretKey key, ledger_key(home));
  codec::Plaintext what(sealed.size() - crypto::seal_overhead_bytes);
  EFFACE_TRY(crypto::open(key.bytes(), home.region->id, sealed, what.bytes()));
  return what;
}

}  // namespace efface::rights
