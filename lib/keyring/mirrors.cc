#include "keyring/mirrors.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "keyring/keyring_txn.h"
#include "os/parent.h"
#include "storage/copy.h"

namespace efface::keyring {
namespace {

constexpr std::string_view info_file = "mirror.info";
constexpr std::string_view info_magic = "EFMIRROR";
constexpr std::size_t info_bytes = 24;
constexpr std::string_view lock_file = "lock";
constexpr std::string_view in_use = "keyring";
constexpr std::string_view arriving = "keyring.new";
constexpr std::string_view leaving = "keyring.old";
constexpr int growths_max = 8;

// Whose fault it is: the caller's, who named the wrong place, or the disk's.
bool is_wrong_place(Errc code) noexcept {
  return code == Errc::region_mismatch || code == Errc::busy || code == Errc::unsafe_path ||
         code == Errc::invalid_argument;
}

Result<os::Directory> open_or_make(const std::filesystem::path& path) {
  EFFACE_ASSIGN(const os::Directory parent, os::open_parent_of(path));
  const std::string name = path.filename().string();
  EFFACE_ASSIGN(const bool there, parent.contains(name));
  if (there) return parent.open_child(name);
  EFFACE_ASSIGN(os::Directory made, parent.create_child(name));
  EFFACE_TRY(parent.sync());
  return made;
}

std::array<std::byte, info_bytes> info_of(const Id16& region) noexcept {
  std::array<std::byte, info_bytes> info;
  std::ranges::copy(region, std::ranges::copy(as_bytes(info_magic), info.begin()).out);
  return info;
}

// Says whose mirror this is; or that it is, where nothing is there yet.
Status claim(const os::Directory& directory, const Id16& region) {
  const auto wanted = info_of(region);
  EFFACE_ASSIGN(const bool taken, directory.contains(in_use));
  EFFACE_ASSIGN(const bool there, directory.contains(info_file));
  if (there) {
    EFFACE_ASSIGN(const os::File file,
                  os::File::open(directory, info_file, os::File::Access::read));
    EFFACE_ASSIGN(const std::uint64_t size, file.size());
    std::array<std::byte, info_bytes> info{};
    if (size == info_bytes) EFFACE_TRY(file.read_at(0, info));
    if (info == wanted) return {};
    // Cut by a crash: nothing else is there yet.
    if (taken || size == info_bytes)
      return Error(Errc::region_mismatch, "a mirror belongs to another region");
    EFFACE_TRY(directory.remove_file(info_file));
  } else if (taken) {
    return Error(Errc::region_mismatch, "a mirror's place is taken by something else");
  }
  EFFACE_ASSIGN(const os::File file, os::File::create(directory, info_file));
  EFFACE_TRY(file.write_at(0, wanted));
  EFFACE_TRY(file.sync());
  return directory.sync();
}

// A new copy is whole before the old one is moved away: where that was cut, it takes the place.
Status finish_exchange(const os::Directory& directory) {
  EFFACE_ASSIGN(const bool there, directory.contains(in_use));
  EFFACE_ASSIGN(const bool was_there, directory.contains(leaving));
  EFFACE_ASSIGN(const bool comes, directory.contains(arriving));
  if (!there) {
    if (!was_there || !comes) return {};
    EFFACE_TRY(directory.rename(arriving, in_use));
    EFFACE_TRY(directory.sync());
  }
  EFFACE_TRY(directory.remove_tree(arriving));
  return directory.remove_tree(leaving);
}

storage::EnvironmentOptions unwatched(const storage::EnvironmentOptions& options) {
  storage::EnvironmentOptions out = options;
  out.watch = {};
  return out;
}

constexpr Error no_memory(Errc::out_of_memory, "there was no memory for a mirror");

}  // namespace

Mirrors::Mirrors(const Id16& region, const storage::EnvironmentOptions& environment)
    : region_(region), watch_(environment.watch), options_(unwatched(environment)) {}

Result<std::unique_ptr<Mirrors>> Mirrors::open(std::span<const std::filesystem::path> paths,
                                               const Id16& region,
                                               const storage::EnvironmentOptions& environment) {
  std::unique_ptr<Mirrors> mirrors(new Mirrors(region, environment));
  for (const std::filesystem::path& path : paths) {
    if (path.empty() || path.filename().empty())
      return Error(Errc::invalid_argument, "a mirror needs a directory with a name");
    Mirror& mirror = mirrors->mirrors_.emplace_back(Mirror{.path = path});
    mirror.stats.state = MirrorState::absent;
    const Status reached = mirrors->reach(mirror);
    if (reached) continue;
    if (is_wrong_place(reached.error().code())) return reached.error();
    mirror.unreached = reached.error();
  }
  return mirrors;
}

Status Mirrors::reach(Mirror& mirror) const {
  if (mirror.lock) return {};
  EFFACE_ASSIGN(os::Directory directory, open_or_make(mirror.path));
  EFFACE_ASSIGN(os::FileLock lock, os::FileLock::acquire(directory, lock_file));
  EFFACE_TRY(claim(directory, region_));
  EFFACE_TRY(finish_exchange(directory));
  mirror.directory.emplace(std::move(directory));
  mirror.lock.emplace(std::move(lock));
  return {};
}

std::vector<os::Directory> Mirrors::keyrings(std::optional<Error>& unread) const {
  std::vector<os::Directory> found;
  for (const Mirror& mirror : mirrors_) {
    if (!mirror.directory) {
      unread = mirror.unreached;
      continue;
    }
    auto keyring = mirror.directory->open_child(in_use);
    if (keyring)
      found.push_back(std::move(keyring).value());
    else if (keyring.error().code() != Errc::store_missing)
      unread = keyring.error();
  }
  return found;
}

Status Mirrors::repeat(Mirror& mirror, const storage::WriteSet& changes, const Sequence& before,
                       const Sequence& after) const {
  for (int growth = 0;; ++growth) {
    EFFACE_ASSIGN(storage::WriteTxn txn, mirror.environment->write(storage::Space::removal));
    EFFACE_ASSIGN(const Sequence there, read_sequence(txn));
    if (there != before) return Error(Errc::conflict, "a mirror is not where the keyring was");
    Status done = changes.apply(txn);
    if (done) done = std::move(txn).commit();
    if (done) break;
    if (done.error().code() != Errc::full || growth == growths_max) return done;
  }
  EFFACE_ASSIGN(const storage::ReadTxn written, mirror.environment->read());
  EFFACE_ASSIGN(const Sequence there, read_sequence(written));
  if (there == after) return {};
  return Error(Errc::outcome_unknown, "what a mirror committed could not be read back");
}

void Mirrors::follow(const storage::WriteSet& changes, const Sequence& before,
                     const Sequence& after) {
  for (Mirror& mirror : mirrors_) {
    if (!mirror.environment) continue;
    Status repeated;
    try {
      repeated = repeat(mirror, changes, before, after);
    } catch (const std::bad_alloc&) {  // As any other failure.
      repeated = no_memory;
    }
    if (repeated) {
      note(mirror, MirrorState::in_step, after.number);
      continue;
    }
    mirror.environment.reset();
    note(mirror, MirrorState::behind, before.number);
    tell(mirror, repeated.error());
  }
}

Result<Sequence> Mirrors::open_keyring(Mirror& mirror) const {
  EFFACE_ASSIGN(const os::Directory keyring, mirror.directory->open_child(in_use));
  EFFACE_ASSIGN(storage::Environment environment, storage::Environment::open(keyring, options_));
  Sequence sequence;
  {
    EFFACE_ASSIGN(const storage::ReadTxn txn, environment.read());
    EFFACE_ASSIGN(sequence, read_sequence(txn));
  }
  mirror.environment.emplace(std::move(environment));
  return sequence;
}

Status Mirrors::write_anew(Mirror& mirror, const storage::Environment& keyring) const {
  const os::Directory& directory = *mirror.directory;
  EFFACE_TRY(directory.remove_tree(arriving));
  {
    EFFACE_ASSIGN(const os::Directory into, directory.create_child(arriving));
    EFFACE_TRY(storage::copy(keyring, into, options_));
  }
  EFFACE_TRY(directory.remove_tree(leaving));
  EFFACE_TRY(directory.sync());
  EFFACE_ASSIGN(const bool there, directory.contains(in_use));
  if (there) {
    EFFACE_TRY(directory.rename(in_use, leaving));
    EFFACE_TRY(directory.sync());
  }
  EFFACE_TRY(directory.rename(arriving, in_use));
  EFFACE_TRY(directory.sync());
  return directory.remove_tree(leaving);
}

Result<bool> Mirrors::bring_in_step(Mirror& mirror, const storage::Environment& keyring,
                                    const Sequence& now) {
  EFFACE_TRY(reach(mirror));
  const auto sequence = open_keyring(mirror);
  if (sequence) note(mirror, MirrorState::behind, sequence->number);
  if (sequence && *sequence == now) return false;
  mirror.environment.reset();
  EFFACE_TRY(write_anew(mirror, keyring));
  EFFACE_ASSIGN(const Sequence written, open_keyring(mirror));
  if (written == now) return true;
  return Error(Errc::outcome_unknown, "a mirror is not what was written");
}

void Mirrors::catch_up(const storage::Environment& keyring, const Sequence& now) {
  for (Mirror& mirror : mirrors_) {
    if (mirror.environment) continue;
    Result<bool> written = no_memory;
    try {
      written = bring_in_step(mirror, keyring, now);
    } catch (const std::bad_alloc&) {  // As any other failure.
    }
    if (written) {
      note(mirror, MirrorState::in_step, now.number);
      if (*written) mirror.told = MirrorState::behind;
      tell(mirror);
      continue;
    }
    mirror.environment.reset();
    const auto there = mirror.directory ? mirror.directory->contains(in_use) : Result(false);
    note(mirror, there && *there ? MirrorState::behind : MirrorState::absent,
         mirror.stats.sequence);
    tell(mirror, written.error());
  }
}

void Mirrors::note(Mirror& mirror, MirrorState state, std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  mirror.stats = {state, sequence};
}

// Each change of its state, once.
void Mirrors::tell(Mirror& mirror, const std::optional<Error>& why) const {
  const MirrorState now = mirror.stats.state;
  if (std::exchange(mirror.told, now) == now) return;
  const LogEvent event = now == MirrorState::in_step  ? LogEvent::mirror_in_step
                         : now == MirrorState::behind ? LogEvent::mirror_behind
                                                      : LogEvent::mirror_absent;
  const auto number = static_cast<std::uint64_t>(&mirror - mirrors_.data());
  watch_.note(event, {{"mirror", number}, {"sequence", mirror.stats.sequence}}, why);
}

std::vector<MirrorStats> Mirrors::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<MirrorStats> all;
  for (const Mirror& mirror : mirrors_) all.push_back(mirror.stats);
  return all;
}

// ---- of the keyring that they follow ----

Status Keyring::number(storage::WriteTxn& txn, Numbered& into) const {
  EFFACE_ASSIGN(into.sequence, advance_sequence(txn));
  return {};
}

void Keyring::follow(const Numbered& committed) {
  if (mirrors_) {
    static_cast<void>(base::traced(watch(), "mirrors.follow", [&]() -> Status {
      mirrors_->follow(committed.changes, last_commit_, committed.sequence);
      return {};
    }));
  }
  last_commit_ = committed.sequence;
  sequence_.store(committed.sequence.number, std::memory_order_release);
}

std::vector<MirrorStats> Keyring::mirrors() const {
  return mirrors_ ? mirrors_->status() : std::vector<MirrorStats>();
}

Status Keyring::catch_up_mirrors() {
  if (!mirrors_) return {};
  EFFACE_ASSIGN(const Lock held, lock());
  mirrors_->catch_up(environment_, last_commit_);
  return {};
}

}  // namespace efface::keyring
