// efface/store.h -- an embedded store of personal data that can forget a person.
//
// Words     Store > Tenant > Subject > Record; reading and writing goes through an Activity of the
//           tenant. docs/model.md says what each is, docs/threats.md what is promised and what is
//           not.
// Shape     A directory with one directory per region (or volume): keyring/ and records/, both
//           ciphertext. The root keys lie elsewhere, in a RootKeyStore per region.
// Threads   Store, Tenant, Region, Purpose, Activity, const Subject: share freely. Reads never wait
//           for writes; writes that wait at the same time commit as one.
// Processes One process holds a region, another gets busy; or several share it, each with
//           OpenOptions::shared. A child of fork() gets forked.
// Lifetime  The RootKeyStores outlive the store and all handles.
// Errors    Result<T> everywhere, and nothing throws; what answers a plain value (regions(),
//           tenants(), Update::put) throws std::bad_alloc and nothing else. An Error carries no
//           personal data. After any of them all of a call or nothing is there; one that takes
//           several commits (suppress, merge, transfer, maintain ...) is mended by doing it again.
//
// Example
//   options.directory = home / "people";
//   options.regions = {{"eu", &root_keys}};
//   Store store = Store::create(options).value();  // And from then on Store::open.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "efface/incident.h"
#include "efface/observe.h"
#include "efface/progress.h"
#include "efface/restore.h"
#include "efface/result.h"
#include "efface/rights.h"
#include "efface/root_key_store.h"
#include "efface/stats.h"
#include "efface/tenant.h"

namespace efface {

struct BackupOptions;  // efface/backup.h
struct BackupReport;
struct CapsuleOptions;  // efface/capsule.h
struct CapsuleReport;
struct CheckReport;  // efface/doctor.h
struct Finding;
struct ForensicsOptions;  // efface/forensics.h
struct ForensicsReport;

struct RegionOptions {
  std::string name;  // A label: 1 to 64 of [a-z0-9_.-].
  RootKeyStore* root_keys =
      nullptr;  // None: the region is not open here. Create needs one for each.
  std::filesystem::path directory{};  // At creation: elsewhere than DIR/NAME.
  // The file that the ledger is copied to before anything is destroyed; best on another volume.
  // Empty: "ledger" in the region's directory.
  std::filesystem::path ledger_copy{};
  // A checkpoint of this region that was kept elsewhere (Store::checkpoint): a store that went back
  // behind it, root keys and all, is refused (keyring_stale).
  std::string witness{};
  // Directories that each get a copy of the keyring, in step with it: should it be lost or damaged,
  // open goes on with one of them. Best on other volumes; never inside the data; each for one
  // region. Made when missing (0700). What is there is ciphertext, and cannot be read once an
  // erasure has ended its epoch. One that fails is behind until the next maintain or open (Stats).
  std::vector<std::filesystem::path> keyring_mirrors{};
};

struct OpenOptions {
  std::filesystem::path directory;
  std::vector<RegionOptions> regions;
  // Walk every page, read-only, before LMDB sees the files. For files that are not trusted:
  // restored, received, damaged. Without it an ordinary open checks metas, sizes and, always, our
  // own bytes. Not of a store that is shared, where others may be writing.
  bool verify_structure = false;
  // Refuse to hold keys in memory that the system does not lock (RLIMIT_MEMLOCK).
  bool require_locked_memory = true;
  // L0: root keys on a file system that copies on write, or an unknown one. Refused by default.
  bool accept_l0 = false;
  // Other processes may open the same regions, each with this: they write one after the other, and
  // each sees what the others did before it answers: whoever is erased in one is erased in all.
  // Needs root key stores that can be shared (FileRootKeyStoreOptions::shared), and no mirrors.
  // Otherwise one process has a region at a time.
  bool shared = false;
  std::chrono::milliseconds deadline{10'000};  // For locks.
  std::uint64_t map_bytes_max = std::uint64_t{1}
                                << 40;     // Of each database: address space, not disk.
  std::uint32_t readers_max = 512;         // Transactions open at once.
  std::size_t cached_people_max = 16'384;  // Keys kept in locked memory, per region.
  // Where this process runs, for residency: people whose home is another region are read here only
  // if a transfer rule of their tenant permits it. Empty: it runs where the data is.
  std::string processing_region{};
  // Refuse the first write of a tenant without a processing agreement (agreement_missing).
  bool require_agreement = false;
  // Told of every erasure that was given a token (EraseOptions), once for each person it erased,
  // so that services can drop what they derived [19]. Called after the erasure is durable and
  // before erase answers, with no lock held; again at the next maintain or open until it answers
  // true, so at least once. It must not throw. Without one, tokens wait.
  std::function<bool(std::string_view tenant, Bytes token)> on_erased{};
  // Told of every incident that is opened, once for each tenant that it concerns. As on_erased: at
  // least once, with no lock held, again at the next maintain or open until it answers true. It
  // must not throw.
  std::function<bool(std::string_view tenant, IncidentNumber number)> on_incident{};
  // What an operator wants to know, and where time goes: efface/observe.h.
  std::function<void(const LogEntry&)> on_log{};
  TraceHooks trace{};
  // For tests: what time it is. Null: the system's clock.
  std::chrono::system_clock::time_point (*now)() = nullptr;
};

struct TenantInfo {
  std::string name;
  std::vector<std::string> regions;
};

struct MaintainOptions {
  std::size_t records_per_commit_max = 4'096;
  // Scopes whose oldest residue (what was overwritten or removed) is older are re-keyed.
  std::chrono::hours residue_window{24 * 7};
  // Expired days are destroyed at once up to this many after the last time; beyond, the clock may
  // have jumped: Maintained::expiry_waits, and prepare_expiry.
  std::uint32_t expiry_days_max = 31;
  OnProgress on_progress{};  // In steps: scopes that are re-keyed, entries of the queue, commits.
};
struct Maintained {
  std::uint64_t records_removed = 0;    // Ciphertext of the erased.
  std::uint64_t queue_entries = 0;      // Worked off.
  std::uint64_t buckets_expired = 0;    // Days of tenants, destroyed by their keys.
  std::uint64_t records_kept = 0;       // By a legal hold, past their day.
  bool expiry_waits = false;            // Too many days: prepare_expiry, commit_expiry.
  std::uint64_t scopes_rekeyed = 0;     // Their residue is unreadable now.
  std::uint64_t holds_ended = 0;        // By their date.
  std::vector<ReceiptTicket> receipts;  // Of the days, one for each tenant and region.
};

struct MigrateRootOptions {
  // Goes on when of the store that is left a replica does not answer, and never will: its keys are
  // then not shown destroyed. Whoever finds it, with an old copy of the keyring, reads what that
  // copy had. The ledger says so.
  bool accept_lost = false;
};

// What a confirmation would destroy. The token stands for exactly that.
struct ExpiryPlan {
  std::uint64_t buckets = 0;  // Days of tenants.
  std::uint64_t tenants = 0;
  std::chrono::sys_days first{};  // Of the days that expired.
  std::chrono::sys_days last{};
  // Since the last time that days were looked after. maintain destroys nothing where they are more
  // than MaintainOptions::expiry_days_max.
  std::uint32_t days_overdue = 0;
  std::string token;
};
struct OffboardPlan {
  std::uint64_t people = 0;
  std::uint64_t held = 0;  // On legal hold: they keep it from being done.
  std::vector<std::string> regions;
  std::string token;
};

class EFFACE_EXPORT Store {
 public:
  // Makes the directory (its parent exists) and every region. All or nothing: after an error, or a
  // crash, either the store opens, or what stands there can be removed and the root key stores used
  // again.
  // Errors: exists, invalid_argument, unsafe_path, unsafe_filesystem, root_key_mismatch (the root
  // key store serves another region), assurance_too_low, no_space, io, memory_not_locked.
  static Result<Store> create(const OpenOptions& options);

  // Opens the regions for which a root key store is given; finishes what a crash interrupted.
  // Errors: unsupported (shared); store_missing, busy, keyring_stale, root_key_missing,
  // root_key_mismatch, unsafe_path, unsafe_filesystem, assurance_too_low, format_old, format_new,
  // corruption, region_unknown.
  static Result<Store> open(const OpenOptions& options);

  // The regions that a store was made with, in name order; opens nothing. Errors: as open.
  static Result<std::vector<std::string>> region_names(const std::filesystem::path& directory);

  Result<Region> region(std::string_view name) const;  // Errors: region_unknown.
  std::vector<Region> regions() const;                 // In name order.

  // Errors: exists, region_not_open, invalid_argument. A crash in between is mended by declaring
  // again.
  Result<Tenant> declare_tenant(std::string_view name, std::span<const Region> regions,
                                Actor actor) const;
  Result<Tenant> tenant(std::string_view name, Actor actor) const;  // Errors: tenant_unknown.
  std::vector<TenantInfo> tenants() const;                          // In name order.

  // Erases a tenant: all its people, in all its regions, at once and for ever; in two steps. The
  // token of the plan confirms that those are meant. Cost of the plan: a walk of all its people.
  // Errors: region_not_open; conflict: the token is of another plan, or there are other people now,
  // or on_erased has not answered yet for somebody; legal_hold: somebody is held; erase_pending as
  // Tenant::erase (the tenant is gone). A crash or another error between two regions is mended by
  // doing it again.
  Result<OffboardPlan> prepare_offboard(const Tenant& tenant) const;
  Result<Erasure> offboard(Tenant&& tenant, std::string_view token) const;

  // Keeps the promises that time makes due, in bounded transactions: destroys the keys of expired
  // days, re-keys scopes with old residue, ends holds by their date, removes the ciphertext of the
  // erased, finishes pending destructions. Safe at any time, stops and goes on at any point. Run it
  // daily.
  Result<Maintained> maintain(const MaintainOptions& options = {}) const;
  // The days that expired, however many; then destroys them. Errors: conflict: the token is of
  // another plan, or other days have expired since.
  Result<ExpiryPlan> prepare_expiry() const;
  Result<Maintained> commit_expiry(std::string_view token) const;

  // ---- custody of a region's root key: no record is sealed anew ----
  // Ends an epoch, though nobody is erased. Errors: region_not_open; as Tenant::erase.
  Result<Erasure::InRegion> rotate_root(const Region& region, Actor actor) const;
  // Moves the root key to another root key store, which has never served a keyring, and destroys
  // all that the present one holds. It outlives the store. After an error, or a crash, the region
  // opens with the one or the other, and answers root_key_mismatch to that which is not it.
  // Errors: region_not_open, unsafe_path, assurance_too_low, invalid_argument (it is there
  // already), root_key_mismatch (it serves another keyring), conflict (the one before is not
  // retired). erase_pending: it has moved, and the one that it left still holds keys, which open
  // old copies of the keyring: no erasure is confirmed before retire_root.
  Result<Erasure::InRegion> migrate_root(const Region& region, RootKeyStore& to, Actor actor,
                                         const MigrateRootOptions& options = {}) const;
  // Destroys what the root key store that the region has left still holds.
  // Errors: region_not_open, root_key_mismatch (it has not left this one, or is done with it).
  Status retire_root(const Region& region, RootKeyStore& left) const;

  // Commits what was acknowledged ahead of its commit (Durability::relaxed), in all open regions.
  // Whatever had been acknowledged when it was called is durable when it answers without error.
  // Errors: of the commit: then it waits still (full, no_space, busy), or may be lost
  // (outcome_unknown, closed). Once: why a batch had to be dropped since the last time (restricted,
  // consent_missing ...; conflict: another process re-keyed its scope); all else is durable.
  // Cost: nothing when nothing waits; else one durable commit a region.
  Status sync() const;

  Result<Stats> stats() const;

  // ---- is it well? efface/doctor.h ----
  // What of this store and of the machine under it could break a promise, and what to do: a finding
  // for each thing that is looked at, those of a region under its name. Changes nothing. Errors:
  // those of reading.
  Result<std::vector<Finding>> diagnose() const;
  // Opens every node, row, record and entry of the ledger of the open regions, and counts what does
  // not verify: that is in the report, and no error. Read-only, while the store is used. progress
  // is told how many objects were looked at, now and then. Cost: reads everything once.
  Result<CheckReport> check(const std::function<void(std::uint64_t)>& progress = {}) const;
  // Searches all files below these places (or single files, or block devices) for whatever the keys
  // of the open regions still open: old copies, backups, mirrors, images of disks. Only reads,
  // while the store is used; a file that cannot be read is counted and passed over. While old
  // keyring pages are followed, a keyring cannot grow. The calling process's POSIX record locks on
  // files that are searched are lost. Errors: store_missing, unsafe_path: a place is not there, or
  // neither file nor directory; those of reading the store. Cost: reads all of it, and every key
  // tree twice.
  Result<ForensicsReport> forensics(std::span<const std::filesystem::path> places,
                                    const ForensicsOptions& options) const;

  // Copies the records of every open region, each from one snapshot, while they are written to:
  // what was acknowledged before is in it. Whole or not at all, also after a crash; durable when it
  // answers. Meanwhile the databases cannot grow, so they are grown ahead. Errors: exists;
  // invalid_argument; unsafe_path: it would lie inside the data; region_not_open: none is open;
  // no_space, io: nothing is left of it.
  Result<BackupReport> backup(const BackupOptions& options) const;
  // Whether a backup is as it was written: every hash, and every page. Needs no key, opens no
  // database. Errors: corruption, or a part is missing; store_missing; unsafe_path; format_new; io.
  static Result<BackupReport> verify_backup(const std::filesystem::path& backup);
  // The same. progress: in bytes of its records.
  static Result<BackupReport> verify_backup(const std::filesystem::path& backup,
                                            const OnProgress& progress);

  // Makes a recovery capsule (efface/capsule.h): from now on every receipt has its day. Whole or
  // not at all, also after a crash, and durable when it answers; but its day stays in the ledger.
  // Errors: exists; invalid_argument: the day is over, or the public key hides nothing;
  // unsafe_path: it would lie inside the data; region_not_open, region_unknown; no_space, io.
  Result<CapsuleReport> make_capsule(const Region& region, const CapsuleOptions& options,
                                     Actor actor) const;

  // Puts copies back, and brings nobody back (efface/restore.h); then the store opens. It must not
  // be open. Errors: keyring_stale: the keyring has not the key in force, or the ledger's copy is
  // missing or too old itself: put back that copy, or another mirror; ledger_mismatch; those of
  // open and of verify_backup. Of a capsule: exists: a keyring opens without it; expired: its day
  // is over; corruption: it is of another key pair, or not as it was written; region_mismatch. What
  // an error leaves is refused by open until it is done again.
  static Result<RestoreReport> restore(const OpenOptions& options, const RestoreOptions& restore);

  // ---- the ledger of a region, for who has to believe it: docs/receipts.md ----
  // Errors of all: region_not_open.
  // The key that checks its receipts and checkpoints: one line of text. Give it out in a way that
  // is trusted.
  Result<std::string> verifier_key(const Region& region) const;
  // How many entries there are and the root of their tree, signed: a C2SP checkpoint.
  Result<std::string> checkpoint(const Region& region) const;
  // That the ledger goes on from an earlier checkpoint of it. Errors: corruption: it does not.
  Result<std::string> consistency_proof(const Region& region, std::string_view before) const;
  // A signed statement of what was destroyed (efface/receipt.h): as far as it has come by now, so
  // it may be asked for again. Errors: receipt_unknown (no such entry, or nothing was destroyed);
  // erase_pending: a root key store has still to confirm it.
  Result<std::string> receipt(const ReceiptTicket& ticket) const;
  // From that entry on, in order, until look answers stop.
  Status each_decision(const Region& region, std::uint64_t first,
                       FunctionRef<Flow(const Decision&)> look) const;

  // ---- incidents [33, 34]: efface/incident.h ----
  // Each is on the register, and in the ledger, when it answers. Errors of all: incident_unknown;
  // region_not_open: a region of the incident is not; corruption.
  // Errors: invalid_argument (nothing is exposed, a time to come, a window that ends before it
  // began), too_large, tenant_unknown, region_unknown.
  Result<IncidentNumber> open_incident(const IncidentTerms& terms, Actor actor) const;
  Result<Incident> incident(IncidentNumber number) const;
  Result<std::vector<Incident>> incidents() const;  // Of the open regions, by number.
  // Errors: conflict when it is closed; invalid_argument, too_large (at most 1,000).
  Status update_incident(IncidentNumber number, std::string_view text, Actor actor) const;
  // That they have been told; nothing is sent. The first time stays. Errors: conflict when it is
  // closed; invalid_argument for a time to come.
  Status note_notified(IncidentNumber number, Audience audience, Actor actor,
                       std::optional<TimePoint> when = {}) const;
  Status close_incident(IncidentNumber number, Actor actor) const;
  // What could be read, as far as it is known now: who goes from now on is only counted. Tells of
  // each tenant. Cost: opens every record of their people. Errors: transfer_not_permitted.
  Result<Exposure> exposure(IncidentNumber number,
                            FunctionRef<void(const TenantExposure&)> each) const;
  // The same of one tenant. Errors: incident_unknown also when it does not concern the tenant;
  // tenant_unknown (another store's).
  Result<TenantExposure> exposure(IncidentNumber number, const Tenant& tenant) const;
  // Whom of the tenant it concerns: those who are there, with the purposes of what could be read.
  // Nobody, when nothing could. look must not re-key (Shred::now, maintain).
  Status each_concerned(
      IncidentNumber number, const Tenant& tenant,
      FunctionRef<Flow(std::string_view id, std::span<const std::string_view> purposes)> look)
      const;
  // A text for the tenant to complete and send, with what is known [33(3), 34(2)]. It names nobody.
  Result<std::string> notification(IncidentNumber number, const Tenant& tenant,
                                   Audience audience) const;

 private:
  friend struct internal::Access;
  struct State;
  explicit Store(std::shared_ptr<State> state) noexcept;
  std::shared_ptr<State> state_;
};

}  // namespace efface
