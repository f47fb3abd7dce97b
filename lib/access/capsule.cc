#include "access/capsule.h"

#include <algorithm>

#include "base/check.h"
#include "os/parent.h"

namespace efface::access {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

std::uint32_t number_of(sys_days day) noexcept {
  return static_cast<std::uint32_t>(day.time_since_epoch().count());
}

Result<std::uint64_t> write_sealed(const os::File& file, const RecipientPublicKey& recipient,
                                   FunctionRef<Status(keyring::CapsuleSink)> write) {
  std::uint64_t bytes = 0;
  EFFACE_ASSIGN(auto sealer,
                crypto::StreamSealer::begin(recipient.bytes, [&](Bytes sealed) -> Status {
                  EFFACE_TRY(file.write_at(bytes, sealed));
                  bytes += sealed.size();
                  return {};
                }));
  EFFACE_TRY(write([&](Bytes plain) { return sealer.write(plain); }));
  EFFACE_TRY(sealer.finish());
  EFFACE_TRY(file.sync());
  return bytes;
}

}  // namespace

Result<CapsuleReport> make_capsule(const Site& site, RegionState& region,
                                   const CapsuleOptions& options, std::string_view actor) {
  const auto is_it = [&](const auto& known) { return known.get() == &region; };
  if (std::ranges::none_of(site.regions(), is_it))
    return Error(Errc::region_unknown, "the region belongs to another store");
  if (!region.open) return Error(Errc::region_not_open, "the region is not open here");
  if (options.target.empty() || options.target.filename().empty())
    return Error(Errc::invalid_argument, "a capsule needs a file with a name");
  const sys_days until = std::chrono::floor<days>(options.opens_until);
  if (until < std::chrono::floor<days>(site.now()))
    return Error(Errc::invalid_argument, "the day until which a capsule opens is over");
  for (const std::filesystem::path& directory : site.directories()) {
    EFFACE_ASSIGN(const bool inside, os::lies_within(options.target, directory));
    if (inside) return Error(Errc::unsafe_path, "a capsule would lie inside the data");
  }
  EFFACE_ASSIGN(const os::Directory parent, os::open_parent_of(options.target));
  const std::string name = options.target.filename().string();
  EFFACE_ASSIGN(const bool taken, parent.contains(name));
  if (taken) return Error(Errc::exists, "there is something at the capsule's path");
  const std::string temporary = name + ".new";
  EFFACE_TRY(parent.remove_tree(temporary));  // Left by a crash.
  ledger::Entry decision;
  decision.kind = ledger::Kind::capsule_made;
  decision.day = number_of(until);
  decision.actor = actor;
  auto made = [&]() -> Result<std::uint64_t> {
    EFFACE_ASSIGN(const os::File file, os::File::create(parent, temporary));
    EFFACE_ASSIGN(const std::uint64_t bytes,
                  write_sealed(file, options.recipient, [&](keyring::CapsuleSink sink) {
                    return region.keyring->write_capsule(number_of(until), decision, sink);
                  }));
    EFFACE_TRY(parent.rename(temporary, name));
    return bytes;
  }();
  if (!made) {
    static_cast<void>(parent.remove_tree(temporary));  // What was wrong is said already.
    return made.error();
  }
  if (const Status kept = parent.sync(); !kept) {
    static_cast<void>(parent.remove_tree(name));
    return kept.error();
  }
  return CapsuleReport{until, *made};
}

Status bring_back(const OpenOptions& options, const SealedCapsule& capsule) {
  const auto asked = std::ranges::find(options.regions, capsule.region, &RegionOptions::name);
  if (asked == options.regions.end() || asked->root_keys == nullptr)
    return Error(Errc::region_not_open, "a capsule is of a region that is not opened");
  EFFACE_ASSIGN(const std::vector<RegionPlace> places, region_places(options.directory));
  const auto place = std::ranges::find(places, capsule.region, &RegionPlace::name);
  if (place == places.end()) return Error(Errc::region_unknown, "the store has no such region");
  EFFACE_ASSIGN(const os::Directory parent, os::open_parent_of(capsule.path));
  EFFACE_ASSIGN(const os::File file,
                os::File::open(parent, capsule.path.filename().string(), os::File::Access::read));
  EFFACE_ASSIGN(const std::uint64_t size, file.size());
  const TimePoint now = options.now != nullptr ? options.now() : std::chrono::system_clock::now();
  const auto stream = [&](keyring::CapsuleSink sink) -> Status {
    std::uint64_t at = 0;
    const auto source = [&](MutableBytes out) -> Result<std::size_t> {
      const auto many = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - at));
      if (many == 0) return many;
      EFFACE_TRY(file.read_at(at, out.first(many)));
      at += many;
      return many;
    };
    return crypto::open_stream(capsule.keys, source, sink);
  };
  const std::uint32_t today = number_of(std::chrono::floor<days>(now));
  return bring_keyring_back(place->directory, *asked, options,
                            {capsule.verifier_key, today, stream});
}

}  // namespace efface::access
