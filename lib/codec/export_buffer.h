// codec/export_buffer.h -- 64 KiB of an export on its way to the sink, in memory that is wiped.
//
// The first error stays: what is added after it goes nowhere.
#pragma once
#include <cstring>
#include <optional>

#include "codec/export_codec.h"

namespace efface::codec {

class ExportBuffer {
 public:
  explicit ExportBuffer(ExportSink sink) : sink_(std::move(sink)), bytes_(export_buffer_bytes) {}

  void add(Bytes more) {
    if (more.size() > bytes_.size() - used_) flush();
    if (more.size() > bytes_.size()) return pass(more);  // Without a copy.
    if (!more.empty()) std::memcpy(bytes_.data() + used_, more.data(), more.size());
    used_ += more.size();
  }
  void add(std::string_view more) { add(as_bytes(more)); }
  void flush() {
    if (used_ > 0) pass(bytes_.bytes().first(used_));
    used_ = 0;
  }
  void fail(Error error) {
    if (!failed_) failed_ = error;
  }
  Status status() const { return failed_ ? Status(*failed_) : Status(); }

 private:
  void pass(Bytes bytes) {
    if (failed_) return;
    if (const Status taken = sink_(bytes); !taken) failed_ = taken.error();
  }

  ExportSink sink_;
  Plaintext bytes_;
  std::size_t used_ = 0;
  std::optional<Error> failed_;
};

}  // namespace efface::codec
