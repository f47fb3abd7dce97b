#include "keyring/survivor.h"

#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "storage/copy.h"

namespace efface::keyring {
namespace {

constexpr int names_max = 1000;

// What another copy of the keyring mends.
bool is_lost(Errc code) noexcept {
  return code == Errc::store_missing || code == Errc::corruption || code == Errc::keyring_stale;
}

// What a capsule mends: it needs no root key of before.
bool is_lost_with_its_root(Errc code) noexcept {
  return is_lost(code) || code == Errc::root_key_missing || code == Errc::root_key_mismatch;
}

Result<Sequence> look_at(const os::Directory& directory, const KeyringOptions& options) {
  EFFACE_ASSIGN(const auto keyring, Keyring::open_to_read(directory, options));
  return keyring->last_commit();
}

Result<Sequence> look_at_child(const os::Directory& parent, std::string_view name,
                               const KeyringOptions& options) {
  EFFACE_ASSIGN(const os::Directory directory, parent.open_child(name));
  return look_at(directory, options);
}

// Also of one that does not open otherwise.
std::uint64_t number_of(const os::Directory& parent, std::string_view name,
                        const KeyringOptions& options) {
  const auto directory = parent.open_child(name);
  if (!directory) return 0;
  const auto environment = storage::Environment::open(*directory, options.environment);
  if (!environment) return 0;
  const auto txn = environment->read();
  if (!txn) return 0;
  const auto sequence = read_sequence(*txn);
  return sequence ? sequence->number : 0;
}

Result<std::string> free_name(const os::Directory& parent, std::string_view name,
                              std::uint64_t number) {
  const std::string base = std::string(name) + ".damaged-" + std::to_string(number);
  for (int i = 1; i < names_max; ++i) {
    std::string tried = i == 1 ? base : base + "-" + std::to_string(i);
    EFFACE_ASSIGN(const bool taken, parent.contains(tried));
    if (!taken) return tried;
  }
  return Error(Errc::exists, "too many damaged keyrings stand aside");
}

Status take_place(const os::Directory& parent, std::string_view name, const os::Directory& survivor,
                  const KeyringOptions& options) {
  const std::string arriving = std::string(name) + ".new";
  EFFACE_TRY(parent.remove_tree(arriving));
  {
    EFFACE_ASSIGN(const storage::Environment from,
                  storage::Environment::open(survivor, options.environment));
    EFFACE_ASSIGN(const os::Directory into, parent.create_child(arriving));
    EFFACE_TRY(storage::copy(from, into, options.environment));
  }
  return put_in_place(parent, name, arriving, options);
}

}  // namespace

Result<bool> any_opens(const os::Directory& parent, std::string_view name,
                       const KeyringOptions& options, const Mirrors* mirrors) {
  const auto present = look_at_child(parent, name, options);
  if (present) return true;
  if (!is_lost_with_its_root(present.error().code())) return present.error();
  if (mirrors == nullptr) return false;
  KeyringOptions carefully = options;
  carefully.environment.verify_structure = true;
  std::optional<Error> unread;  // A capsule is for when mirrors are out of reach too.
  const std::vector<os::Directory> all = mirrors->keyrings(unread);
  for (const os::Directory& one : all) {
    const auto mirror = look_at(one, carefully);
    if (mirror) return true;
    if (!is_lost_with_its_root(mirror.error().code())) return mirror.error();
  }
  return false;
}

Status put_in_place(const os::Directory& parent, std::string_view name, std::string_view arriving,
                    const KeyringOptions& options) {
  EFFACE_TRY(parent.sync());
  EFFACE_ASSIGN(const bool there, parent.contains(name));
  if (there) {
    EFFACE_ASSIGN(const std::string aside,
                  free_name(parent, name, number_of(parent, name, options)));
    EFFACE_TRY(parent.rename(name, aside));
  }
  EFFACE_TRY(parent.rename(arriving, name));
  return parent.sync();
}

Result<bool> put_newest_in_place(const os::Directory& parent, std::string_view name,
                                 const KeyringOptions& options, const Mirrors& mirrors) {
  const auto present = look_at_child(parent, name, options);
  if (!present && !is_lost(present.error().code())) return present.error();
  // Pages that nobody has looked at for long are walked before LMDB sees them.
  KeyringOptions carefully = options;
  carefully.environment.verify_structure = true;
  std::optional<Error> unread;  // Of one that may well open, another time.
  const std::vector<os::Directory> all = mirrors.keyrings(unread);
  const os::Directory* newest = nullptr;
  std::uint64_t number = present ? present->number : 0;
  for (const os::Directory& one : all) {
    const auto sequence = look_at(one, carefully);
    if (!sequence) {
      if (!is_lost_with_its_root(sequence.error().code())) unread = sequence.error();
      continue;
    }
    if ((newest == nullptr && !present) || sequence->number > number) {
      newest = &one;
      number = sequence->number;
    }
  }
  if (newest == nullptr) {
    if (!present) return unread ? *unread : present.error();
    return false;
  }
  EFFACE_TRY(take_place(parent, name, *newest, options));
  std::optional<Error> why;
  if (!present) why = present.error();
  options.environment.watch.note(LogEvent::keyring_replaced, {{"sequence", number}}, why);
  return true;
}

}  // namespace efface::keyring
