// storage/filling.h -- an environment that is written whole, in key order: a copy, or what comes
// out of one.
//
// Threads  One at a time.
// Errors   exists where `into` holds one; corruption: a key that is not above the one before. After
//          an error, or a crash, `into` is to be thrown away.
// Cost     Pages are full; a durable commit for each 16 MiB.
#pragma once
#include <cstdint>
#include <optional>

#include "os/file.h"
#include "storage/environment.h"

namespace efface::storage {

class Filling {
 public:
  // Makes the environment in an empty directory, large enough for about that much that it never has
  // to grow.
  static Result<Filling> begin(const os::Directory& into, const EnvironmentOptions& options,
                               std::uint64_t bytes);

  // Answers how many bytes of keys and values are committed.
  Result<std::uint64_t> add(Bytes key, Bytes value);
  // One entry that belongs between those that were added. The last call but finish.
  Status put(Bytes key, Bytes value);
  // Answers how many bytes there are.
  Result<std::uint64_t> finish();

  const Environment& environment() const noexcept { return environment_; }

 private:
  explicit Filling(Environment environment) noexcept : environment_(std::move(environment)) {}
  Status begin_transaction();
  Status commit();

  Environment environment_;
  std::optional<WriteTxn> txn_;
  std::uint64_t committed_bytes_ = 0;
  std::uint64_t uncommitted_bytes_ = 0;
};

}  // namespace efface::storage
