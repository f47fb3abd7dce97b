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

// What the rows of some people say, without their keys: those of a run of leaves.
class People {
 public:
  struct Scope {
    std::size_t person;
    keyring::Label label;
    std::uint16_t flags;
  };
  struct Rows {
    std::uint32_t leaf;
    keyring::Tag tag;
    std::optional<keyring::Handle> handle{};  // Nothing: nobody, or on her way here.
    std::uint16_t flags = 0;
    std::size_t first_scope;  // Of those of her leaf, hers among them.
    std::size_t scopes_end = 0;
  };

  // From `first` on.
  Result<keyring::Keyring::Walked> read(const TenantRegion& home, std::uint32_t first) {
    people_.clear();
    scopes_.clear();
    leaf_begin_ = scopes_begin_ = 0;
    EFFACE_ASSIGN(const auto walked,
                  home.region->keyring->walk_leaves(
                      home.people(), first,
                      [&](std::uint32_t leaf, keyring::RowView row) { take(leaf, row); }));
    end_leaf();
    return walked;
  }

  std::span<const Rows> all() const noexcept { return people_; }
  // Calls look with each scope of somebody until it answers true, or an error.
  Result<bool> any_scope(const Rows& rows, FunctionRef<Result<bool>(const Scope&)> look) const {
    const std::size_t person = static_cast<std::size_t>(&rows - people_.data());
    for (std::size_t i = rows.first_scope; i < rows.scopes_end; ++i) {
      if (scopes_[i].person != person) continue;
      EFFACE_ASSIGN(const bool one, look(scopes_[i]));
      if (one) return true;
    }
    return false;
  }

 private:
  void take(std::uint32_t leaf, keyring::RowView row) {
    if (leaf_begin_ < people_.size() && people_[leaf_begin_].leaf != leaf) end_leaf();
    const keyring::Tag tag = row.tag();
    std::size_t person = leaf_begin_;
    while (person < people_.size() && people_[person].tag != tag) ++person;
    if (person == people_.size())
      people_.push_back({.leaf = leaf, .tag = tag, .first_scope = scopes_begin_});
    if (keyring::is_scope_in_use(row.label()))
      scopes_.push_back({person, row.label(), row.flags()});
    if (row.label() != keyring::person) return;
    people_[person].flags = row.flags();
    if ((row.flags() & keyring::flag_incoming) == 0) people_[person].handle = row.handle();
  }
  void end_leaf() {
    for (; leaf_begin_ < people_.size(); ++leaf_begin_)
      people_[leaf_begin_].scopes_end = scopes_.size();
    scopes_begin_ = scopes_.size();
  }

  std::vector<Rows> people_;
  std::vector<Scope> scopes_;
  std::size_t leaf_begin_ = 0;
  std::size_t scopes_begin_ = 0;
};

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
Result<bool> scope_matches(const Question& question, FunctionRef<Person()> person,
                           const People::Scope& scope) {
  const Query& query = question.query;
  if (question.purpose != 0 && scope.label != question.purpose) return false;
  if (query.consent && has(scope.flags, keyring::flag_granted) != *query.consent) return false;
  if (query.objected && has(scope.flags, keyring::flag_objected) != *query.objected) return false;
  if (!needs_summary(query)) return true;
  const Person who = person();
  const auto keys = access::keys_of(who);
  if (!keys && keys.error().code() == Errc::subject_erased) return false;
  EFFACE_TRY(keys);
  const keyring::Row* row = (*keys)->find(scope.label);
  if (row == nullptr) return false;
  EFFACE_ASSIGN(const access::Summary summary, access::read_summary(who, **keys, *row));
  return summary_matches(query, summary);
}

Result<bool> matches(const Question& question, const People& people, const People::Rows& rows,
                     FunctionRef<Person()> person) {
  const Query& query = question.query;
  const auto restricted = has(rows.flags, keyring::flag_restricted | keyring::flag_leaving);
  if (query.restricted && restricted != *query.restricted) return false;
  if (query.held && has(rows.flags, keyring::flag_held) != *query.held) return false;
  if (!asks_of_scopes(question)) return true;
  bool has_purpose = false;
  EFFACE_ASSIGN(const bool found, people.any_scope(rows, [&](const People::Scope& scope) {
    has_purpose = has_purpose || scope.label == question.purpose;
    return scope_matches(question, person, scope);
  }));
  // Who has nothing there has not consented to it.
  return found || (query.consent && !*query.consent && !has_purpose);
}

struct Cursor {
  std::size_t region = 0;
  std::uint32_t leaf = 0;
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

QueryPage end_at(QueryPage page, const Cursor& next) {
  page.cursor = std::to_string(next.region) + '.' + std::to_string(next.leaf);
  return page;
}

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
  People people;
  std::optional<Cursor> last;  // Leaf that was looked at: a page ends between two.
  const auto is_full = [&] { return last && page.matches >= options.limit; };
  for (; at.region < tenant->regions().size(); ++at.region, at.leaf = 0) {
    const TenantRegion& home = tenant->regions()[at.region];
    if (!home.region->open) continue;
    EFFACE_TRY(tenant->check_residency(home));
    for (std::uint32_t leaves = at.leaf + 1; at.leaf < leaves;) {
      if (is_full()) return end_at(std::move(page), at);
      EFFACE_ASSIGN(const auto walked, people.read(home, at.leaf));
      for (const People::Rows& rows : people.all()) {
        const Cursor here{at.region, rows.leaf};
        if (is_full() && *last != here) return end_at(std::move(page), here);
        last = here;
        if (!rows.handle) continue;
        const auto person = [&] { return Person{tenant, &home, rows.tag, *rows.handle}; };
        EFFACE_ASSIGN(const bool match, matches(question, people, rows, person));
        if (!match) continue;
        if (each != nullptr) {
          EFFACE_ASSIGN(const auto id, id_unless_gone(person()));
          if (!id) continue;
          (*each)(as_text(id->bytes()), home);
        }
        ++page.matches;
      }
      at.leaf = walked.next;
      leaves = walked.leaves;
    }
  }
  return page;
}

namespace {

Status add_scope(const Person& person, const keyring::Keys& keys, const People::Scope& scope,
                 ProcessingRecord::Entry& entry, std::set<std::string>& recipients) {
  ++entry.people;
  entry.consents += has(scope.flags, keyring::flag_granted) ? 1 : 0;
  entry.objections += has(scope.flags, keyring::flag_objected) ? 1 : 0;
  const keyring::Row* row = keys.find(scope.label);
  if (row == nullptr) return {};
  EFFACE_ASSIGN(const access::Summary summary, access::read_summary(person, keys, *row));
  entry.automated_decisions = entry.automated_decisions || summary.automated;
  for (const std::string_view recipient : summary.recipients) recipients.emplace(recipient);
  return {};
}

}  // namespace

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
    People people;
    for (std::uint32_t leaf = 0, leaves = 1; leaf < leaves;) {
      EFFACE_ASSIGN(const auto walked, people.read(home, leaf));
      leaf = walked.next;
      leaves = walked.leaves;
      for (const People::Rows& rows : people.all()) {
        if (!rows.handle) continue;
        ++record.people;
        record.people_restricted += has(rows.flags, keyring::flag_restricted) ? 1 : 0;
        record.people_held += has(rows.flags, keyring::flag_held) ? 1 : 0;
        const Person person{tenant, &home, rows.tag, *rows.handle};
        const auto keys = access::keys_of(person);
        if (!keys && keys.error().code() == Errc::subject_erased) continue;
        EFFACE_TRY(keys);
        EFFACE_TRY(people.any_scope(rows, [&](const People::Scope& scope) -> Result<bool> {
          EFFACE_TRY(
              add_scope(person, **keys, scope, entries[scope.label], recipients[scope.label]));
          return false;
        }));
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
