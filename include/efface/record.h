// efface/record.h -- the plaintext of one record, owned.
//
// Lifetime  The bytes live as long as the Record and are wiped with it.
// Threads   One at a time.
//
// Example
//   const std::string_view ordered = as_text(order->bytes());  // As long as order lives.
//   const bool for_ever = !order->expires();
#pragma once
#include <chrono>
#include <memory>
#include <optional>

#include "efface/bytes.h"
#include "efface/export.h"
#include "efface/types.h"

namespace efface {

class EFFACE_EXPORT Record {
 public:
  Record(Record&&) noexcept;
  Record& operator=(Record&&) noexcept;
  ~Record();

  Bytes bytes() const& noexcept EFFACE_BORROWED;
  Bytes bytes() const&& = delete;  // A view of a temporary would dangle.
  std::chrono::system_clock::time_point written() const noexcept;
  std::optional<std::chrono::system_clock::time_point> expires() const noexcept;

 private:
  friend struct internal::Access;
  struct State;
  explicit Record(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace efface
