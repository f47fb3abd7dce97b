#include "capi/table.h"

#include <mutex>
#include <new>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace efface::capi {
namespace {

constexpr unsigned slot_bits = sizeof(std::uintptr_t) * 4;
constexpr std::uintptr_t slot_mask = (std::uintptr_t{1} << slot_bits) - 1;
constexpr std::uintptr_t uses_max = slot_mask;

struct Slot {
  std::uintptr_t uses = 1;
  Kind kind{};
  Shared what{};
};

struct Table {
  std::shared_mutex mutex;
  std::vector<Slot> slots;
  std::vector<std::uintptr_t> unused;
};

// Lives for ever: a handle may be closed while the process ends.
Table& table() {
  static Table* const one = new Table;
  return *one;
}

// Null is of no slot, as a handle counts them from one.
Slot* slot_of(Table& table, Kind kind, std::uintptr_t handle) noexcept {
  const std::uintptr_t at = (handle & slot_mask) - 1;
  if (at >= table.slots.size()) return nullptr;
  Slot& slot = table.slots[at];
  const bool same = slot.what != nullptr && slot.kind == kind && slot.uses == handle >> slot_bits;
  return same ? &slot : nullptr;
}

}  // namespace

std::uintptr_t add(Kind kind, Shared what) {
  Table& all = table();
  const std::unique_lock lock(all.mutex);
  if (all.unused.empty()) {
    if (all.slots.size() == slot_mask) throw std::bad_alloc();
    all.unused.reserve(all.slots.size() + 1);  // So that take() needs no memory.
    all.slots.emplace_back();
    all.unused.push_back(all.slots.size() - 1);
  }
  const std::uintptr_t at = all.unused.back();
  all.unused.pop_back();
  Slot& slot = all.slots[at];
  slot.kind = kind;
  slot.what = std::move(what);
  return slot.uses << slot_bits | (at + 1);
}

Shared find(Kind kind, std::uintptr_t handle) noexcept {
  Table& all = table();
  const std::shared_lock lock(all.mutex);
  const Slot* slot = slot_of(all, kind, handle);
  return slot == nullptr ? nullptr : slot->what;
}

Shared take(Kind kind, std::uintptr_t handle) noexcept {
  Table& all = table();
  const std::unique_lock lock(all.mutex);
  Slot* slot = slot_of(all, kind, handle);
  if (slot == nullptr) return nullptr;
  if (slot->uses < uses_max) all.unused.push_back((handle & slot_mask) - 1);
  ++slot->uses;
  return std::exchange(slot->what, nullptr);  // Ends outside of the lock.
}

}  // namespace efface::capi
