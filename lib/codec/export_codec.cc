#include "codec/export_codec.h"

#include "base/check.h"

namespace efface::codec {

void ExportWriter::enter(Part part) {
  EFFACE_CHECK(part_ != Part::none && part_ <= part);
  part_ = part;
}

Status ExportWriter::begin(const ExportPerson& person) {
  EFFACE_CHECK(part_ == Part::none);
  part_ = Part::records;
  counts_ = {};
  return put(person);
}

Status ExportWriter::record(const ExportRecord& record) {
  enter(Part::records);
  ++counts_.records;
  return put(record);
}

Status ExportWriter::event(const ExportEvent& event) {
  enter(Part::events);
  ++counts_.events;
  return put(event);
}

Status ExportWriter::hold(const ExportHold& hold) {
  enter(Part::holds);
  ++counts_.holds;
  return put(hold);
}

Status ExportWriter::end() {
  EFFACE_CHECK(part_ != Part::none);
  part_ = Part::none;
  return put(counts_);
}

}  // namespace efface::codec
