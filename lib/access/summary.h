// access/summary.h -- what a scope's records have in common, in one sealed record beside them.
//
// Its name is empty, which no other record's is. It answers questions across people without opening
// their records: to whom anything was disclosed, whether anything was decided by a machine, when it
// expires, when the scope was last written (to the day). It only ever grows: what a removed record
// said of recipients stays said until the scope goes.
#pragma once
#include "access/access.h"

namespace efface::access {

struct Summary {
  codec::Plaintext plain;  // Where the recipients lie.
  std::vector<std::string_view> recipients{};
  bool automated = false;
  records::Bucket earliest = records::never;  // Of the days on which records expire.
  records::Bucket latest = 0;                 // never: some never do. 0: there are none.
  std::uint32_t written_day = 0;              // Since 1970; 0: never.
};

// Of a scope, or of its successor. An empty one where nothing was written yet.
Result<Summary> read_summary(const Person& person, const keyring::Keys& keys,
                             const keyring::Row& scope);

// What a summary, opened as the record that it is, says of its scope.
Result<SummaryChange> summary_as_change(records::OpenRecord record);

// The same of one scope, its successor not looked at. Nothing was written: nothing changes.
Result<SummaryChange> summary_of(const Person& person, const keyring::Keys& keys,
                                 const keyring::Row& scope);

// Appends what brings the summary of a person's scope up to date, if anything has to change.
Status seal_summary(const Person& person, const keyring::Keys& keys, const keyring::Row& scope,
                    const SummaryChange& change, std::vector<records::Change>& into);

}  // namespace efface::access
