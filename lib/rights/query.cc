#include "rights/query.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "access/person_records.h"
#include "access/summary.h"
#include "base/check.h"

namespace efface::rights {
namespace {

using access::TenantRegion;
using access::TenantState;

// What the rows of one person say, without her keys.
struct Rows {
  struct Scope {
    keyring::Label label;
    std::uint16_t flags;
  };
  keyring::Tag tag{};
  std::optional<keyring::Handle> handle{};  // Nothing: nobody, or on her way here.
  std::uint16_t flags = 0;
  std::vector<Scope> scopes{};
};

// The people of one leaf. Answers how many leaves there are.
Result<std::uint32_t> people_of(const TenantRegion& home, std::uint32_t leaf,
                                std::vector<Rows>& into) {
  std::map<keyring::Tag, Rows> people;
  EFFACE_ASSIGN(const std::uint32_t leaves,
                home.region->keyring->walk_leaf(home.people(), leaf, [&](keyring::RowView row) {
                  Rows& rows = people[row.tag()];
                  rows.tag = row.tag();
                  if (keyring::is_scope_in_use(row.label()))
                    rows.scopes.push_back({row.label(), row.flags()});
                  if (row.label() != keyring::person) return;
                  rows.flags = row.flags();
                  if ((row.flags() & keyring::flag_incoming) == 0) rows.handle = row.handle();
                }));
  for (auto& [tag, rows] : people)
    if (rows.handle) into.push_back(std::move(rows));
  return leaves;
}

bool has(std::uint16_t flags, std::uint16_t flag) noexcept { return (flags & flag) != 0; }

bool needs_summary(const Query& query) noexcept {
  return !query.recipient.empty() || query.automated_decision || query.expires_before ||
         query.not_updated_since;
}

bool asks_of_scopes(const Question& question) noexcept {
  return question.purpose != 0 || question.query.objected || needs_summary(question.query);
}

std::int64_t day_of(TimePoint when) noexcept {
  return std::chrono::floor<records::DayNumber>(when.time_since_epoch()).count();
}

bool summary_matches(const Query& query, const access::Summary& summary) {
  if (!query.recipient.empty() &&
      std::ranges::find(summary.recipients, query.recipient) == summary.recipients.end())
    return false;
  if (query.automated_decision && !summary.automated) return false;
  // A record of a day expires at its end.
  if (query.expires_before &&
      (summary.earliest >= records::last_day ||
       records::expiry_ms(summary.earliest) > records::to_ms(*query.expires_before)))
    return false;
  return !query.not_updated_since ||
         std::int64_t{summary.written_day} < day_of(*query.not_updated_since);
}

// A scope that goes meanwhile matches nothing.
Result<bool> scope_matches(const Question& question, const Person& person,
                           const Rows::Scope& scope) {
  const Query& query = question.query;
  if (question.purpose != 0 && scope.label != question.purpose) return false;
  if (query.consent && has(scope.flags, keyring::flag_granted) != *query.consent) return false;
  if (query.objected && has(scope.flags, keyring::flag_objected) != *query.objected) return false;
  if (!needs_summary(query)) return true;
  const auto keys = access::keys_of(person);
  if (!keys && keys.error().code() == Errc::subject_erased) return false;
  EFFACE_TRY(keys);
  const keyring::Row* row = (*keys)->find(scope.label);
  if (row == nullptr) return false;
  EFFACE_ASSIGN(const access::Summary summary, access::read_summary(person, **keys, *row));
  return summary_matches(query, summary);
}

Result<bool> matches(const Question& question, const Person& person, const Rows& rows) {
  const Query& query = question.query;
  const auto restricted = has(rows.flags, keyring::flag_restricted | keyring::flag_leaving);
  if (query.restricted && restricted != *query.restricted) return false;
  if (query.held && has(rows.flags, keyring::flag_held) != *query.held) return false;
  if (!asks_of_scopes(question)) return true;
  const auto of_purpose = [&](const Rows::Scope& scope) { return scope.label == question.purpose; };
  if (query.consent && !*query.consent && std::ranges::none_of(rows.scopes, of_purpose))
    return true;
  for (const Rows::Scope& scope : rows.scopes) {
    EFFACE_ASSIGN(const bool one, scope_matches(question, person, scope));
    if (one) return true;
  }
  return false;
}

struct Cursor {
  std::size_t region = 0;
  std::uint32_t leaf = 0;
};

Result<Cursor> read_cursor(std::string_view text) {
  Cursor cursor;
  if (text.empty()) return cursor;
  const char* const end = text.data() + text.size();
  const auto region = std::from_chars(text.data(), end, cursor.region);
  if (region.ec == std::errc() && region.ptr != end && *region.ptr == '.') {
    const auto leaf = std::from_chars(region.ptr + 1, end, cursor.leaf);
    if (leaf.ec == std::errc() && leaf.ptr == end) return cursor;
  }
  return Error(Errc::invalid_argument, "that is no cursor of a page before");
}

// Her id; nothing when she went meanwhile, or a crash kept it from being stored.
Result<std::optional<codec::Plaintext>> id_unless_gone(const Person& person) {
  auto id = access::id_of(person);
  if (id) return std::optional<codec::Plaintext>(*std::move(id));
  const Errc code = id.error().code();
  if (code == Errc::subject_erased || code == Errc::corruption)
    return std::optional<codec::Plaintext>();
  return id.error();
}

}  // namespace

Result<QueryPage> ask(
    const std::shared_ptr<TenantState>& tenant, const Question& question,
    const QueryOptions& options,
    const FunctionRef<void(std::string_view, const access::TenantRegion&)>* each) {
  EFFACE_TRY(tenant->check_here());
  if (question.query.consent && question.purpose == 0)
    return Error(Errc::invalid_argument, "consent is asked of a purpose");
  EFFACE_ASSIGN(Cursor at, read_cursor(options.cursor));
  QueryPage page;
  for (; at.region < tenant->regions().size(); ++at.region, at.leaf = 0) {
    const TenantRegion& home = tenant->regions()[at.region];
    if (!home.region->open) continue;
    EFFACE_TRY(tenant->check_residency(home));
    for (std::uint32_t leaves = at.leaf + 1; at.leaf < leaves; ++at.leaf) {
      if (page.matches >= options.limit) {
        page.cursor = std::to_string(at.region) + '.' + std::to_string(at.leaf);
        return page;
      }
      std::vector<Rows> people;
      EFFACE_ASSIGN(leaves, people_of(home, at.leaf, people));
      for (const Rows& rows : people) {
        const Person person{tenant, &home, rows.tag, *rows.handle};
        EFFACE_ASSIGN(const bool match, matches(question, person, rows));
        if (!match) continue;
        if (each != nullptr) {
          EFFACE_ASSIGN(const auto id, id_unless_gone(person));
          if (!id) continue;
          (*each)(as_text(id->bytes()), home);
        }
        ++page.matches;
      }
    }
  }
  return page;
}

Result<ProcessingRecord> processing_record(const std::shared_ptr<TenantState>& tenant) {
  EFFACE_TRY(tenant->check_here());
  const subjects::Terms terms = tenant->terms();
  ProcessingRecord record;
  record.tenant = terms.name;
  record.regions = terms.regions;
  record.agreement = terms.agreement;
  record.transfers = terms.transfers;
  std::map<keyring::Label, ProcessingRecord::Entry> entries;
  std::map<keyring::Label, std::set<std::string>> recipients;
  for (const auto& purpose : terms.purposes) entries[purpose.number].terms = purpose.terms;
  for (const TenantRegion& home : tenant->regions()) {
    if (!home.region->open)
      return Error(Errc::region_not_open, "the record needs all of the tenant's regions open");
    std::uint32_t leaves = 1;
    for (std::uint32_t leaf = 0; leaf < leaves; ++leaf) {
      std::vector<Rows> people;
      EFFACE_ASSIGN(leaves, people_of(home, leaf, people));
      for (const Rows& rows : people) {
        ++record.people;
        record.people_restricted += has(rows.flags, keyring::flag_restricted) ? 1 : 0;
        record.people_held += has(rows.flags, keyring::flag_held) ? 1 : 0;
        const auto keys = access::keys_of({tenant, &home, rows.tag, *rows.handle});
        if (!keys && keys.error().code() == Errc::subject_erased) continue;
        EFFACE_TRY(keys);
        for (const Rows::Scope& scope : rows.scopes) {
          ProcessingRecord::Entry& entry = entries[scope.label];
          ++entry.people;
          entry.consents += has(scope.flags, keyring::flag_granted) ? 1 : 0;
          entry.objections += has(scope.flags, keyring::flag_objected) ? 1 : 0;
          const keyring::Row* row = (*keys)->find(scope.label);
          if (row == nullptr) continue;
          EFFACE_ASSIGN(
              const access::Summary summary,
              access::read_summary({tenant, &home, rows.tag, *rows.handle}, **keys, *row));
          entry.automated_decisions = entry.automated_decisions || summary.automated;
          for (const std::string_view recipient : summary.recipients)
            recipients[scope.label].emplace(recipient);
        }
      }
    }
  }
  for (auto& [label, entry] : entries) {
    const auto& to = recipients[label];
    entry.recipients.assign(to.begin(), to.end());
    record.purposes.push_back(std::move(entry));
  }
  return record;
}

}  // namespace efface::rights
