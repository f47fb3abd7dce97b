// codec/flat.h -- FlatBuffers built in memory that is wiped, for the codecs of this folder only.
//
// Shape  The finished buffer starts its Plaintext, so it is as aligned as new[] makes it.
// Cost   One allocation when the expected size was enough, and one move of the bytes.
#pragma once
#include <flatbuffers/flatbuffers.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/plaintext.h"

namespace efface::codec {

// The builder holds one block at a time, and two while it grows.
class WipingAllocator final : public flatbuffers::Allocator {
 public:
  std::uint8_t* allocate(std::size_t size) override;
  void deallocate(std::uint8_t* block, std::size_t size) override;  // Wiped.

  // The block goes to the caller, who will not deallocate it.
  Plaintext take(const std::uint8_t* block) noexcept;

 private:
  Plaintext& holder_of(const std::uint8_t* block) noexcept;
  std::array<Plaintext, 2> blocks_;
};

// What a small object takes; it grows when it must.
inline constexpr std::size_t usual_bytes = 1024;

class FlatBuilder {
 public:
  explicit FlatBuilder(std::size_t expected_bytes) : builder_(expected_bytes, &allocator_) {}

  flatbuffers::FlatBufferBuilder& operator*() noexcept { return builder_; }
  flatbuffers::FlatBufferBuilder* operator->() noexcept { return &builder_; }

  flatbuffers::Offset<flatbuffers::String> text(std::string_view text) {
    return builder_.CreateString(text.data(), text.size());
  }
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> bytes(Bytes bytes) {
    return builder_.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  template <class Texts>
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>> texts(
      const Texts& texts) {
    std::vector<flatbuffers::Offset<flatbuffers::String>> offsets;
    offsets.reserve(texts.size());
    for (const auto& each : texts) offsets.push_back(text(each));
    return builder_.CreateVector(offsets);
  }

  // At most once, and the last thing that is done with the builder.
  template <class Table>
  Plaintext finish(flatbuffers::Offset<Table> root, const char* identifier) {
    builder_.Finish(root, identifier);
    return release();
  }
  // The same behind its own size (4 bytes), for a stream of them.
  template <class Table>
  Plaintext finish_size_prefixed(flatbuffers::Offset<Table> root, const char* identifier) {
    builder_.FinishSizePrefixed(root, identifier);
    return release();
  }

 private:
  Plaintext release();

  WipingAllocator allocator_;  // Outlives the builder, which gives its block back at the end.
  flatbuffers::FlatBufferBuilder builder_;
};

inline std::string_view view(const flatbuffers::String* text) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}
inline Bytes view(const flatbuffers::Vector<std::uint8_t>* bytes) noexcept {
  return bytes == nullptr ? Bytes()
                          : Bytes(reinterpret_cast<const std::byte*>(bytes->data()), bytes->size());
}

// Offsets in a buffer are relative to its start, and so is the verifier's idea of alignment.
inline bool is_aligned(Bytes buffer) noexcept {
  return reinterpret_cast<std::uintptr_t>(buffer.data()) % alignof(std::uint64_t) == 0;
}
inline flatbuffers::Verifier verifier(Bytes buffer) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(buffer.data()), buffer.size()};
}

}  // namespace efface::codec
