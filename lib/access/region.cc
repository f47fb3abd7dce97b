#include "access/region.h"

#include <algorithm>
#include <array>
#include <thread>

#include "access/custody.h"
#include "access/info.h"
#include "access/relaxed.h"
#include "base/check.h"
#include "codec/manifest_codec.h"
#include "crypto/random.h"
#include "ledger/note.h"
#include "os/host.h"
#include "os/parent.h"

namespace efface::access {
namespace {

constexpr std::string_view lock_file = "lock";
constexpr std::string_view keyring_directory = "keyring";
constexpr std::string_view ledger_file = "ledger";
constexpr std::string_view processes_file = "processes";
constexpr std::uint64_t namespace_at = 64;  // After what is locked.
constexpr int join_attempts_max = 50;
constexpr std::chrono::milliseconds join_pause{2};
constexpr std::uint64_t info_bytes_max = 4096;

// Which namespace of process ids the sharers are of: one in another could not tell whether they
// live. It is put down by whoever finds nobody else.
using Namespace = std::array<std::byte, 128>;

Result<Namespace> this_namespace() {
  Namespace out{};
  EFFACE_ASSIGN(const std::string text, os::process_namespace());
  std::ranges::copy(as_bytes(text).first(std::min(text.size(), out.size())), out.begin());
  return out;
}

Status note_namespace(const os::Directory& directory) {
  EFFACE_ASSIGN(const bool there, directory.contains(processes_file));
  EFFACE_ASSIGN(const os::File file,
                there ? os::File::open(directory, processes_file, os::File::Access::read_write)
                      : os::File::create(directory, processes_file));
  EFFACE_ASSIGN(const Namespace here, this_namespace());
  return file.write_at(namespace_at, here);
}

Status check_namespace(const os::Directory& directory) {
  EFFACE_ASSIGN(const os::File file,
                os::File::open(directory, processes_file, os::File::Access::read));
  EFFACE_ASSIGN(const Namespace here, this_namespace());
  EFFACE_ASSIGN(const std::uint64_t size, file.size());
  Namespace there{};  // Of nobody, where it was cut off.
  if (size >= namespace_at + there.size()) EFFACE_TRY(file.read_at(namespace_at, there));
  if (there == here) return {};
  return Error(Errc::busy, "a process of another namespace of process ids has the region open");
}

// Two that come at the same time are in each other's way for a moment.
Status join_others(RegionState& region, const os::Directory& directory) {
  for (int attempt = 1;; ++attempt) {
    {
      const auto alone = os::FileLock::acquire(directory, lock_file);
      if (alone) EFFACE_TRY(note_namespace(directory));
      if (!alone && alone.error().code() != Errc::busy) return alone.error();
    }
    auto shared = os::FileLock::share(directory, lock_file);
    if (!shared && shared.error().code() != Errc::busy) return shared.error();
    if (shared) {
      // Whoever had it alone and has left it in between may have put down nothing.
      EFFACE_ASSIGN(const bool is_noted, directory.contains(processes_file));
      if (is_noted) {
        region.lock = *std::move(shared);
        break;
      }
    }
    if (attempt == join_attempts_max)
      return Error(Errc::busy, "another process has the region open");
    std::this_thread::sleep_for(join_pause);
  }
  EFFACE_TRY(check_namespace(directory));
  EFFACE_ASSIGN(region.processes, os::ByteLocks::open(directory, processes_file));
  return {};
}

storage::EnvironmentOptions environment_options(const OpenOptions& options) {
  storage::EnvironmentOptions out;
  out.map_bytes_max = options.map_bytes_max;
  out.map_bytes = std::min<std::size_t>(out.map_bytes, options.map_bytes_max);
  out.headroom_bytes = std::min<std::size_t>(out.headroom_bytes, options.map_bytes_max / 8);
  out.readers_max = options.readers_max;
  out.deadline = options.deadline;
  out.verify_structure = options.verify_structure;
  out.others_write = options.shared;
  return out;
}

// Beside the keyring, or on another volume.
Result<std::shared_ptr<keyring::LedgerCopy>> ledger_copy(const os::Directory& directory,
                                                         const Id16& region,
                                                         const RegionOptions& of_region) {
  if (of_region.ledger_copy.empty()) {
    EFFACE_ASSIGN(auto copy, keyring::LedgerCopy::open(directory, ledger_file, region));
    return std::make_shared<keyring::LedgerCopy>(std::move(copy));
  }
  EFFACE_ASSIGN(const os::Directory parent, os::open_parent_of(of_region.ledger_copy));
  const std::string name = of_region.ledger_copy.filename().string();
  EFFACE_ASSIGN(auto copy, keyring::LedgerCopy::open(parent, name, region));
  return std::make_shared<keyring::LedgerCopy>(std::move(copy));
}

keyring::KeyringOptions keyring_options(const Id16& region, RootKeyStore& root_keys,
                                        const OpenOptions& options) {
  keyring::KeyringOptions out;
  out.region = region;
  out.root_keys = &root_keys;
  out.environment = environment_options(options);
  out.cached_tags_max = options.cached_people_max;
  out.now = options.now;
  return out;
}

Result<keyring::KeyringOptions> opened_keyring_options(const os::Directory& directory,
                                                       const Id16& id, const RegionOptions& region,
                                                       const OpenOptions& options,
                                                       Opening opening) {
  keyring::KeyringOptions out = keyring_options(id, *region.root_keys, options);
  out.mirrors = region.keyring_mirrors;
  out.restoring = opening == Opening::to_restore;
  EFFACE_ASSIGN(out.ledger_copy, ledger_copy(directory, id, region));
  return out;
}

Result<codec::RegionInfoFields> read_info(const os::Directory& directory) {
  EFFACE_ASSIGN(const os::File file,
                os::File::open(directory, region_info_file, os::File::Access::read));
  EFFACE_ASSIGN(const std::uint64_t size, file.size());
  if (size == 0 || size > info_bytes_max)
    return Error(Errc::corruption, "a region's description has an impossible size");
  codec::Plaintext bytes(size);
  EFFACE_TRY(file.read_at(0, bytes.bytes()));
  EFFACE_ASSIGN(codec::RegionInfoFields info,
                codec::decode_region_info(std::as_const(bytes).bytes()));
  if (info.format > region_format)
    return Error(Errc::format_new, "the region was written by a newer version");
  if (info.format < region_format) return Error(Errc::format_old, "the region has an older format");
  return info;
}

}  // namespace

Status create_region(const os::Directory& parent, std::string_view directory_name,
                     std::string_view name, RootKeyStore& root_keys, const OpenOptions& options) {
  EFFACE_TRY(check_assurance(root_keys, options.accept_l0));
  EFFACE_ASSIGN(const bool taken, parent.contains(directory_name));
  if (taken) return Error(Errc::exists, "the region's directory is there already");
  const std::string temporary = std::string(directory_name) + ".new";
  EFFACE_TRY(parent.remove_tree(temporary));  // Left by a crash.
  EFFACE_ASSIGN(const os::Directory region, parent.create_child(temporary));
  const Id16 id = crypto::random_id();
  {
    EFFACE_ASSIGN(const os::Directory keyring, region.create_child(keyring_directory));
    EFFACE_TRY(keyring::Keyring::create(keyring, keyring_options(id, root_keys, options)));
    EFFACE_TRY(keyring.sync());
    EFFACE_ASSIGN(const os::Directory vault, region.create_child("records"));
    EFFACE_TRY(records::Vault::create(vault, id, environment_options(options)));
    EFFACE_TRY(vault.sync());
    EFFACE_ASSIGN(const os::FileLock lock, os::FileLock::acquire(region, lock_file));
    EFFACE_ASSIGN(const os::File info, os::File::create(region, region_info_file));
    const codec::Plaintext bytes =
        codec::encode(codec::RegionInfoFields{region_format, id, std::string(name)});
    EFFACE_TRY(info.write_at(0, bytes.bytes()));
    EFFACE_TRY(info.sync());
  }
  EFFACE_TRY(region.sync());
  EFFACE_TRY(parent.rename(temporary, directory_name));
  return parent.sync();
}

Status check_witness(const RegionState& region, const RegionOptions& options) {
  if (options.witness.empty()) return {};
  EFFACE_ASSIGN(const ledger::Checkpoint witness, ledger::trusted_checkpoint(options.witness));
  if (witness.origin != ledger::origin_of(region.id))
    return Error(Errc::region_mismatch, "the witnessed checkpoint is of another region");
  return region.keyring->check_begins_with(witness.size, witness.root);
}

Result<Id16> region_id(const os::Directory& directory) {
  EFFACE_ASSIGN(const codec::RegionInfoFields info, read_info(directory));
  return info.id;
}

Status bring_keyring_back(const os::Directory& directory, const RegionOptions& region,
                          const OpenOptions& options, const keyring::CapsuleSource& capsule) {
  EFFACE_ASSIGN(const codec::RegionInfoFields info, read_info(directory));
  if (info.name != region.name)
    return Error(Errc::region_mismatch, "the directory holds another region than it should");
  EFFACE_TRY(check_assurance(*region.root_keys, options.accept_l0));
  EFFACE_ASSIGN(const os::FileLock lock, os::FileLock::acquire(directory, lock_file));
  EFFACE_ASSIGN(const keyring::KeyringOptions of_keyring,
                opened_keyring_options(directory, info.id, region, options, Opening::to_restore));
  return keyring::Keyring::bring_back(directory, keyring_directory, of_keyring, capsule);
}

Result<std::shared_ptr<RegionState>> open_region(const os::Directory& directory,
                                                 const RegionOptions& region,
                                                 const OpenOptions& options, Opening opening,
                                                 const base::Watch& watch) {
  auto state = std::make_shared<RegionState>();
  state->name = region.name;
  EFFACE_ASSIGN(const codec::RegionInfoFields info, read_info(directory));
  if (info.name != region.name)
    return Error(Errc::region_mismatch, "the directory holds another region than it should");
  state->id = info.id;
  if (region.root_keys == nullptr) return state;
  EFFACE_TRY(check_assurance(*region.root_keys, options.accept_l0));
  os::ByteLocks::Held alone;
  if (options.shared) {
    if (opening == Opening::to_restore)
      return Error(Errc::unsupported, "a store is restored by one process alone");
    EFFACE_TRY(join_others(*state, directory));
    EFFACE_ASSIGN(alone, state->processes->lock(keyring::writer_byte, os::ByteLocks::Mode::alone,
                                                options.deadline));
  } else {
    EFFACE_ASSIGN(state->lock, os::FileLock::acquire(directory, lock_file));
  }
  state->deadline = options.deadline;
  state->watch = watch;
  EFFACE_ASSIGN(keyring::KeyringOptions of_keyring,
                opened_keyring_options(directory, info.id, region, options, opening));
  of_keyring.processes = state->processes;
  of_keyring.environment.watch = watch.of("keyring");
  EFFACE_ASSIGN(state->keyring,
                keyring::Keyring::open_newest(directory, keyring_directory, of_keyring));
  if (opening == Opening::to_use) EFFACE_TRY(check_witness(*state, region));
  EFFACE_ASSIGN(const os::Directory vault, directory.open_child("records"));
  storage::EnvironmentOptions of_records = environment_options(options);
  of_records.watch = watch.of("records");
  EFFACE_ASSIGN(state->vault, records::Vault::open(vault, info.id, of_records, state->processes));
  EFFACE_ASSIGN(const records::Vault::Seen seen, state->vault->seen());
  if (opening == Opening::to_use && seen.sequence < state->keyring->records_floor())
    return Error(Errc::records_stale, "the records are older than the keyring: restore them");
  state->vault->watch(*state->keyring);
  state->vault->prepare_with(&prepare_waiting);
  state->keyring->saw_records(seen.sequence);
  state->open = true;
  watch.note(LogEvent::opened,
             {{"epoch", state->keyring->epoch()}, {"sequence", state->keyring->sequence()}});
  return state;
}

}  // namespace efface::access
