// rights/export.h -- all that is known of a person, for her [15, 20]; and of all people of a
// tenant, for whoever it goes to [28(3)(g)].
//
// No purpose is asked for, and neither a restriction nor a hold refuses it. Where the data may be
// read from does. What is past its day is left out, unless a hold keeps it.
//
// Threads  Shared. The sink runs with no transaction open, and must not re-key a scope.
// Errors   subject_erased when she is erased meanwhile: no byte of hers reaches the sink after it.
//          transfer_not_permitted; what the sink answers.
// Cost     64 KiB, sealed 192 KiB; one record; of all people also four bytes for every 20 of them.
#pragma once
#include "efface/portability.h"
#include "rights/file.h"

namespace efface::rights {

Status export_person(const Acting& acting, const Person& person, const ExportOptions& options,
                     ExportSink sink);

// Answers how many. Who is enrolled meanwhile may be missing. Errors: region_not_open;
// transfer_pending when somebody was transferred or merged meanwhile: she may be missing.
Result<std::uint64_t> export_people(const Acting& acting, const ExportOptions& options,
                                    ExportSink sink);

}  // namespace efface::rights
