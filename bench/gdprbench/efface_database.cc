// gdprbench/efface_database.cc -- a record is a record of its person, in the scope of its purpose.
//
// Who has which purpose, and what was disclosed to whom, is asked of the store (Tenant::query).
// Fields that have no native place are in the value. Every access of efface names the person and
// the purpose: for a key alone the client's memory knows them.
#include <optional>

#include "gdprbench/database.h"
#include "support/must.h"
#include "support/people.h"

namespace efface::bench::gdpr {
namespace {

constexpr char separator = '\n';

std::string packed(const Row& row) {
  std::string out;
  for (std::size_t f = 0; f < field_count; ++f)
    out.append(value_text(static_cast<Field>(f), row.values[f])) += separator;
  return out + row.data;
}

Row unpacked(std::string_view name, std::string_view value) {
  Row row;
  row.key = key_number(name);
  for (std::size_t f = 0; f < field_count; ++f) {
    const std::size_t end = value.find(separator);
    row.values[f] = value_number(static_cast<Field>(f), value.substr(0, end));
    value.remove_prefix(end + 1);
  }
  row.data = value;
  return row;
}

class EffaceDatabase final : public Database {
 public:
  EffaceDatabase() {
    for (std::uint32_t value = 0; value < value_count(Field::pur); ++value) {
      const Purpose purpose =
          must(people_.tenant().declare_purpose({value_text(Field::pur, value)}));
      purposes_.push_back(purpose);
      activities_.push_back(must(people_.tenant().activity(purpose)));
    }
    std::vector<SubjectId> ids;
    for (std::uint32_t value = 0; value < value_count(Field::usr); ++value)
      ids.emplace_back(value_text(Field::usr, value));
    subjects_ = must(people_.tenant().find_or_enrol(ids, people_.region()));
  }

  void load(std::span<const Row> rows) override { put_all(rows); }
  void insert(const Row& row) override { put_all({&row, 1}); }

  std::optional<Row> read(std::uint32_t key) override {
    const Place place = place_of(key);  // Also of what was removed: the store is asked.
    const std::string name = key_text(key);
    std::optional<Row> row;
    must(activities_[place.purpose].visit(
        subjects_[place.person], RecordName(name),
        [&](Bytes value) { row = unpacked(name, as_text(value)); }));
    return row;
  }

  bool update(const Row& row) override {
    const Place place = place_of(row.key);
    const bool moves = place.there && (place.person != of(row.values, Field::usr) ||
                                       place.purpose != of(row.values, Field::pur));
    if (moves) remove(row.key);
    insert(row);
    return place.there;
  }

  bool remove(std::uint32_t key) override {
    const Place place = place_of(key);
    if (!place.there) return false;
    places_[key].there = false;
    return must(
        activities_[place.purpose].remove(subjects_[place.person], RecordName(key_text(key))));
  }

  std::vector<Row> read_where(Field where, std::uint32_t value) override {
    std::vector<Row> rows;
    for (const Scope& scope : scopes_where(where, value)) {
      must(activities_[scope.purpose].scan(subjects_[scope.person], {},
                                           [&](std::string_view name, Bytes bytes) {
                                             Row row = unpacked(name, as_text(bytes));
                                             if (of(row.values, where) == value)
                                               rows.push_back(std::move(row));
                                             return Flow::more;
                                           }));
    }
    return rows;
  }

  std::size_t update_where(Field where, std::uint32_t value, Field field,
                           std::uint32_t to) override {
    std::vector<Row> rows = read_where(where, value);
    change(rows, [&](Batch& batch, Row& row) {
      const std::uint32_t from = of(row.values, Field::usr);
      row.values[static_cast<std::size_t>(field)] = to;
      if (of(row.values, Field::usr) != from)
        must(batch.remove(subjects_[from], RecordName(key_text(row.key))));
      add(batch, row);
    });
    return rows.size();
  }

  std::size_t remove_where(Field where, std::uint32_t value) override {
    std::vector<Row> rows = read_where(where, value);
    change(rows, [&](Batch& batch, const Row& row) {
      must(batch.remove(subjects_[of(row.values, Field::usr)], RecordName(key_text(row.key))));
      places_[row.key].there = false;
    });
    return rows.size();
  }

  std::size_t read_log(std::size_t lines) override {
    std::size_t found = 0;
    must(people_.store().each_decision(people_.region(), 0, [&](const Decision&) {
      return ++found < lines ? Flow::more : Flow::stop;
    }));
    return found;
  }

  std::uint64_t file_bytes() override {
    const RegionStats stats = people_.stats();
    return stats.records_file_bytes + stats.keyring_file_bytes;
  }

 private:
  // Of a key: what whoever asks for a record of somebody knows.
  struct Place {
    std::uint32_t person = 0;
    std::uint32_t purpose = 0;
    bool there = false;
  };
  struct Scope {
    std::uint32_t person;
    std::uint32_t purpose;
  };

  Place place_of(std::uint32_t key) const { return key < places_.size() ? places_[key] : Place{}; }

  void add(Batch& batch, const Row& row) {
    const std::uint32_t person = of(row.values, Field::usr);
    const std::string_view recipient = value_text(Field::shr, of(row.values, Field::shr));
    PutOptions options;
    options.origin = value_text(Field::src, of(row.values, Field::src));
    options.recipients = {&recipient, 1};
    options.automated_decision = of(row.values, Field::dec) == 1;
    must(batch.put(subjects_[person], RecordName(key_text(row.key)), as_bytes(packed(row)),
                   options));
    if (row.key >= places_.size()) places_.resize(row.key + 1);
    places_[row.key] = {person, of(row.values, Field::pur), true};
  }

  void put_all(std::span<const Row> rows) {
    std::vector<Row> all(rows.begin(), rows.end());
    change(all, [&](Batch& batch, const Row& row) { add(batch, row); });
  }

  // One commit for each purpose among them.
  template <class Each>
  void change(std::vector<Row>& rows, Each&& each) {
    std::vector<std::optional<Batch>> batches(purposes_.size());
    for (Row& row : rows) {
      const std::uint32_t purpose = of(row.values, Field::pur);
      std::optional<Batch>& batch = batches[purpose];
      if (!batch) batch = activities_[purpose].batch(people_.region());
      each(*batch, row);
    }
    for (std::size_t purpose = 0; purpose < batches.size(); ++purpose)
      if (batches[purpose]) must(activities_[purpose].commit(*std::move(batches[purpose])));
  }

  // Where what is looked for can be.
  std::vector<Scope> scopes_where(Field where, std::uint32_t value) const {
    std::vector<Scope> scopes;
    for (std::uint32_t purpose = 0; purpose < purposes_.size(); ++purpose) {
      if (where == Field::pur && purpose != value) continue;
      if (where == Field::usr) {
        scopes.push_back({value, purpose});
        continue;
      }
      Query query;
      query.purpose = purposes_[purpose];
      if (where == Field::shr) query.recipient = value_text(where, value);
      QueryOptions page;
      page.limit = subjects_.size();
      std::string cursor;
      do {
        page.cursor = cursor;
        cursor = must(people_.tenant().query(query, page, [&](std::string_view id, const Region&) {
                   scopes.push_back({value_number(Field::usr, id), purpose});
                 })).cursor;
      } while (!cursor.empty());
    }
    return scopes;
  }

  People people_{"gdprbench" + std::to_string(made_++)};
  std::vector<Purpose> purposes_;
  std::vector<Activity> activities_;
  std::vector<Subject> subjects_;
  std::vector<Place> places_;
  static inline int made_ = 0;
};

}  // namespace

std::unique_ptr<Database> make_database(bool) { return std::make_unique<EffaceDatabase>(); }

Facts facts() {
  return {"efface",
          "a record of its person under its purpose; who has a purpose, or something disclosed to "
          "somebody, by Tenant::query; other fields in the value; whose a key is, the client knows "
          "(every access names a person); the log is the ledger, which has decisions and not "
          "each write; everything sealed",
          false};
}

}  // namespace efface::bench::gdpr
