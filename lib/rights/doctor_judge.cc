// What the facts mean: a finding for each check, so that who reads it sees what was looked at.
#include <algorithm>

#include "records/bucket.h"
#include "rights/doctor.h"

namespace efface::rights {
namespace {

constexpr std::chrono::hours residue_is_old{24 * 8};  // A day after maintain() should have been.
constexpr std::uint64_t entries_are_many = 10'000;
constexpr std::chrono::minutes clocks_differ{5};
constexpr std::chrono::hours clock_is_ahead{24 * 400};
constexpr std::uint64_t days_are_many = 31;  // What maintain() takes without asking.
constexpr std::uint64_t room_is_little_bytes = std::uint64_t{1} << 30;
constexpr std::uint64_t room_is_none_bytes = std::uint64_t{64} << 20;

struct Verdict {
  Severity severity = Severity::ok;
  const char* says = "";
  const char* remedy = "";
  std::optional<std::uint64_t> number{};
};

class Judge {
 public:
  Judge(const std::string& region, std::vector<Finding>& into) : region_(region), into_(into) {}
  void operator()(const char* check, const Verdict& verdict) {
    into_.push_back(
        {verdict.severity, check, verdict.says, verdict.remedy, region_, verdict.number});
  }

 private:
  const std::string& region_;
  std::vector<Finding>& into_;
};

Verdict root_keys_place(const RegionFacts& facts) {
  if (!facts.root_keys_on_volume) return {Severity::ok, "the root keys lie apart from the data"};
  if (facts.root_keys_in_clear)
    return {Severity::danger,
            "the root keys lie in clear on the volume of the data: one image of it has both",
            "move them to another volume or into a token: efface root migrate"};
  return {Severity::warning,
          "the root keys lie on the volume of the data: who takes it lacks only the passphrase",
          "move them to another volume or into a token: efface root migrate"};
}

Verdict assurance(const RegionFacts& facts) {
  if (facts.assurance.level == AssuranceLevel::l0_logical)
    return {Severity::warning,
            "a destroyed root key may stay on the medium: the file system copies on write, or is "
            "not known",
            "use a file on ext4 or xfs, or a token: docs/custody.md"};
  if (facts.assurance.level == AssuranceLevel::l1_overwritten)
    return {Severity::note, "root keys are overwritten in place, and nothing verifies it",
            "see docs/custody.md for root key stores that show more"};
  return {Severity::ok, facts.assurance.rests_on};
}

Verdict replicas(const RegionFacts& facts) {
  if (facts.replicas.confirmed >= facts.replicas.of)
    return {Severity::ok, "every root key store confirmed its last step", "",
            facts.replicas.confirmed};
  return {Severity::danger, "not every root key store confirmed its last step",
          "reach the missing ones, then efface maintain", facts.replicas.confirmed};
}

Verdict file_system(const RegionFacts& facts) {
  switch (facts.volume.file_system) {
    case os::FileSystem::in_place:
    case os::FileSystem::copy_on_write:
      return {Severity::ok, "the data lies on a file system that the databases were tried on"};
    case os::FileSystem::memory:
      return {Severity::warning, "the data lies in memory, and does not survive a restart",
              "move the store to a disk, unless it is meant so"};
    case os::FileSystem::network:
    case os::FileSystem::unknown:
      break;
  }
  return {Severity::danger, "the data lies on a network file system, or on one that is not known",
          "move the store to a local disk with ext4, xfs or btrfs"};
}

Verdict mirrors(const RegionFacts& facts) {
  if (facts.mirrors.empty())
    return {Severity::warning, "the keyring has no mirror: should it be lost, everyone is",
            "name a directory on another volume as its mirror"};
  const auto behind = static_cast<std::uint64_t>(std::ranges::count_if(
      facts.mirrors,
      [](const MirrorStats& mirror) { return mirror.state != MirrorState::in_step; }));
  if (behind != 0)
    return {behind == facts.mirrors.size() ? Severity::danger : Severity::warning,
            "mirrors of the keyring are behind or absent",
            "mend their volume, then efface maintain", behind};
  if (facts.mirrors_on_volume == facts.mirrors.size())
    return {Severity::warning, "every mirror lies on the volume of the data",
            "name a directory on another volume as well", facts.mirrors.size()};
  return {Severity::ok, "the mirrors of the keyring are in step", "", facts.mirrors.size()};
}

Verdict ledger_copy(const RegionFacts& facts) {
  if (!facts.ledger_copy_in_step)
    return {Severity::danger, "the ledger's copy is behind the ledger",
            "mend its volume: the next erasure writes it anew"};
  if (!facts.ledger_copy_device)
    return {Severity::danger, "the ledger's copy is not there",
            "close the store and open it: the copy is made anew"};
  if (*facts.ledger_copy_device == facts.volume.device)
    return {Severity::note, "the ledger's copy lies on the volume of the keyring",
            "keep it on another: what is lost together is not a copy"};
  return {Severity::ok, "the ledger's copy is in step, and on another volume"};
}

Verdict residue(const RegionFacts& facts) {
  if (facts.residue_records == 0 || !facts.residue_oldest)
    return {Severity::ok, "no record that was overwritten or removed can still be read"};
  if (facts.now - *facts.residue_oldest > residue_is_old)
    return {Severity::warning, "records that were removed over a week ago can still be read",
            "run efface maintain daily", facts.residue_records};
  return {Severity::note, "records that were overwritten or removed can still be read",
          "efface maintain re-keys them within its window", facts.residue_records};
}

Verdict unswept(const RegionFacts& facts) {
  if (facts.reclaim_entries == 0) return {Severity::ok, "no ciphertext of the erased is left"};
  return {facts.reclaim_entries > entries_are_many ? Severity::warning : Severity::note,
          "ciphertext of the erased, which nobody can read, waits to be removed",
          "run efface maintain daily", facts.reclaim_entries};
}

Verdict clock(const RegionFacts& facts) {
  // A day is destroyed when it is over, so the last one was yesterday at the latest.
  const bool before_day = facts.high_water_day != 0 &&
                          records::to_ms(facts.now) < records::expiry_ms(facts.high_water_day);
  if (before_day || (facts.last_entry && facts.now + clocks_differ < *facts.last_entry))
    return {Severity::danger, "the clock has gone back: what has happened is to come",
            "set the clock: until then records are kept too long"};
  if (facts.last_entry && facts.now - *facts.last_entry > clock_is_ahead)
    return {Severity::warning, "nothing was decided for over a year, or the clock is ahead",
            "look at the clock before efface maintain destroys what it calls expired"};
  return {Severity::ok, "the clock agrees with the ledger"};
}

Verdict map(const RegionFacts& facts) {
  const std::uint64_t most = std::max<std::uint64_t>(facts.map_bytes_max, 1);
  const std::uint64_t percent = facts.used_bytes / (most / 100 + 1);
  if (percent < 75) return {Severity::ok, "the databases may still grow", "", percent};
  return {percent < 90 ? Severity::warning : Severity::danger,
          "a database has used most of what it may, in percent",
          "open the store with a greater map_bytes_max", percent};
}

Verdict disk(const RegionFacts& facts) {
  const std::uint64_t free_bytes = facts.volume.free_bytes;
  if (free_bytes < room_is_none_bytes)
    return {Severity::danger, "the volume is full, and an erasure has to write",
            "free some space there, in bytes there is", free_bytes};
  if (free_bytes < room_is_little_bytes && free_bytes < facts.volume.total_bytes / 10)
    return {Severity::warning, "the volume is almost full, in bytes there is",
            "free some space there", free_bytes};
  return {Severity::ok, "the volume has room, in bytes", "", free_bytes};
}

Verdict expiry(const RegionFacts& facts) {
  if (facts.expired_days == 0) return {Severity::ok, "no expired day waits"};
  return {facts.expired_days > days_are_many ? Severity::warning : Severity::note,
          "the keys of expired days wait to be destroyed",
          "run efface maintain daily; see efface retention plan", facts.expired_days};
}

}  // namespace

void judge(const HostFacts& facts, std::vector<Finding>& into) {
  const std::string nowhere;
  Judge say(nowhere, into);
  say("locked_memory",
      facts.unlocked_bytes == 0
          ? Verdict{Severity::ok, "all memory for keys is locked"}
          : Verdict{Severity::danger, "memory for keys is not locked: it may come to a disk",
                    "raise RLIMIT_MEMLOCK, or let the process lock memory", facts.unlocked_bytes});
  say("core_dumps",
      !facts.may_dump_core
          ? Verdict{Severity::ok, "a crash of this process leaves no memory behind"}
          : Verdict{Severity::warning, "a crash of this process may leave its memory in a file",
                    "set RLIMIT_CORE to 0; where core_pattern names a program, PR_SET_DUMPABLE"});
  say("swap", facts.swap == std::optional(false)
                  ? Verdict{Severity::ok, "the system does not swap"}
                  : Verdict{Severity::note,
                            "the system may swap plaintext; whether that is encrypted is not known",
                            "encrypt the swap space, or turn it off"});
}

void judge(const RegionFacts& facts, std::vector<Finding>& into) {
  Judge say(facts.region, into);
  say("root_keys_volume", root_keys_place(facts));
  say("root_keys_clear",
      !facts.root_keys_in_clear
          ? Verdict{Severity::ok, "who reads the root key store's files has no key"}
          : Verdict{Severity::note, "the root keys stand in clear: the file's mode is their guard",
                    "give them a passphrase (efface root passphrase), or use a token"});
  say("assurance", assurance(facts));
  say("replicas", replicas(facts));
  say("retiring",
      !facts.retiring
          ? Verdict{Severity::ok, "no root key store is being left"}
          : Verdict{Severity::danger, "the root key store that was left may still hold keys",
                    "finish it: efface root migrate again, with the one that was left"});
  say("erase_pending",
      !facts.erase_pending
          ? Verdict{Severity::ok, "every erasure is confirmed"}
          : Verdict{Severity::danger, "an erasure is not confirmed by the root key store",
                    "make the root key store answer, then efface maintain"});
  say("modes", !facts.open_to_others
                   ? Verdict{Severity::ok, "nobody else may read the store's files"}
                   : Verdict{Severity::danger,
                             "a file of the store is open to others, or belongs to another user",
                             "directories 0700, files 0600, all of the store's user"});
  say("file_system", file_system(facts));
  say("mirrors", mirrors(facts));
  say("ledger_copy", ledger_copy(facts));
  say("residue", residue(facts));
  say("unswept", unswept(facts));
  say("expiry", expiry(facts));
  say("stale_readers",
      facts.stale_readers == 0
          ? Verdict{Severity::ok, "no reader that has died keeps pages"}
          : Verdict{Severity::warning, "readers that have died keep pages from being used again",
                    "close the store and open it", facts.stale_readers});
  say("clock", clock(facts));
  say("map", map(facts));
  say("disk", disk(facts));
}

}  // namespace efface::rights
