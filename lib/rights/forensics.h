// rights/forensics.h -- what of any files the keys of today still open.
//
// Every file is read once, and what looks sealed is tried with the keys of who lives. Then what old
// pages of keyrings give away is followed to its end (keyring/images.h); should that be a row that
// is not there today, files in which something is still shut are read once more.
//
// Threads  While the store is used. Errors  those of reading the store; store_missing, unsafe_path:
//          of a place. A file that cannot be read is counted, and passed over.
#pragma once
#include <filesystem>
#include <span>

#include "access/site.h"
#include "efface/forensics.h"

namespace efface::rights {

Result<ForensicsReport> forensics(const access::Site& site,
                                  std::span<const std::filesystem::path> places,
                                  const ForensicsOptions& options);

}  // namespace efface::rights
