#include "records/vault.h"

#include <algorithm>
#include <new>

#include "base/check.h"
#include "crypto/prf.h"
#include "efface/limits.h"
#include "records/vault_job.h"

namespace efface::records {
namespace {

constexpr std::size_t jobs_max = 256;
constexpr int growths_max = 20;
constexpr std::uint32_t records_format = 1;
constexpr std::string_view meta_magic = "EFRECRDS";
constexpr std::array<std::byte, 1> meta_key{std::byte{'m'}};
constexpr std::size_t meta_bytes = 8 + 4 + 16;

Status check_meta(std::optional<Bytes> meta, const Id16& region) {
  if (!meta || meta->size() < 12 || as_text(meta->first(8)) != meta_magic)
    return Error(Errc::corruption, "the records have no header");
  const auto format = load_le<std::uint32_t>(meta->data() + 8);
  if (format > records_format)
    return Error(Errc::format_new, "the records were written by a newer version");
  if (format < records_format) return Error(Errc::format_old, "the records are of an older format");
  if (meta->size() != meta_bytes || !std::equal(region.begin(), region.end(), meta->begin() + 12))
    return Error(Errc::region_mismatch, "the records belong to another region");
  return {};
}

constexpr std::array<std::byte, 1> seen_key{std::byte{'s'}};
constexpr std::size_t seen_bytes = 32;  // sequence 8 | epoch 8 | BLAKE2b-128 of these

constexpr std::string_view residue_prefix("residue", 8);
using ResidueKey = std::array<std::byte, 24>;
constexpr std::size_t residue_bytes = 24;

ResidueKey residue_key(const keyring::Handle& handle) noexcept {
  ResidueKey key;
  std::ranges::copy(handle, std::ranges::copy(as_bytes(residue_prefix), key.begin()).out);
  return key;
}

std::array<std::byte, residue_bytes> encode(const Residue& residue) noexcept {
  std::array<std::byte, residue_bytes> out;
  store_le(out.data(), residue.records);
  store_le(out.data() + 8, residue.bytes);
  store_le(out.data() + 16, static_cast<std::uint64_t>(residue.oldest_ms));
  return out;
}

Result<Residue> decode_residue(Bytes bytes) {
  if (bytes.size() != residue_bytes)
    return Error(Errc::corruption, "a count of residue has another size");
  return Residue{load_le<std::uint64_t>(bytes.data()), load_le<std::uint64_t>(bytes.data() + 8),
                 static_cast<std::int64_t>(load_le<std::uint64_t>(bytes.data() + 16))};
}

Status add_residue(storage::WriteTxn& txn, const keyring::Handle& handle, const Residue& more) {
  const ResidueKey key = residue_key(handle);
  EFFACE_ASSIGN(const std::optional<Bytes> before, txn.get(key));
  Residue all = more;
  if (before) {
    EFFACE_ASSIGN(const Residue there, decode_residue(*before));
    all.records += there.records;
    all.bytes += there.bytes;
    all.oldest_ms = std::min(all.oldest_ms, there.oldest_ms);
  }
  return txn.put(key, encode(all));
}

keyring::Handle handle_of(const RecordKey& key) noexcept {
  keyring::Handle handle;
  std::copy_n(key.begin(), handle.size(), handle.begin());
  return handle;
}

constexpr std::string_view group_prefix("group\0\0\0", 8);

ResidueKey group_key(const keyring::Handle& handle) noexcept {
  ResidueKey key;
  std::ranges::copy(handle, std::ranges::copy(as_bytes(group_prefix), key.begin()).out);
  return key;
}

bool is_link(Bytes value) noexcept {
  const auto header = read_header(value);
  return header && (header->flags & flag_link) != 0;
}

// Where a change goes: a view of the change, or of scratch.
Bytes place_of(const Change& change, ResidueKey& scratch) noexcept {
  if (!change.is_group) return change.key;
  keyring::Handle handle;
  std::copy_n(change.key.begin(), handle.size(), handle.begin());
  scratch = group_key(handle);
  return scratch;
}

bool is_record(Bytes key) noexcept { return key.size() == sizeof(RecordKey); }

RecordKey to_key(Bytes bytes) noexcept {
  RecordKey key;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

}  // namespace

Vault::Vault(storage::Environment environment, const storage::EnvironmentOptions& options,
             std::shared_ptr<os::ByteLocks> processes)
    : environment_(std::move(environment)),
      jobs_(jobs_max, limits::batch_bytes_max),
      deadline_(options.deadline),
      watch_(options.watch),
      processes_(std::move(processes)) {}

Status Vault::create(const os::Directory& directory, const Id16& region,
                     const storage::EnvironmentOptions& options) {
  EFFACE_TRY(storage::Environment::create(directory, options));
  EFFACE_ASSIGN(storage::Environment environment, storage::Environment::open(directory, options));
  std::array<std::byte, meta_bytes> meta;
  std::memcpy(meta.data(), meta_magic.data(), 8);
  store_le(meta.data() + 8, records_format);
  std::copy(region.begin(), region.end(), meta.begin() + 12);
  EFFACE_ASSIGN(storage::WriteTxn txn, environment.write(storage::Space::ordinary));
  EFFACE_TRY(txn.put(meta_key, meta));
  return std::move(txn).commit();
}

Result<std::unique_ptr<Vault>> Vault::open(const os::Directory& directory, const Id16& region,
                                           const storage::EnvironmentOptions& options,
                                           std::shared_ptr<os::ByteLocks> processes) {
  EFFACE_ASSIGN(storage::Environment environment, storage::Environment::open(directory, options));
  {
    EFFACE_ASSIGN(const storage::ReadTxn txn, environment.read());
    EFFACE_ASSIGN(const std::optional<Bytes> meta, txn.get(meta_key));
    EFFACE_TRY(check_meta(meta, region));
  }
  std::unique_ptr<Vault> vault(new Vault(std::move(environment), options, std::move(processes)));
  EFFACE_ASSIGN(vault->seen_, vault->seen());
  return vault;
}

Result<bool> Vault::get(const RecordKey& key, FunctionRef<Status(Bytes)> look) const {
  const auto waiting = queue_.find(key);  // First: once it waits no more it is in the snapshot.
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  if (waiting) {
    if (waiting->empty()) return false;
    EFFACE_TRY(look(*waiting));
    return true;
  }
  EFFACE_ASSIGN(const std::optional<Bytes> value, txn.get(key));
  if (!value) return false;
  EFFACE_TRY(look(*value));
  return true;
}

Result<bool> Vault::get_group(const keyring::Handle& handle,
                              FunctionRef<Status(Bytes)> look) const {
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const std::optional<Bytes> value, txn.get(group_key(handle)));
  if (!value) return false;
  EFFACE_TRY(look(*value));
  return true;
}

Result<std::vector<keyring::Handle>> Vault::groups() const {
  std::vector<keyring::Handle> found;
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  const Bytes prefix = as_bytes(group_prefix);
  EFFACE_TRY(txn.scan(prefix, prefix, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    if (entry.key.size() != sizeof(ResidueKey)) return Flow::more;
    std::ranges::copy(entry.key.subspan(group_prefix.size()), found.emplace_back().begin());
    return Flow::more;
  }));
  return found;
}

Status Vault::each(const keyring::Handle& handle,
                   FunctionRef<Status(const RecordKey&, Bytes)> look) {
  EFFACE_TRY(commit_waiting(handle));
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  return txn.scan(handle, handle, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    if (is_record(entry.key)) EFFACE_TRY(look(to_key(entry.key), entry.value));
    return Flow::more;
  });
}

Status Vault::each_residue(FunctionRef<Status(const keyring::Handle&, const Residue&)> look) {
  EFFACE_TRY(commit_waiting());
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  const Bytes prefix = as_bytes(residue_prefix);
  return txn.scan(prefix, prefix, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    if (entry.key.size() != sizeof(ResidueKey)) return Flow::more;  // A record, by chance.
    keyring::Handle handle;
    std::ranges::copy(entry.key.subspan(residue_prefix.size()), handle.begin());
    EFFACE_ASSIGN(const Residue residue, decode_residue(entry.value));
    EFFACE_TRY(look(handle, residue));
    return Flow::more;
  });
}

Status Vault::commit(std::span<Change> changes, std::int64_t now_ms,
                     FunctionRef<Status()> still_valid) {
  Job job{changes, now_ms, still_valid};
  std::size_t weight = 0;
  for (const Change& change : changes) weight += sizeof change.key + change.value.size();
  jobs_.run(job, weight, [this](std::span<Job* const> jobs) { commit_together(jobs); });
  return job.answer;
}

namespace {

Result<Vault::Seen> decode_seen(const std::optional<Bytes>& bytes) {
  using Seen = Vault::Seen;
  if (!bytes) return Seen{};
  if (bytes->size() != seen_bytes)
    return Error(Errc::corruption, "what records have seen of their keyring has another size");
  const Id16 check = crypto::hash128({bytes->first(16)});
  if (!std::equal(check.begin(), check.end(), bytes->begin() + 16))
    return Error(Errc::corruption, "what records have seen of their keyring makes no sense");
  return Seen{load_le<std::uint64_t>(bytes->data()), load_le<Epoch>(bytes->data() + 8)};
}

}  // namespace

Result<Vault::Seen> Vault::seen() const {
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(seen_key));
  return decode_seen(bytes);
}

// It never goes back: records that knew a newer keyring say so.
Status Vault::note_seen(storage::WriteTxn& txn, Seen& noted) const {
  if (watched_ == nullptr) return {};
  if (processes_ != nullptr) {  // What others wrote knew a newer keyring, perhaps.
    EFFACE_ASSIGN(const std::optional<Bytes> there, txn.get(seen_key));
    EFFACE_ASSIGN(noted, decode_seen(there));
  }
  const Seen now{watched_->sequence(), watched_->epoch()};
  if (now.sequence <= noted.sequence) return {};
  std::array<std::byte, seen_bytes> bytes;
  store_le(bytes.data(), now.sequence);
  store_le(bytes.data() + 8, now.epoch);
  const Id16 check = crypto::hash128({Bytes(bytes).first(16)});
  std::copy(check.begin(), check.end(), bytes.begin() + 16);
  EFFACE_TRY(txn.put(seen_key, bytes));
  noted = now;
  return {};
}

Status Vault::commit(storage::WriteTxn txn) {
  Seen noted = seen_;
  EFFACE_TRY(note_seen(txn, noted));
  EFFACE_TRY(std::move(txn).commit());
  seen_ = noted;
  if (watched_ != nullptr) watched_->saw_records(seen_.sequence);
  return {};
}

Status Vault::accept() {
  EFFACE_ASSIGN(const Alone alone, be_alone());
  EFFACE_ASSIGN(storage::WriteTxn txn, environment_.write(storage::Space::removal));
  return commit(std::move(txn));
}

Result<Vault::Alone> Vault::be_alone() {
  return base::waiting(watch_, "records.lock", deadline_, [this] { return take_locks(); });
}

Result<Vault::Alone> Vault::take_locks() {
  Alone alone{std::unique_lock(writer_)};
  if (processes_ == nullptr) return alone;
  EFFACE_ASSIGN(alone.there, processes_->lock(records_byte, os::ByteLocks::Mode::alone, deadline_));
  return alone;
}

void Vault::barrier() { static_cast<void>(be_alone()); }

// Together, what waits first; and when together they do not fit, each by itself, so that a large
// one fails alone. What waits keeps its place: where it cannot be stored, nothing is.
void Vault::commit_together(std::span<Job* const> jobs) {
  const auto answer = [&](const Status& all) {
    for (Job* job : jobs)
      if (!job->refused) job->answer = all;
  };
  try {
    const auto alone = be_alone();
    if (!alone) return answer(Status(alone.error()));
    Ahead ahead;
    if (const Status ready = get_ready(ahead); !ready) return answer(ready);
    const Status together = store(ahead.before(jobs));
    if (together) take_off_queue(ahead);
    const bool may_fit = jobs.size() > 1 || !ahead.batches.empty();
    if (together || together.error().code() != Errc::full || !may_fit) return answer(together);
    if (const Status first = store(ahead.before({})); !first) return answer(first);
    take_off_queue(ahead);
    for (Job* job : jobs) {
      const Status by_itself = store({&job, 1});
      if (!job->refused) job->answer = by_itself;
    }
  } catch (const std::bad_alloc&) {
    for (Job* job : jobs)
      job->answer = Status(Error(Errc::out_of_memory, "no memory to store records"));
  }
}

Status Vault::store(std::span<Job* const> jobs) {
  return base::traced(watch_, "records.commit", [&] { return store_all(jobs); });
}

Status Vault::store_all(std::span<Job* const> jobs) {
  for (int growth = 0;; ++growth) {
    EFFACE_ASSIGN(storage::WriteTxn txn, environment_.write(storage::Space::ordinary));
    Status done;
    bool any = false;
    for (Job* job : jobs) {
      const auto stored = store_one(txn, *job);
      if (!stored) {
        done = Status(stored.error());
        break;
      }
      any = any || *stored;
    }
    if (done && !any) return {};
    if (done) done = commit(std::move(txn));
    if (done || done.error().code() != Errc::full || growth == growths_max) return done;
  }
}

// Answers whether the job took part. A job that is refused changes nothing and fails alone.
Result<bool> Vault::store_one(storage::WriteTxn& txn, Job& job) {
  job.answer = job.still_valid();
  job.refused = !job.answer;
  if (job.refused) return false;
  for (const Change& change : job.changes) {
    if (change.expect == Change::Expect::anything) continue;
    EFFACE_ASSIGN(const std::optional<Bytes> present, txn.get(change.key));
    const bool holds = change.expect == Change::Expect::absent
                           ? !present
                           : present && present->size() >= envelope_overhead_bytes &&
                                 std::ranges::equal(nonce_of(*present), change.nonce);
    if (holds) continue;
    job.answer = Status(Error(Errc::conflict, "somebody else wrote the record in between"));
    job.refused = true;
    return false;
  }
  EFFACE_TRY(store_changes(txn, job));
  return !job.changes.empty();
}

Status Vault::store_changes(storage::WriteTxn& txn, Job& job) {
  Residue more;
  const auto note = [&](const keyring::Handle& handle) -> Status {
    if (more.records != 0) EFFACE_TRY(add_residue(txn, handle, more));
    more = {0, 0, job.now_ms};
    return {};
  };
  keyring::Handle handle{};
  for (Change& change : job.changes) {
    if (const keyring::Handle next = handle_of(change.key); next != handle) {
      EFFACE_TRY(note(handle));
      handle = next;
    }
    ResidueKey scratch;
    const Bytes place = place_of(change, scratch);
    EFFACE_ASSIGN(const std::optional<Bytes> before, txn.get(place));
    change.was_there = before.has_value();
    change.was_link = before && is_link(*before);
    if (before && change.is_data) {
      ++more.records;
      more.bytes += before->size();
    }
    if (!change.value.empty()) {
      EFFACE_TRY(txn.put(place, change.value));
    } else if (before) {
      EFFACE_TRY(txn.remove(place));
    }
  }
  return note(handle);
}

Result<std::size_t> Vault::remove_some(const keyring::Handle& handle, std::size_t records_max) {
  EFFACE_ASSIGN(const Alone alone, be_alone());
  for (int growth = 0;; ++growth) {
    EFFACE_ASSIGN(storage::WriteTxn txn, environment_.write(storage::Space::removal));
    std::vector<RecordKey> keys;
    EFFACE_TRY(txn.scan(handle, handle, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
      if (is_record(entry.key)) keys.push_back(to_key(entry.key));
      return keys.size() < records_max ? Flow::more : Flow::stop;
    }));
    Status done;
    for (const RecordKey& key : keys) {
      const auto removed = txn.remove(key);
      if (removed) continue;
      done = Status(removed.error());
      break;
    }
    if (done && keys.size() < records_max) {
      EFFACE_ASSIGN(const bool had_residue, txn.remove(residue_key(handle)));
      if (keys.empty() && !had_residue) return std::size_t{0};
    }
    if (done) done = commit(std::move(txn));
    if (done) return keys.size();
    if (done.error().code() != Errc::full || growth == growths_max) return done.error();
  }
}

Result<std::size_t> Vault::remove_expired(Bucket day, std::size_t looked_at_max,
                                          std::optional<RecordKey>& from) {
  EFFACE_ASSIGN(const Alone alone, be_alone());
  const std::optional<RecordKey> start = from;
  for (int growth = 0;; ++growth) {
    EFFACE_ASSIGN(storage::WriteTxn txn, environment_.write(storage::Space::removal));
    std::vector<RecordKey> keys;
    std::size_t looked_at = 0;
    from.reset();
    const RecordKey first = start.value_or(RecordKey{});
    EFFACE_TRY(txn.scan({}, first, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
      if (!is_record(entry.key)) return Flow::more;
      if (looked_at++ == looked_at_max) {
        from = to_key(entry.key);
        return Flow::stop;
      }
      EFFACE_ASSIGN(const ClearHeader header, read_header(entry.value));
      if (header.bucket <= day) keys.push_back(to_key(entry.key));
      return Flow::more;
    }));
    if (keys.empty()) return std::size_t{0};
    Status done;
    for (const RecordKey& key : keys) {
      const auto removed = txn.remove(key);
      if (!removed) {
        done = Status(removed.error());
        break;
      }
    }
    if (done) done = commit(std::move(txn));
    if (done) return keys.size();
    if (done.error().code() != Errc::full || growth == growths_max) return done.error();
  }
}

Result<std::vector<keyring::Handle>> Vault::handles() {
  EFFACE_TRY(commit_waiting());
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  std::vector<keyring::Handle> found;
  std::vector<std::byte> next{std::byte{0}};
  while (!next.empty()) {
    bool more = false;
    EFFACE_TRY(txn.scan({}, next, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
      if (!is_record(entry.key)) return Flow::more;
      keyring::Handle& handle = found.emplace_back();
      std::copy_n(entry.key.begin(), handle.size(), handle.begin());
      more = true;
      return Flow::stop;
    }));
    next.clear();
    if (!more) break;
    // The least key above every record of this handle.
    keyring::Handle above = found.back();
    for (std::size_t i = above.size(); i-- > 0;) {
      above[i] = static_cast<std::byte>(std::to_integer<unsigned>(above[i]) + 1);
      if (above[i] != std::byte{0}) {
        next.assign(above.begin(), above.end());
        break;
      }
    }
  }
  return found;
}

}  // namespace efface::records
