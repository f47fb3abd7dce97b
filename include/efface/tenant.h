// efface/tenant.h -- a controller [GDPR 4(7)]: one customer's silo, as seen by one actor.
//
// Names nothing outside itself. Copyable: a handle. Once the tenant is off-boarded every use
// answers Errc::tenant_unknown.
//
// Threads   Shared freely.
// Lifetime  Keeps the store open.
// Errors    Every call may answer io, corruption, busy (a deadline), closed, forked. One that takes
//           a Subject: subject_erased; subject_unknown for another tenant's; transfer_pending while
//           she is on her way to another region (reading, exporting and her dossier go on).
//
// Example
//   const Region eu = store.region("eu").value();
//   const Tenant shop = store.declare_tenant("shop", {&eu, 1}, Actor("web")).value();
//   const Purpose orders = shop.declare_purpose({"orders", LegalBasis::contract}).value();
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "efface/activity.h"
#include "efface/portability.h"
#include "efface/result.h"
#include "efface/rights.h"
#include "efface/sealer.h"
#include "efface/subject.h"

namespace efface {

class EFFACE_EXPORT Tenant {
 public:
  std::string_view name() const noexcept EFFACE_BORROWED;
  std::vector<Region> regions() const;  // Those it was declared for, in name order.

  // ---- purposes: at most 256 ----
  // Declaring one again with the same terms answers the one that is there. Needs all of the
  // tenant's regions open. Errors: conflict (other terms), too_large, region_not_open,
  // invalid_argument. Durable when it answers; a crash in between is mended by declaring again.
  Result<Purpose> declare_purpose(const PurposeTerms& terms) const;
  Result<Purpose> purpose(std::string_view name) const;  // Errors: purpose_unknown.
  Result<std::vector<PurposeTerms>> purposes() const;    // In the order they were declared.
  Result<Activity> activity(Purpose purpose) const;  // Errors: purpose_unknown (another tenant's).
  Result<Sealer> sealer(Purpose purpose) const;      // Likewise. For bytes that are kept elsewhere.

  // ---- people ----
  // Makes her keys; durable when it answers. Needs all of the tenant's regions open, to be sure
  // that she has no other home. Errors: exists, region_mismatch (she lives in another region),
  // region_unknown (another store's), region_not_permitted, region_not_open, suppressed,
  // agreement_missing (if OpenOptions requires one), invalid_argument, too_large, full.
  Result<Subject> enrol(SubjectId id, const Region& home) const;
  // The same for many in one commit, and without exists: who is there already is answered as she
  // is. All or none are enrolled. In the order of ids. At most 100,000. What will be written for
  // them first is cheaper when its purposes are named: their scopes are made in the same commit.
  // Errors: as enrol; consent_missing for a purpose that rests on consent.
  Result<std::vector<Subject>> find_or_enrol(std::span<const SubjectId> ids, const Region& home,
                                             std::span<const Purpose> purposes = {}) const;
  // Errors: subject_unknown; suppressed; region_not_open when she may live in a region that is not
  // open here.
  Result<Subject> subject(SubjectId id) const;
  // The same, when one expects her there. Errors: region_mismatch when her home is another region.
  Result<Subject> subject(SubjectId id, const Region& home) const;

  // ---- consent [7], objection [21], restriction [18] ----
  // Each is in force, with its evidence on file, when it answers. Errors: purpose_unknown (another
  // tenant's).

  // Only for a purpose that rests on consent (basis_differs). Starts a fresh scope unless consent
  // is in force; then it adds to the file. Errors: suppressed, restricted; invalid_argument or
  // too_large for the evidence.
  Status grant(const Subject& subject, Purpose purpose, const Evidence& evidence) const;
  // Destroys what was collected for the purpose, by its key. Under a legal hold it is refused from
  // now on and counted in Erasure::held; it is destroyed when the hold is released. Works while she
  // is restricted. Errors: consent_missing (none is in force), basis_differs, erase_pending;
  // invalid_argument or too_large for the evidence.
  Result<Erasure> withdraw(const Subject& subject, Purpose purpose, const Evidence& evidence = {},
                           const ReceiptOptions& receipt = {}) const;
  // Only against legitimate_interest and public_task (basis_differs), also before anything was
  // collected. Nothing is destroyed: it is refused until the objection is lifted. Twice is no
  // error.
  Status object(const Subject& subject, Purpose purpose) const;
  Status lift_objection(const Subject& subject, Purpose purpose) const;
  // Of all purposes: she is neither read nor written until it is lifted, and all else here works,
  // grant excepted. Twice is no error.
  Status restrict(const Subject& subject) const;
  Status lift_restriction(const Subject& subject) const;

  // ---- suppression ----
  // Erases whoever has the id, if anyone, and from now on refuses to know her: every write and
  // enrolment answers suppressed, until she is reinstated. Stays a keyed hash of the id, sealed:
  // who holds the live keys can test for it. Needs all of the tenant's regions open. Who is on
  // legal hold is refused at once, counted in Erasure::held, and erased when the hold is released.
  // Errors: region_not_open; invalid_argument or too_large for the id; erase_pending (suppressed
  // she is).
  Result<Erasure> suppress(SubjectId id, const ReceiptOptions& receipt = {}) const;
  // One id of hers: her further ones are reinstated one by one. The reason stands in the ledger,
  // sealed for the tenant. Errors: subject_unknown when it is not suppressed; invalid_argument for
  // an empty reason, too_large.
  Status reinstate(SubjectId id, std::string_view reason) const;

  // ---- legal hold [17(3)] ----
  // Blocks erasure, the destruction that follows a withdrawal, and expiry, and with them transfer,
  // merge and off-boarding. Reading goes on, within her terms: what is past its day is kept and not
  // read. Errors: invalid_argument; too_large (at most 64 at once).
  Result<HoldNumber> hold(const Subject& subject, const HoldTerms& terms) const;
  // Releasing the last one carries out what was asked meanwhile, and destroys what only the hold
  // kept. Erasure::erased says whether she was erased. Errors: hold_unknown, erase_pending.
  Result<Erasure> release(const Subject& subject, HoldNumber number) const;

  // What is on file about her, also while she is restricted.
  Status dossier(const Subject& subject, FunctionRef<void(const Dossier&)> look) const;

  // ---- access and portability [15, 20] ----
  // Gives the sink all that is known of her: her records of every purpose, with what is on file,
  // restricted or held or not. What is past its day is in it only while a hold keeps it, and says
  // so. The sink must not re-key (Shred::now, maintain). When it does not answer well, drop what
  // the sink got: after her erasure it gets no further byte. Errors: transfer_not_permitted (she
  // may not be read from here); the sink's.
  Status export_subject(const Subject& subject, const ExportOptions& options,
                        ExportSink sink) const;
  // The same of all people of the tenant, in no order that means anything; answers how many. Who
  // is enrolled meanwhile may not be in it. Errors: region_not_open when one of its regions is
  // not; subject_erased (part of what is known of her had left), transfer_pending (somebody was
  // transferred or merged meanwhile): begin again.
  Result<std::uint64_t> export_all(const ExportOptions& options, ExportSink sink) const;

  // ---- several identifiers of one person ----
  // From now on she is found, enrolled no second time, erased and suppressed by this id too. At
  // most 64 beside the first. Needs all of the tenant's regions open. Errors: exists: somebody else
  // has it (see merge); suppressed; too_large.
  Status add_identifier(const Subject& subject, SubjectId further) const;
  // The two are one: whatever `from` has becomes `into`'s, her ids lead there, and `from` is no
  // more. Of two records with one name in one purpose, `into`'s stays; the stricter of restriction
  // and objection holds. Errors: conflict: one consents to what the other withdrew, or shares
  // records, or `from` has bytes sealed elsewhere (Sealer::discard); region_mismatch: they live in
  // different regions (transfer one first); legal_hold, suppressed; erase_pending (they are
  // merged).
  Result<Erasure> merge(const Subject& into, Subject&& from) const;

  // ---- questions across people: from the key tree and sealed summaries, no index in clear ----
  // Calls each for every match, with her id. People that come, go or change meanwhile may be told
  // or not; who is there throughout is told, at times twice. Of the tenant's open regions. Cost:
  // about a microsecond a person, and ten more for a condition that needs a scope's summary.
  // Errors: invalid_argument (a cursor or condition that cannot be), purpose_unknown,
  // transfer_not_permitted.
  Result<QueryPage> query(const Query& query, const QueryOptions& options,
                          FunctionRef<void(std::string_view id, const Region& home)> each) const;
  // The same without opening ids, over all pages. Answers how many match.
  Result<std::uint64_t> count(const Query& query) const;
  Result<ProcessingRecord> processing_record() const;

  // ---- residency [44-49], processing agreement [28] ----
  // From then on a process whose processing_region is `to` reads people whose home is `from`. Needs
  // all of the tenant's regions open. Errors: region_unknown (`from` is none of the tenant's),
  // invalid_argument, too_large (at most 256).
  Status permit_transfer(const TransferRule& rule) const;
  Result<std::vector<TransferRule>> transfer_rules() const;
  // Moves her, keys, records, consents and all, to another region of the tenant, and erases her
  // where she was: when it has answered she is there, whole, and looked up anew; if it is
  // interrupted anywhere she is whole in one of the two. Meanwhile she is read and not written.
  // Needs no transfer rule: the basis is what permits it, and stands in her file with the region
  // that she came from. Needs all of the tenant's regions open. Errors: legal_hold;
  // region_not_permitted, region_not_open; invalid_argument (she is at home there); conflict: she
  // has records that others share, or bytes sealed elsewhere (Sealer::discard); erase_pending (she
  // has moved).
  Result<Erasure> transfer(const Subject& subject, const Region& target, TransferBasis basis,
                           const ReceiptOptions& receipt = {}) const;
  Status set_agreement(const Agreement& agreement) const;  // Replaces the one that is there.
  Result<std::optional<Agreement>> agreement() const;

  // ---- erasure ----
  // Destroys all her keys. When it has answered, nobody can read one byte of her records, whatever
  // copy of the files they have: the root key that led to them is destroyed and the caches here are
  // wiped. Costs the same whatever she had. The Subject is used up, whatever the answer.
  // Errors: subject_erased (somebody was faster); erase_pending: the keyring has forgotten, but the
  // root key store did not confirm that the old root key is destroyed: the next erase, maintain or
  // open tries again; outcome_unknown: reopen, then look her up; legal_hold: she is restricted, and
  // erased when the last hold (see dossier) is released.
  Result<Erasure> erase(Subject&& subject, const EraseOptions& options = {}) const;
  // Many in one epoch, at a fraction of the cost each. Who is not there is counted as unknown, who
  // is on legal hold as held. At most 100,000. When a region of theirs is not open:
  // region_not_open, and nothing is erased.
  Result<Erasure> erase(std::span<const SubjectId> ids, const EraseOptions& options = {}) const;

  // A signed statement of what was destroyed of this tenant: see Store::receipt. Errors:
  // receipt_unknown, also for another tenant's; region_not_open; erase_pending.
  Result<std::string> receipt(const ReceiptTicket& ticket) const;
  // Of what a request did (ReceiptOptions). Errors: receipt_unknown: it was not done; as above.
  Result<std::string> receipt(Bytes request) const;

 private:
  friend struct internal::Access;
  struct State;
  explicit Tenant(std::shared_ptr<const State> state) noexcept;
  std::shared_ptr<const State> state_;
};

}  // namespace efface
