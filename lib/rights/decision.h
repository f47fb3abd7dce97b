// rights/decision.h -- what the ledger is told of a decision: what, by whom, and never about whom.
//
// A destruction is bound to its person by a salted commitment: who keeps the salt can show whom it
// was about, and nobody else can tell. A caller's request leads to the entry that it made.
//
// Errors  invalid_argument: a salt that is not 32 bytes, a request that is not 1 to 64.
#pragma once
#include "rights/file.h"

namespace efface::rights {

ledger::Entry decision(const Acting& acting, ledger::Kind kind,
                       std::optional<subjects::PurposeNumber> purpose = {},
                       std::string_view detail = {});

// What is entered, and how the receipt is asked for.
struct About {
  const Acting& acting;
  ledger::Kind kind;
  const ReceiptOptions& receipt;
  std::optional<subjects::PurposeNumber> purpose{};
  std::string_view detail{};
};

// How much of somebody is copied, or removed, in one commit.
inline constexpr std::size_t records_per_commit = 4'096;

Status check(const ReceiptOptions& receipt);

// Adds the decision to the removal, bound to the id; to the person's own id.
Status bind(const About& about, const access::TenantRegion& home, SubjectId id,
            keyring::Removal& removal);
Status bind(const About& about, const Person& person, keyring::Removal& removal);

// The entry that a request has made already, in whichever region; what still waited for the root
// key store is settled before it answers.
Result<std::optional<ReceiptTicket>> made_by(const access::TenantState& tenant,
                                             const ReceiptOptions& receipt);

// What only the tenant may read in an entry, a suppressed person's tag or a reason: sealed under a
// key of the tenant's. Errors of open: corruption.
Result<std::vector<std::byte>> seal_for_tenant(const access::TenantRegion& home, Bytes what);
Result<codec::Plaintext> open_for_tenant(const access::TenantRegion& home, Bytes sealed);

}  // namespace efface::rights
