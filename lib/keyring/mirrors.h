// keyring/mirrors.h -- copies of one keyring in other places, which follow every transaction of it.
//
// A mirror is written after the keyring's own commit and before the root key store destroys
// anything, so whichever of them is left opens. One that fails is behind: it is not written any
// more, and the erasure goes on, for forgetting must not wait for a broken disk, and what stands
// there cannot be opened once the epoch has ended. It is written anew, whole, by catch_up.
//
// Shape   PATH/ mirror.info ("EFMIRROR" | region id 16), lock (held by one process), keyring/
//         (data.mdb, lock.mdb); keyring.new/ and keyring.old/ while it is written anew.
// Threads status() any; the rest by the keyring's writer.
// Errors  open: region_mismatch: the path belongs to another region, or to something else; busy:
//         to another process; unsafe_path. A path that cannot be reached is no error: absent.
// Cost    A durable commit each, in each mirror, for every commit of the keyring.
#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "efface/stats.h"
#include "keyring/sequence.h"
#include "os/lock.h"
#include "storage/write_set.h"

namespace efface::keyring {

class Mirrors {
 public:
  // Makes the directories that are missing (0700). Opens no keyring.
  static Result<std::unique_ptr<Mirrors>> open(std::span<const std::filesystem::path> paths,
                                               const Id16& region,
                                               const storage::EnvironmentOptions& environment);

  // Repeats what took the keyring from one sequence to the next.
  void follow(const storage::WriteSet& changes, const Sequence& before, const Sequence& after);

  // Opens those that are not open; writes those anew that are not where the keyring is.
  void catch_up(const storage::Environment& keyring, const Sequence& now);

  // The keyring directories of those that have one; for who looks which is the newest. unread: of
  // one that cannot be looked at, and may have one.
  std::vector<os::Directory> keyrings(std::optional<Error>& unread) const;

  std::vector<MirrorStats> status() const;

 private:
  struct Mirror {
    std::filesystem::path path;
    std::optional<Error> unreached{};
    std::optional<os::Directory> directory{};
    std::optional<os::FileLock> lock{};
    std::optional<storage::Environment> environment{};  // In step while it is there.
    MirrorStats stats{};
    MirrorState told = MirrorState::in_step;  // To whoever runs it.
  };

  Mirrors(const Id16& region, const storage::EnvironmentOptions& environment);
  Status reach(Mirror& mirror) const;
  Status repeat(Mirror& mirror, const storage::WriteSet& changes, const Sequence& before,
                const Sequence& after) const;
  Result<Sequence> open_keyring(Mirror& mirror) const;
  Status write_anew(Mirror& mirror, const storage::Environment& keyring) const;
  // Answers whether it was written anew.
  Result<bool> bring_in_step(Mirror& mirror, const storage::Environment& keyring,
                             const Sequence& now);
  void note(Mirror& mirror, MirrorState state, std::uint64_t sequence);
  void tell(Mirror& mirror, const std::optional<Error>& why = {}) const;

  const Id16 region_;
  const base::Watch watch_;
  const storage::EnvironmentOptions options_;  // Without it: what fails there is a mirror's.
  mutable std::mutex mutex_;                   // Of the stats.
  std::vector<Mirror> mirrors_;
};

}  // namespace efface::keyring
