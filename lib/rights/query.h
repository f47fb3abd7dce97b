// rights/query.h -- questions across the people of a tenant, from the rows of the key tree and the
// scopes' sealed summaries. There is no index that would outlive a person.
//
// Errors  invalid_argument, transfer_not_permitted; those of the stores.
#pragma once
#include "rights/file.h"

namespace efface::rights {

// As efface::Query, with the purpose's number.
struct Question {
  Query query;
  subjects::PurposeNumber purpose = 0;  // 0: any.
};

// each may be null: matches are counted, and ids not opened.
Result<QueryPage> ask(const std::shared_ptr<access::TenantState>& tenant, const Question& question,
                      const QueryOptions& options,
                      const FunctionRef<void(std::string_view, const access::TenantRegion&)>* each);

Result<ProcessingRecord> processing_record(const std::shared_ptr<access::TenantState>& tenant);

}  // namespace efface::rights
