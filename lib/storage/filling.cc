#include "storage/filling.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace efface::storage {
namespace {

constexpr std::uint64_t commit_bytes = std::uint64_t{16} << 20;
constexpr std::uint64_t spare_bytes = std::uint64_t{4} << 20;

EnvironmentOptions sized_for(std::uint64_t bytes, const EnvironmentOptions& options) {
  EnvironmentOptions out = options;
  out.map_bytes =
      std::max(out.map_bytes, static_cast<std::size_t>(bytes + bytes / 4 + spare_bytes));
  out.map_bytes_max = std::max(out.map_bytes, out.map_bytes_max);
  out.headroom_bytes = 0;
  out.watch = {};  // What fails is thrown away.
  return out;
}

}  // namespace

Result<Filling> Filling::begin(const os::Directory& into, const EnvironmentOptions& options,
                               std::uint64_t bytes) {
  const EnvironmentOptions sized = sized_for(bytes, options);
  EFFACE_TRY(Environment::create(into, sized));
  EFFACE_ASSIGN(Environment environment, Environment::open(into, sized));
  return Filling(std::move(environment));
}

Status Filling::begin_transaction() {
  if (txn_) return {};
  EFFACE_ASSIGN(txn_, environment_.write(Space::removal));
  return {};
}

// There is nothing to be unsure about: what failed is thrown away.
Status Filling::commit() {
  const Status done = std::move(*std::exchange(txn_, std::nullopt)).commit();
  if (!done && done.error().code() == Errc::outcome_unknown)
    return Error(Errc::io, "a copy could not be written", done.error().system_code());
  EFFACE_TRY(done);
  committed_bytes_ += std::exchange(uncommitted_bytes_, 0);
  return {};
}

Result<std::uint64_t> Filling::add(Bytes key, Bytes value) {
  EFFACE_TRY(begin_transaction());
  EFFACE_TRY(txn_->append(key, value));
  uncommitted_bytes_ += key.size() + value.size();
  if (uncommitted_bytes_ >= commit_bytes) EFFACE_TRY(commit());
  return committed_bytes_;
}

Status Filling::put(Bytes key, Bytes value) {
  EFFACE_TRY(begin_transaction());
  uncommitted_bytes_ += key.size() + value.size();
  return txn_->put(key, value);
}

Result<std::uint64_t> Filling::finish() {
  if (txn_) EFFACE_TRY(commit());
  return committed_bytes_;
}

}  // namespace efface::storage
