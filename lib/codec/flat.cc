#include "codec/flat.h"

#include "base/check.h"

namespace efface::codec {

std::uint8_t* WipingAllocator::allocate(std::size_t size) {
  Plaintext& free = blocks_[0].data() == nullptr ? blocks_[0] : blocks_[1];
  EFFACE_CHECK(free.data() == nullptr);
  free = Plaintext(size);
  return reinterpret_cast<std::uint8_t*>(free.data());
}

void WipingAllocator::deallocate(std::uint8_t* block, std::size_t) { holder_of(block).clear(); }

Plaintext WipingAllocator::take(const std::uint8_t* block) noexcept {
  return std::move(holder_of(block));
}

Plaintext& WipingAllocator::holder_of(const std::uint8_t* block) noexcept {
  const auto* const data = reinterpret_cast<const std::byte*>(block);
  Plaintext& holder = blocks_[0].data() == data ? blocks_[0] : blocks_[1];
  EFFACE_CHECK(holder.data() == data && data != nullptr);
  return holder;
}

Plaintext FlatBuilder::release() {
  std::size_t block_bytes = 0;
  std::size_t offset = 0;
  const std::uint8_t* const block = builder_.ReleaseRaw(block_bytes, offset);
  Plaintext out = allocator_.take(block);
  std::memmove(out.data(), out.data() + offset, block_bytes - offset);
  out.shrink(block_bytes - offset);
  return out;
}

}  // namespace efface::codec
