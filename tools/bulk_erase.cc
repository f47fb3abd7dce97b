#include "tools/bulk_erase.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "efface/receipt.h"
#include "tools/failure.h"

namespace efface::cli {
namespace {

// What a journal belongs to: the tenant, and its regions as their verifier keys name them for good.
std::string where_of(const Store& store, const Tenant& tenant) {
  std::string where(tenant.name());
  for (const Region& region : tenant.regions()) {
    const std::string key = take(store.verifier_key(region));
    where += '\n' + key.substr(0, key.find('+'));
  }
  return where;
}

// The second line of a checkpoint.
std::uint64_t ledger_entries(const Store& store, const Region& region) {
  const std::string checkpoint = take(store.checkpoint(region));
  const std::size_t begin = checkpoint.find('\n') + 1;
  std::uint64_t entries = 0;
  const char* const end = checkpoint.data() + checkpoint.size();
  if (std::from_chars(checkpoint.data() + begin, end, entries).ec != std::errc())
    throw refused(Errc::corruption, "a checkpoint without a size");
  return entries;
}

void add(Erasure& sum, const Erasure& part) {
  sum.erased += part.erased;
  sum.unknown += part.unknown;
  sum.held += part.held;
  sum.shared += part.shared;
  for (const Erasure::InRegion& region : part.regions) {
    const auto same = std::find_if(sum.regions.begin(), sum.regions.end(),
                                   [&](const auto& one) { return one.region == region.region; });
    if (same == sum.regions.end())
      sum.regions.push_back(region);
    else
      same->epoch_after = region.epoch_after;
  }
}

}  // namespace

BulkErasure::BulkErasure(const Store& store, const Tenant& tenant, const IdList& list,
                         const BulkOptions& options)
    : store_(store), tenant_(tenant), list_(list), options_(options) {
  if (options.journal.empty()) return;
  journal_.emplace(options.journal, list, where_of(store, tenant));
  const JournalDone& done = journal_->done();
  report_.sum.erased = done.erased;
  report_.sum.unknown = done.unknown;
  report_.sum.held = done.held;
  report_.sum.shared = done.shared;
  report_.after_line = report_.through_line = done.line;
  const auto& trying = journal_->trying();
  if (trying && trying->tickets_bytes.has_value() == options.tickets.empty())
    throw refused(Errc::conflict, trying->tickets_bytes
                                      ? "the run that was broken off kept --tickets: name the file"
                                      : "the run that was broken off kept no --tickets");
  if (trying && trying->tickets_bytes && tickets_bytes(options) < *trying->tickets_bytes)
    throw refused(Errc::conflict, "the file of tickets is not the one of the journal");
}

void BulkErasure::run(Progress& progress) {
  std::size_t next = list_.after(report_.through_line);
  if (journal_ && journal_->trying()) {
    const std::size_t end = list_.after(journal_->trying()->line_last);
    if (end <= next || end - next > limits::subjects_per_call_max)
      throw refused(Errc::corruption, "the journal has a chunk that cannot be");
    erase(next, end, made_before(next, end));
    next = end;
  }
  while (next < list_.size()) {
    progress.update({.count = next, .measure = 0, .total = list_.size()});
    const std::size_t end = std::min(next + options_.chunk_people, list_.size());
    if (journal_) journal_->begin(trying_of(end - 1));
    step(BulkStep::tried);
    erase(next, end);
    next = end;
  }
  progress.clear();
}

JournalTrying BulkErasure::trying_of(std::size_t last) const {
  JournalTrying chunk{
      .line_last = list_.line(last), .salt = random_bytes(), .ledgers = {}, .tickets_bytes = {}};
  for (const Region& region : tenant_.regions())
    chunk.ledgers.emplace_back(region.name(), ledger_entries(store_, region));
  if (!options_.tickets.empty()) chunk.tickets_bytes = tickets_bytes(options_);
  return chunk;
}

std::vector<ReceiptTicket> BulkErasure::made_before(std::size_t first, std::size_t end) const {
  struct Of {
    std::size_t which;
    std::array<std::byte, 32> salt;
  };
  const JournalTrying& chunk = *journal_->trying();
  std::map<Receipt::Hash, Of> committed;
  for (std::size_t i = first; i < end; ++i) {
    // As Tenant::erase has it: one alone has the salt itself.
    const auto salt = end - first == 1 ? chunk.salt : take(salt_of(chunk.salt, list_.id(i)));
    committed.emplace(take(commitment_of(salt, tenant_.name(), list_.id(i))), Of{i - first, salt});
  }
  std::vector<ReceiptTicket> tickets;
  for (const auto& ledger : chunk.ledgers) {  // By region: how many entries it had.
    const Region region = take(store_.region(ledger.first));
    take(store_.each_decision(region, ledger.second, [&](const Decision& decision) {
      if (!decision.commitment) return Flow::more;
      if (const auto of = committed.find(*decision.commitment); of != committed.end())
        tickets.push_back({ledger.first, decision.entry, of->second.which, of->second.salt});
      return Flow::more;
    }));
  }
  return tickets;
}

// tickets: of whom an earlier run erased.
void BulkErasure::erase(std::size_t first, std::size_t end, std::vector<ReceiptTicket> tickets) {
  std::vector<SubjectId> ids;
  ids.reserve(end - first);
  for (std::size_t i = first; i < end; ++i) ids.emplace_back(list_.id(i));
  efface::EraseOptions options;
  options.receipt = options_.receipt();
  if (journal_) options.receipt.salt = journal_->trying()->salt;
  Erasure part = take(tenant_.erase(std::span<const SubjectId>(ids), options));
  // They are unknown by now.
  part.erased += tickets.size();
  part.unknown -= std::min<std::uint64_t>(part.unknown, tickets.size());
  step(BulkStep::erased);
  if (journal_ && !options_.tickets.empty()) {
    const auto there = tickets_since(options_, *journal_->trying()->tickets_bytes);
    std::erase_if(tickets, [&](const ReceiptTicket& ticket) {
      return there.contains({ticket.region, ticket.entry});
    });
  }
  tickets.insert(tickets.end(), part.receipts.begin(), part.receipts.end());
  keep_tickets(options_, tickets,
               [&](const ReceiptTicket& ticket) { return list_.line(first + ticket.which); });
  step(BulkStep::ticketed);
  add(report_.sum, part);
  report_.through_line = list_.line(end - 1);
  if (part.held > 0) report_.held.emplace_back(first, end);
  if (!journal_) return;
  const Erasure& sum = report_.sum;
  journal_->finish({report_.through_line, sum.erased, sum.unknown, sum.held, sum.shared});
  step(BulkStep::done);
}

}  // namespace efface::cli
