// codec/allocation_count.h -- how often this thread asked for memory with operator new.
#pragma once
#include <cstddef>

namespace efface::test {

std::size_t allocation_count() noexcept;

}  // namespace efface::test
