// efface/subject.h -- one person in one tenant, with one home region.
//
// Obtained by enrolling or by looking up an id; move-only, so that erasing can use it up. It holds
// no key and no id. After the person's erasure every use answers Errc::subject_erased, also when
// somebody of the same id has been enrolled since: she shares nothing with the one before. So it
// does after a transfer, and after a merge into somebody else: look her up anew.
//
// Threads   const uses: shared freely.
// Lifetime  Keeps the store open.
//
// Example
//   const Subject alice = shop.enrol(SubjectId("alice"), eu).value();  // Then subject().
#pragma once
#include <memory>

#include "efface/export.h"
#include "efface/types.h"

namespace efface {

class EFFACE_EXPORT Subject {
 public:
  Subject(Subject&&) noexcept;
  Subject& operator=(Subject&&) noexcept;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  ~Subject();

  Region home() const;

 private:
  friend struct internal::Access;
  struct State;
  explicit Subject(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace efface
