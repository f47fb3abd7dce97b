// efface/bytes.h -- borrowed bytes and borrowed callables, the two parameter types used throughout.
//
// Lifetime  Both borrow: neither outlives the call that it is passed to.
//
// Example
//   std::size_t names = 0;
//   const auto look = [&](std::string_view) { return ++names < 10 ? Flow::more : Flow::stop; };
//   selling.list(alice, {}, look).value();
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "efface/export.h"

namespace efface {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text EFFACE_BORROWED) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes EFFACE_BORROWED) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A reference to a callable object (a lambda): no allocation, no ownership (P0792).
template <class Signature>
class FunctionRef;
template <class R, class... A>
class FunctionRef<R(A...)> {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
             std::is_object_v<std::remove_reference_t<F>> && std::is_invocable_r_v<R, F&, A...>)
  FunctionRef(F&& callable EFFACE_BORROWED) noexcept
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, A... arguments) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<A>(arguments)...);
        }) {}
  R operator()(A... arguments) const { return call_(object_, std::forward<A>(arguments)...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

// What a visiting callback answers: go on, or stop here.
enum class Flow : bool { stop, more };

}  // namespace efface
