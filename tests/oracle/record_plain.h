// oracle/record_plain.h -- name and value out of an opened record, by a FlatBuffers reader of these
// tests' own: it knows one table and two of its fields.
#pragma once
#include <string>

#include "oracle/disclosure.h"

namespace disclosure {

// Answers false, and leaves both empty, when the bytes are no record.
bool read_record(Bytes plain, bool compressed, std::string& name, std::string& value);

}  // namespace disclosure
