// capi/boundary.h -- between C and the library: handles, structures, slices, and what is answered.
//
// Errors  invalid_argument for whatever is null, closed, of another kind, or of a size that is
//         none; unsupported for what a later version may know.
#pragma once
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "capi/table.h"
#include "efface/capi.h"
#include "efface/efface.h"

namespace efface::capi {

// Outlive whatever was obtained from a store: so each handle has them.
using RootKeys = std::vector<std::shared_ptr<FileRootKeyStore>>;
template <class T>
struct Of {
  RootKeys root_keys;
  T value;
};

// One for each handle of the C interface: what stands behind it.
template <class Handle>
struct Behind;
template <>
struct Behind<efface_root_keys> {
  using Type = Of<std::shared_ptr<FileRootKeyStore>>;
  static constexpr Kind kind = Kind::root_keys;
};
template <>
struct Behind<efface_store> {
  using Type = Of<Store>;
  static constexpr Kind kind = Kind::store;
};
template <>
struct Behind<efface_tenant> {
  using Type = Of<Tenant>;
  static constexpr Kind kind = Kind::tenant;
};
template <>
struct Behind<efface_activity> {
  using Type = Of<Activity>;
  static constexpr Kind kind = Kind::activity;
};
template <>
struct Behind<efface_sealer> {
  using Type = Of<Sealer>;
  static constexpr Kind kind = Kind::sealer;
};
template <>
struct Behind<efface_subject> {
  using Type = Of<Subject>;
  static constexpr Kind kind = Kind::subject;
};

// Bytes that are given out: each of these kinds is wiped, or no secret.
struct GivenOut {
  virtual ~GivenOut() = default;
  virtual Bytes bytes() const noexcept = 0;
};
template <>
struct Behind<efface_buffer> {
  using Type = std::unique_ptr<const GivenOut>;
  static constexpr Kind kind = Kind::buffer;
};

template <class Handle>
using Found = std::shared_ptr<typename Behind<Handle>::Type>;

template <class Handle>
Result<Found<Handle>> found(Handle* handle) {
  Shared what = find(Behind<Handle>::kind, reinterpret_cast<std::uintptr_t>(handle));
  if (what == nullptr) return Error(Errc::invalid_argument, "a handle is null, closed or no such");
  return std::static_pointer_cast<typename Behind<Handle>::Type>(std::move(what));
}

template <class Handle>
Status give(typename Behind<Handle>::Type what, Handle** out) {
  auto shared = std::make_shared<typename Behind<Handle>::Type>(std::move(what));
  *out = reinterpret_cast<Handle*>(add(Behind<Handle>::kind, std::move(shared)));
  return {};
}
// Text or sealed bytes.
Status give_plain(Bytes bytes, efface_buffer** out);
// What wipes itself.
template <class T>
Status give_secret(T secret, efface_buffer** out) {
  struct Secret final : GivenOut {
    explicit Secret(T of) : value(std::move(of)) {}
    Bytes bytes() const noexcept override { return value.bytes(); }
    T value;
  };
  return give(std::make_unique<const Secret>(std::move(secret)), out);
}

template <class Handle>
Status close(Handle* handle) {
  if (handle == nullptr) return {};
  if (take(Behind<Handle>::kind, reinterpret_cast<std::uintptr_t>(handle)) != nullptr) return {};
  return Error(Errc::invalid_argument, "a handle is closed or no such");
}

// ---- what is given ----

Result<Bytes> bytes_of(efface_slice slice);
Result<std::string_view> text_of(efface_slice slice);
Status check_flags(std::uint32_t flags, std::uint32_t known);
// Whether all of these bytes, which a later version may know, are zero.
bool says_nothing(const void* from, std::size_t size) noexcept;

inline constexpr std::size_t structure_bytes_max = 4'096;

// What a structure of options had before members were added.
template <class T>
inline constexpr std::size_t first_size = sizeof(T);
template <>
inline constexpr std::size_t first_size<efface_store_options> =
    offsetof(efface_store_options, hooks);

template <class T>
Status check_size(const T* structure, std::size_t size_min = sizeof(T)) {
  if (structure == nullptr) return Error(Errc::invalid_argument, "a structure is null");
  const std::size_t size = structure->size;
  if ((size < sizeof(T) && size != size_min) || size > structure_bytes_max)
    return Error(Errc::invalid_argument, "a structure's size is none: use EFFACE_SIZED");
  return {};
}
template <class T>
Result<T> read(const T* options) {
  EFFACE_TRY(check_size(options, first_size<T>));
  const std::size_t known = std::min(options->size, sizeof(T));
  if (!says_nothing(reinterpret_cast<const char*>(options) + known, options->size - known))
    return Error(Errc::unsupported, "a structure says more than this version knows");
  T all{};
  std::memcpy(&all, options, known);
  return all;
}

// ---- what is told meanwhile ----

// Whether this thread is within a hook, from which nothing here may be called.
bool in_hook() noexcept;
Status set_hooks(const efface_hooks* given, OpenOptions& options);

// ---- what is answered ----

efface_status told(const Status& status) noexcept;

template <class Body>
efface_status answer(Body&& body) noexcept {
  const int before = errno;
  efface_status status = EFFACE_OK;
  try {
    status = told(in_hook() ? Error(Errc::invalid_argument, "called from a hook") : body());
  } catch (const std::bad_alloc&) {
    status = told(Error(Errc::out_of_memory, "the system has no more memory"));
  } catch (const std::length_error&) {
    status = told(Error(Errc::out_of_memory, "the system has no more memory"));
  }
  errno = before;
  return status;
}
// The same for what gives a handle out: null, unless it succeeds.
template <class Handle, class Body>
efface_status giving(Handle** out, Body&& body) noexcept {
  if (out != nullptr) *out = nullptr;
  return answer([&]() -> Status {
    if (out == nullptr) return Error(Errc::invalid_argument, "nowhere to give a handle to");
    return body();
  });
}

Status tell(const Erasure& erasure, efface_erasure* done);

}  // namespace efface::capi
