// codec/plaintext.h -- a buffer for personal data in clear: wiped when it ends, however it ends.
//
// It is ordinary heap memory (records are up to 16 MiB; locked memory is for keys).
#pragma once
#include <cstddef>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace efface::codec {

class Plaintext {
 public:
  Plaintext() noexcept = default;
  explicit Plaintext(std::size_t size) : data_(new std::byte[size]), size_(size), capacity_(size) {}
  Plaintext(Plaintext&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Plaintext& operator=(Plaintext&& other) noexcept {
    if (this != &other) {
      clear();
      data_ = std::move(other.data_);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  ~Plaintext() { clear(); }

  // Afterwards size() is size; the content is unspecified. Grows at most, so scratch can be reused.
  void reset(std::size_t size) {
    if (size > capacity_) *this = Plaintext(size);
    size_ = size;
  }
  void shrink(std::size_t size) noexcept { size_ = size < size_ ? size : size_; }
  void clear() noexcept {
    if (data_) crypto::wipe({data_.get(), capacity_});
    data_.reset();
    size_ = capacity_ = 0;
  }

  std::byte* data() noexcept { return data_.get(); }
  const std::byte* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  MutableBytes bytes() noexcept { return {data_.get(), size_}; }
  Bytes bytes() const noexcept { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace efface::codec
