#include "tools/id_list.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>

#include "efface/receipt.h"
#include "tools/csv.h"
#include "tools/input.h"
#include "tools/ndjson.h"
#include "tools/session.h"

namespace efface::cli {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;

void add_entries(EntryReader& reader, IdList& into) {
  for (Entry entry; reader.next(entry);) {
    if (entry.fault != nullptr)
      throw Failure(entry.fault_code, entry.fault, Exit::refused).at_line(entry.line);
    into.add(entry.subject, entry.line);
  }
}

}  // namespace

void add_list_options(CLI::App& verb, ListOptions& given) {
  text_option(verb, "--from", given.from, "A file with one id a line; - is stdin")
      .type_name("FILE");
  text_option(verb, "--csv", given.csv, "CSV whose first line names the columns; - is stdin")
      .type_name("FILE");
  text_option(verb, "--ndjson", given.ndjson, "A JSON object a line; - is stdin").type_name("FILE");
  text_option(verb, "--subject", given.subject, "The column, or field, that holds the person's id")
      .type_name("COLUMN");
}

IdList IdList::read(const ListOptions& given) {
  const bool columns = !given.csv.empty() || !given.ndjson.empty();
  if (int{!given.from.empty()} + int{!given.csv.empty()} + int{!given.ndjson.empty()} != 1)
    throw usage("name one list: --from FILE, --csv FILE or --ndjson FILE");
  if (columns == given.subject.empty())
    throw usage("--csv and --ndjson take --subject COLUMN, and --from takes none");
  IdList list;
  if (!columns) {
    each_subject_id(given.from,
                    [&](std::string_view id, std::uint64_t line) { list.add(id, line); });
  } else {
    const NameTemplate no_name("-");  // Of a record: there is none here.
    Source source(given.csv.empty() ? given.ndjson : given.csv);
    std::unique_ptr<EntryReader> reader;
    if (given.csv.empty())
      reader = std::make_unique<NdjsonEntries>(source, given.subject, no_name);
    else
      reader = std::make_unique<CsvEntries>(source, given.subject, no_name);
    add_entries(*reader, list);
  }
  return list;
}

void IdList::add(std::string_view id, std::uint64_t line) {
  people_.push_back({text_.size(), id.size(), line});
  append(text_, id);
}

void IdList::drop_doubles() {
  std::vector<std::size_t> sorted(people_.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  std::sort(sorted.begin(), sorted.end(), [this](std::size_t a, std::size_t b) {
    const int order = id(a).compare(id(b));
    return order == 0 ? a < b : order < 0;
  });
  std::vector<bool> again(people_.size());
  for (std::size_t i = 1; i < sorted.size(); ++i)
    again[sorted[i]] = id(sorted[i]) == id(sorted[i - 1]);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < people_.size(); ++i)
    if (!again[i]) people_[kept++] = people_[i];
  people_.resize(kept);
}

std::size_t IdList::after(std::uint64_t line) const {
  const auto next = std::upper_bound(
      people_.begin(), people_.end(), line,
      [](std::uint64_t wanted, const Person& person) { return wanted < person.line; });
  return static_cast<std::size_t>(next - people_.begin());
}

std::array<std::byte, 32> IdList::digest(Bytes key) const {
  std::array<std::byte, 32> hash{};
  std::copy_n(key.begin(), hash.size(), hash.begin());
  WipedText block;
  for (std::size_t i = 0; i < size(); ++i) {
    append(block, std::to_string(line(i)) + ' ' + std::to_string(id(i).size()) + ' ');
    append(block, id(i));
    if (block.size() < block_bytes && i + 1 < size()) continue;
    // The keyed hash that the library has: each block's is the key of the next one's.
    hash = take(salt_of(hash, view(block)));
    block.clear();
  }
  return hash;
}

}  // namespace efface::cli
