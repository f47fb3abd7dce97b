// storage/write_set.h -- what one write transaction changed, in order, so that it can be done again
// to another environment.
//
// Shape  kind 1 | key size 2 | value size 4 | key | value, one after the other.
// Cost   One copy of each key and value. A key that is put twice stands there twice.
#pragma once
#include <cstddef>
#include <vector>

#include "efface/bytes.h"
#include "efface/result.h"

namespace efface::storage {

class WriteTxn;

class WriteSet {
 public:
  void clear() noexcept { changes_.clear(); }
  bool empty() const noexcept { return changes_.empty(); }

  void note_put(Bytes key, Bytes value);
  void note_removal(Bytes key);

  // Does all of it in the transaction, which is not committed. Errors: those of the transaction.
  Status apply(WriteTxn& txn) const;

 private:
  void note(std::byte kind, Bytes key, Bytes value);
  std::vector<std::byte> changes_;
};

}  // namespace efface::storage
