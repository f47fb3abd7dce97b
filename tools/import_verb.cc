#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "efface/limits.h"
#include "tools/csv.h"
#include "tools/ndjson.h"
#include "tools/progress.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

constexpr std::size_t chunk_records_max = 8'192;
constexpr std::size_t chunk_bytes_max = 8 * 1024 * 1024;
constexpr std::uint64_t notices_max = 20;

struct ImportOptions {
  std::string tenant;
  std::string region;
  std::string purpose;
  std::string subject;
  std::string name;
  std::string csv;
  std::string ndjson;
  bool skip_bad = false;
};

struct Tally {
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
  std::uint64_t line_done = 0;  // All up to it are in, or skipped.
  bool complete = false;
};

// A record of a chunk, in places of the chunk's text.
struct Item {
  std::uint64_t line = 0;
  std::size_t subject = 0, name = 0, raw = 0, end = 0;
};

// Which errors speak of one person or one record, not of the whole import.
bool is_of_one(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::too_large:
    case Errc::region_mismatch:
    case Errc::suppressed:
    case Errc::restricted:
    case Errc::consent_missing:
    case Errc::objected:
    case Errc::transfer_pending:
      return true;
    default:
      return false;
  }
}

class Importer {
 public:
  Importer(const Tenant& tenant, const Activity& activity, Region region, bool skip_bad,
           Output& out)
      : tenant_(tenant),
        activity_(activity),
        region_(std::move(region)),
        skip_bad_(skip_bad),
        out_(out),
        progress_(out.json(), {"import", "records", "bytes"}) {}

  void run(EntryReader& reader, const Source& source);
  const Tally& tally() const noexcept { return tally_; }
  std::uint64_t people() const noexcept { return people_.size(); }

 private:
  void add(const Entry& entry);
  void commit(std::uint64_t line_done);
  // Skips that line, or commits what stands before it and ends with the failure.
  void bad(Failure failure, std::uint64_t line);
  void look_up(std::span<const SubjectId> ids);
  std::string_view subject_of(const Item& item) const noexcept {
    return view(text_).substr(item.subject, item.name - item.subject);
  }

  const Tenant& tenant_;
  const Activity& activity_;
  Region region_;
  bool skip_bad_;
  Output& out_;
  Progress progress_;
  Tally tally_;
  std::unordered_set<std::uint64_t> people_;  // Hashes: no ids are kept.
  WipedText text_;
  std::vector<Item> items_;
  std::uint64_t line_read_ = 0;
  // Of the chunk that is being committed.
  std::vector<std::pair<std::optional<Subject>, std::optional<Failure>>> found_;
};

void Importer::run(EntryReader& reader, const Source& source) {
  Entry entry;
  while (reader.next(entry)) {
    if (entry.fault != nullptr) {
      bad(Failure(entry.fault_code, entry.fault, Exit::refused), entry.line);
    } else {
      if (items_.size() >= chunk_records_max || text_.size() + entry.raw.size() > chunk_bytes_max)
        commit(entry.line - 1);
      add(entry);
    }
    line_read_ = entry.line_last;
    if (items_.size() % 256 == 0)
      progress_.update({tally_.records, source.bytes_passed(), source.bytes_total()});
  }
  commit(line_read_);
  progress_.clear();
  tally_.complete = true;
}

void Importer::add(const Entry& entry) {
  Item item{.line = entry.line, .subject = text_.size()};
  append(text_, entry.subject);
  item.name = text_.size();
  append(text_, entry.name);
  item.raw = text_.size();
  append(text_, entry.raw);
  item.end = text_.size();
  items_.push_back(item);
}

void Importer::bad(Failure failure, std::uint64_t line) {
  failure.at_line(line);
  if (!skip_bad_) {
    // What stands before the line goes in; the line itself is what one hears of.
    commit(line - 1);
    progress_.clear();
    throw failure;
  }
  if (tally_.skipped++ >= notices_max) return;
  progress_.clear();
  out_.notice("skipped: line " + std::to_string(line) + ": " + failure.note(),
              {{"skipped", {{"line", line}, {"code", failure.code()}, {"note", failure.note()}}}});
}

// Appends to found_ one answer for each id. One that cannot be had is found by halving.
void Importer::look_up(std::span<const SubjectId> ids) {
  auto subjects = tenant_.find_or_enrol(ids, region_);
  if (subjects) {
    for (Subject& subject : *subjects) found_.emplace_back(std::move(subject), std::nullopt);
  } else if (!is_of_one(subjects.error().code())) {
    throw Failure(subjects.error());
  } else if (ids.size() == 1) {
    found_.emplace_back(std::nullopt, Failure(subjects.error()));
  } else {
    // In order, and no further than the first: whoever comes after it must not be enrolled for
    // nothing.
    look_up(ids.first(ids.size() / 2));
    const bool stop = !skip_bad_ && !found_.empty() && found_.back().second;
    if (!stop) look_up(ids.subspan(ids.size() / 2));
  }
}

void Importer::commit(std::uint64_t line_done) {
  const std::vector<Item> items = std::exchange(items_, {});
  std::unordered_map<std::string_view, std::size_t> index;
  std::vector<SubjectId> ids;
  for (const Item& item : items)
    if (index.emplace(subject_of(item), ids.size()).second) ids.emplace_back(subject_of(item));
  found_.clear();
  if (!ids.empty()) look_up(ids);

  Batch batch = activity_.batch(region_);
  std::optional<std::pair<Failure, std::uint64_t>> stopped;
  std::vector<std::uint64_t> hashes;
  for (const Item& item : items) {
    const std::string_view id = subject_of(item);
    const auto& [subject, failure] = found_.at(index.at(id));
    std::optional<Failure> refused = failure;
    if (subject) {
      const std::string_view all = view(text_);
      const Status done =
          batch.put(*subject, RecordName(all.substr(item.name, item.raw - item.name)),
                    as_bytes(all.substr(item.raw, item.end - item.raw)));
      if (!done && !is_of_one(done.error().code())) throw Failure(done.error());
      if (!done) refused = Failure(done.error());
    }
    if (!refused) {
      hashes.push_back(std::hash<std::string_view>()(id));
    } else if (skip_bad_) {
      bad(*refused, item.line);
    } else {
      stopped.emplace(std::move(*refused), item.line);
      break;
    }
  }
  if (!hashes.empty()) take(activity_.commit(std::move(batch)));
  people_.insert(hashes.begin(), hashes.end());
  tally_.records += hashes.size();
  tally_.line_done = stopped ? stopped->second - 1 : line_done;
  text_.clear();
  if (stopped) {
    progress_.clear();
    throw stopped->first.at_line(stopped->second);
  }
}

void say_import(Output& out, const Importer& importer, std::chrono::nanoseconds time) {
  const Tally& tally = importer.tally();
  const double seconds = std::chrono::duration<double>(time).count();
  if (out.json()) {
    out.object({{"records", tally.records},
                {"people", importer.people()},
                {"skipped", tally.skipped},
                {"complete", tally.complete},
                {"through_line", tally.line_done},
                {"seconds", seconds}});
    return;
  }
  std::string text = "imported " + count_of(tally.records, "record", "records") + " of " +
                     count_of(importer.people(), "person", "people") + " in " + spell(time);
  if (tally.records > 0 && seconds > 0)
    text +=
        ", " +
        std::to_string(static_cast<std::uint64_t>(static_cast<double>(tally.records) / seconds)) +
        " a second";
  if (tally.skipped > 0) text += "; skipped " + count_of(tally.skipped, "bad line", "bad lines");
  if (!tally.complete)
    text += "; stopped, all lines up to " + std::to_string(tally.line_done) + " are in";
  out.line(text);
}

void import(const Common& common, const ImportOptions& given, Output& out) {
  if (given.csv.empty() == given.ndjson.empty())
    throw usage("name the input: --csv FILE or --ndjson FILE; - is stdin");
  const NameTemplate name(given.name);
  Source source(given.csv.empty() ? given.ndjson : given.csv);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  const Activity activity = take(tenant.activity(take(tenant.purpose(given.purpose))));
  const Region region = region_of(session.store(), tenant, given.region);

  std::unique_ptr<EntryReader> reader;
  if (given.csv.empty())
    reader = std::make_unique<NdjsonEntries>(source, given.subject, name);
  else
    reader = std::make_unique<CsvEntries>(source, given.subject, name);
  Importer importer(tenant, activity, region, given.skip_bad, out);
  const auto start = std::chrono::steady_clock::now();
  try {
    importer.run(*reader, source);
  } catch (const Failure&) {
    say_import(out, importer, std::chrono::steady_clock::now() - start);
    throw;
  }
  say_import(out, importer, std::chrono::steady_clock::now() - start);
}

}  // namespace

void add_import_verb(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<ImportOptions>();
  CLI::App& verb =
      verbs.add(verbs.app, "import", "Read records from CSV or from a JSON object a line",
                "efface import acme --region eu-west --purpose ratings --subject userId "
                "--name '{movieId}' --csv ratings.csv");
  text_option(verb, "TENANT", given->tenant, "Whose data it is").required();
  text_option(verb, "--purpose", given->purpose, "What for").required();
  text_option(verb, "--region", given->region,
              "Where new people are enrolled (default: the tenant's only region)");
  text_option(verb, "--subject", given->subject, "The column that holds the person's id")
      .type_name("COLUMN")
      ->required();
  text_option(verb, "--name", given->name, "The record's name: text with {column}")
      .type_name("TEMPLATE")
      ->required();
  text_option(verb, "--csv", given->csv, "CSV whose first line names the columns; - is stdin")
      .type_name("FILE");
  text_option(verb, "--ndjson", given->ndjson, "A JSON object a line; - is stdin")
      .type_name("FILE");
  verb.add_flag("--skip-bad", given->skip_bad, "Count bad lines and go on");
  verb.callback([&common, &action, given] {
    action = [&common, given](Output& out) { import(common, *given, out); };
  });
}

}  // namespace efface::cli
