// subjects/terms.h -- what a tenant was declared with: its regions, its purposes.
//
// The same terms stand in the keyring of each of the tenant's regions, sealed. A crash between two
// of them leaves one behind: merged() answers the union, and declaring again completes it.
//
// Threads  Values.
// Errors   invalid_argument, too_large, conflict.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/plaintext.h"
#include "efface/result.h"
#include "efface/rights.h"

namespace efface::subjects {

using PurposeNumber = std::uint16_t;  // From 1 to 256; also the label of its scopes.

struct NumberedPurpose {
  PurposeNumber number = 0;
  PurposeTerms terms;
  friend bool operator==(const NumberedPurpose&, const NumberedPurpose&) = default;
};

struct Terms {
  std::string name;
  std::vector<std::string> regions;       // In name order.
  std::vector<NumberedPurpose> purposes;  // By number.
  std::vector<TransferRule> transfers{};
  std::optional<Agreement> agreement{};

  const NumberedPurpose* find(std::string_view purpose_name) const noexcept;
  const NumberedPurpose* find(PurposeNumber number) const noexcept;
  friend bool operator==(const Terms&, const Terms&) = default;
};

codec::Plaintext encode(const Terms& terms);
Result<Terms> decode_terms(Bytes bytes);

// Errors: corruption when two regions give one purpose two meanings.
Result<Terms> merged(const Terms& a, const Terms& b);

// The purpose under those terms: the one that is there, or added with the next number.
// Errors: invalid_argument, conflict, too_large.
Result<PurposeNumber> add_purpose(Terms& terms, const PurposeTerms& purpose);

// Replaces the rule of the same two regions. Errors: invalid_argument, region_unknown, too_large.
Status add_transfer(Terms& terms, const TransferRule& rule);
Status set_agreement(Terms& terms, const Agreement& agreement);

// A text of 0 (or 1) to bytes_max bytes of UTF-8. Errors: invalid_argument, too_large.
enum class Empty : bool { refused, allowed };
Status check_text(std::string_view text, std::size_t bytes_max, Empty empty);

Status check_id(SubjectId id);
Status check_name(RecordName name);

}  // namespace efface::subjects
