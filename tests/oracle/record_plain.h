// oracle/record_plain.h -- what an opened record or a person's opened file says.
#pragma once
#include <string>
#include <vector>

#include "oracle/disclosure.h"

namespace disclosure {

// Its name and its value; answers whether it is a record.
bool read_record(Bytes plain, bool compressed, std::string& name, std::string& value);

// Evidence, bases and reasons of holds, further identifiers; answers whether it is a file.
bool read_dossier(Bytes plain, std::vector<std::string>& texts);

}  // namespace disclosure
