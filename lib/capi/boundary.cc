#include "capi/boundary.h"

#include <algorithm>

namespace efface::capi {
namespace {

struct LastError {
  const char* note = "";
  int system_code = 0;
};
thread_local LastError last_error;

}  // namespace

Status give_plain(Bytes bytes, efface_buffer** out) {
  struct Plain final : GivenOut {
    explicit Plain(Bytes of) : value(of.begin(), of.end()) {}
    Bytes bytes() const noexcept override { return value; }
    std::vector<std::byte> value;
  };
  return give(Behind<efface_buffer>::Type(std::make_unique<const Plain>(bytes)), out);
}

Result<Bytes> bytes_of(efface_slice slice) {
  if (slice.data == nullptr && slice.size != 0)
    return Error(Errc::invalid_argument, "a slice is null and has a size");
  return Bytes(static_cast<const std::byte*>(slice.data), slice.size);
}

Result<std::string_view> text_of(efface_slice slice) {
  EFFACE_ASSIGN(const Bytes bytes, bytes_of(slice));
  return as_text(bytes);
}

Status check_flags(std::uint32_t flags, std::uint32_t known) {
  if ((flags & ~known) == 0) return {};
  return Error(Errc::unsupported, "a flag is none that this version knows");
}

bool says_nothing(const void* from, std::size_t size) noexcept {
  const auto* bytes = static_cast<const std::byte*>(from);
  return std::all_of(bytes, bytes + size, [](std::byte b) { return b == std::byte{0}; });
}

efface_status told(const Status& status) noexcept {
  if (status) return EFFACE_OK;
  const Error error = status.error();
  last_error = {error.note(), error.system_code()};
  return static_cast<efface_status>(error.code());
}

Status tell(const Erasure& erasure, efface_erasure* done) {
  if (done == nullptr) return {};
  const std::size_t size = done->size;
  std::fill_n(reinterpret_cast<std::byte*>(done), size, std::byte{0});
  done->size = size;
  done->erased = erasure.erased;
  done->unknown = erasure.unknown;
  done->held = erasure.held;
  done->shared = erasure.shared;
  if (erasure.receipts.empty()) return {};
  const ReceiptTicket& ticket = erasure.receipts.front();
  done->has_receipt = 1;
  done->entry = ticket.entry;
  std::copy_n(ticket.region.data(), std::min(ticket.region.size(), sizeof done->region - 1),
              done->region);
  std::memcpy(done->salt, ticket.salt.data(), sizeof done->salt);
  return {};
}

}  // namespace efface::capi

using namespace efface;

const char* efface_status_name(efface_status status) {
  return status == EFFACE_OK ? "ok" : name(static_cast<Errc>(status));
}
const char* efface_last_note(void) { return capi::last_error.note; }
int32_t efface_last_system_code(void) { return capi::last_error.system_code; }

efface_slice efface_buffer_bytes(efface_buffer* buffer) {
  const auto found = capi::found(buffer);
  if (!found) return {nullptr, 0};
  const Bytes bytes = (**found)->bytes();
  return {bytes.data(), bytes.size()};
}

efface_status efface_root_keys_close(efface_root_keys* root_keys) {
  return capi::answer([&] { return capi::close(root_keys); });
}
efface_status efface_store_close(efface_store* store) {
  return capi::answer([&] { return capi::close(store); });
}
efface_status efface_tenant_close(efface_tenant* tenant) {
  return capi::answer([&] { return capi::close(tenant); });
}
efface_status efface_activity_close(efface_activity* activity) {
  return capi::answer([&] { return capi::close(activity); });
}
efface_status efface_sealer_close(efface_sealer* sealer) {
  return capi::answer([&] { return capi::close(sealer); });
}
efface_status efface_subject_close(efface_subject* subject) {
  return capi::answer([&] { return capi::close(subject); });
}
efface_status efface_buffer_close(efface_buffer* buffer) {
  return capi::answer([&] { return capi::close(buffer); });
}
