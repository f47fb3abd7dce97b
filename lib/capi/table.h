// capi/table.h -- what stands behind the handles of the C interface.
//
// A handle is a number: a slot, and how often the slot has been used. So one that is closed, or
// never was, is known as such, and never leads to memory that somebody else has by now.
//
// Threads  Shared. Who finds something shares it: it lives to the end of his call.
// Limits   Four thousand million handles at once, and of one slot as many after each other; then
//          the slot is left. (Of 32-bit systems: 65,535.)
#pragma once
#include <cstdint>
#include <memory>

namespace efface::capi {

enum class Kind : std::uint8_t { root_keys = 1, store, tenant, activity, sealer, subject, buffer };

using Shared = std::shared_ptr<void>;

std::uintptr_t add(Kind kind, Shared what);
// Null: there is none of that kind.
Shared find(Kind kind, std::uintptr_t handle) noexcept;
// The same, and there is none from now on.
Shared take(Kind kind, std::uintptr_t handle) noexcept;

}  // namespace efface::capi
