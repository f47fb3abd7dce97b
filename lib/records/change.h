// records/change.h -- one sealed change of a record, ready to be stored.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "records/envelope.h"

namespace efface::records {

struct Change {
  RecordKey key{};
  std::vector<std::byte> value{};  // Empty: remove it.
  enum class Expect : std::uint8_t { anything, absent, nonce } expect = Expect::anything;
  std::array<std::byte, crypto::nonce_bytes> nonce{};
  bool is_group = false;  // A shared record: the handle alone is its key.
  bool is_data = true;    // What it overwrites or removes is residue of the scope.
  // Answers:
  bool was_there = false;
  bool was_link = false;  // To a shared record.
};

}  // namespace efface::records
