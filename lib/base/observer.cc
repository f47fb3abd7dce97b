#include "base/observer.h"

#include <algorithm>
#include <atomic>
#include <new>

namespace efface::base {
namespace {

constexpr std::array terms{
    EventTerms{LogEvent::opened, "opened", LogLevel::info, "A region is open."},
    EventTerms{LogEvent::memory_not_locked, "memory_not_locked", LogLevel::warning,
               "Keys are in memory that the system did not lock: they may be swapped out."},
    EventTerms{LogEvent::keyring_replaced, "keyring_replaced", LogLevel::warning,
               "The keyring was lost, damaged or old, and a mirror of it took its place."},
    EventTerms{LogEvent::latched, "latched", LogLevel::error,
               "A commit failed half way: everything answers closed until the store is reopened."},
    EventTerms{LogEvent::map_grown, "map_grown", LogLevel::info, "A database has a larger map."},
    EventTerms{LogEvent::map_full, "map_full", LogLevel::warning,
               "A database is at its limit: nothing is written any more, and erasing goes on."},
    EventTerms{LogEvent::disk_full, "disk_full", LogLevel::warning,
               "What is left of the disk is kept for erasing: nothing else is written."},
    EventTerms{LogEvent::lock_waited, "lock_waited", LogLevel::warning,
               "Somebody waited long for a lock."},
    EventTerms{LogEvent::lock_timed_out, "lock_timed_out", LogLevel::warning,
               "Somebody waited for a lock until the deadline, in vain."},
    EventTerms{LogEvent::erase_pending, "erase_pending", LogLevel::warning,
               "A root key store did not confirm that an old root key is destroyed."},
    EventTerms{LogEvent::erase_finished, "erase_finished", LogLevel::info,
               "An old root key that was left is destroyed now, and that is confirmed."},
    EventTerms{LogEvent::replica_missing, "replica_missing", LogLevel::warning,
               "A part of the root key store does not answer: nobody can be erased."},
    EventTerms{LogEvent::replicas_complete, "replicas_complete", LogLevel::info,
               "All parts of the root key store answer again."},
    EventTerms{LogEvent::root_rotated, "root_rotated", LogLevel::info,
               "An epoch ended, and nobody was erased."},
    EventTerms{LogEvent::root_migrated, "root_migrated", LogLevel::info,
               "The root key moved to another root key store."},
    EventTerms{LogEvent::root_retired, "root_retired", LogLevel::info,
               "The root key store that was left holds no key any more."},
    EventTerms{LogEvent::mirror_behind, "mirror_behind", LogLevel::warning,
               "A mirror failed, and does not follow any more until it is written anew."},
    EventTerms{LogEvent::mirror_absent, "mirror_absent", LogLevel::warning,
               "A mirror cannot be reached."},
    EventTerms{LogEvent::mirror_in_step, "mirror_in_step", LogLevel::info,
               "A mirror was written anew, and follows."},
    EventTerms{LogEvent::ledger_copy_behind, "ledger_copy_behind", LogLevel::warning,
               "The copy of the ledger cannot be written: nobody can be erased until it can."},
    EventTerms{LogEvent::ledger_copy_in_step, "ledger_copy_in_step", LogLevel::info,
               "The copy of the ledger was behind, and has every entry again."},
    EventTerms{
        LogEvent::relaxed_dropped, "relaxed_dropped", LogLevel::warning,
        "What was acknowledged ahead of its commit was refused by it: Store::sync says why."},
    EventTerms{LogEvent::relaxed_lost, "relaxed_lost", LogLevel::error,
               "What was acknowledged ahead of its commit could not be committed, and is lost."},
    EventTerms{LogEvent::maintained, "maintained", LogLevel::info, "The upkeep is done."},
    EventTerms{LogEvent::expiry_waits, "expiry_waits", LogLevel::warning,
               "Many days expired at once: the clock may have jumped. Nothing was destroyed."},
    EventTerms{LogEvent::backed_up, "backed_up", LogLevel::info,
               "The records of a region are backed up."},
    EventTerms{LogEvent::restored, "restored", LogLevel::warning, "A region was restored."},
    EventTerms{LogEvent::events_dropped, "events_dropped", LogLevel::warning,
               "One call had more to tell than is kept."}};

std::uint64_t next_span() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::uint32_t this_thread() noexcept {
  static std::atomic<std::uint32_t> last{0};
  thread_local const std::uint32_t mine = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return mine;
}

std::chrono::nanoseconds now() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch();
}

thread_local Telling* telling = nullptr;  // The outermost.
thread_local const Span* innermost = nullptr;

}  // namespace

const EventTerms& terms_of(LogEvent event) noexcept {
  const auto* const found = std::ranges::find(terms, event, &EventTerms::event);
  static constexpr EventTerms unknown{LogEvent{}, "unknown", LogLevel::info, ""};
  return found == terms.end() ? unknown : *found;
}

std::shared_ptr<Observer> Observer::of(const OnLog& on_log, const TraceHooks& trace) {
  if (on_log == nullptr && trace.begin == nullptr && trace.end == nullptr) return nullptr;
  return std::make_shared<Observer>(on_log, trace);
}

void Watch::put_down(LogEvent event, std::initializer_list<LogNumber> numbers,
                     const std::optional<Error>& error) const noexcept {
  Telling::Event noted{observer_, {}};
  noted.entry = {event, terms_of(event).level, region_, database_, error, {}};
  const std::size_t count = std::min(numbers.size(), noted.numbers.size());
  std::copy_n(numbers.begin(), count, noted.numbers.begin());
  noted.entry.numbers = {noted.numbers.data(), count};
  if (telling == nullptr)
    noted.tell();
  else
    telling->add(std::move(noted));
}

void Telling::Event::tell() const {
  LogEntry told = entry;
  told.numbers = {numbers.data(), entry.numbers.size()};  // Which have moved since.
  observer->on_log()(told);
}

Telling::Telling() noexcept : is_outermost_(telling == nullptr) {
  if (is_outermost_) telling = this;
}

Telling::~Telling() {
  if (!is_outermost_) return;
  telling = nullptr;
  for (const Event& event : events_) event.tell();
  if (dropped_of_ != nullptr)
    Watch(dropped_of_, {}).note(LogEvent::events_dropped, {{"events", dropped_}});
}

void Telling::add(Event&& event) noexcept {
  try {
    if (events_.size() < events_max) {
      events_.push_back(std::move(event));
      return;
    }
  } catch (const std::bad_alloc&) {  // As if there were too many.
  }
  dropped_of_ = std::move(event.observer);
  ++dropped_;
}

Span::Span(const Observer& observer, std::string_view region, Note name)
    : observer_(observer), outer_(innermost) {
  told_.name = name;
  told_.region = region;
  told_.id = next_span();
  told_.parent = outer_ != nullptr ? outer_->told_.id : 0;
  told_.depth = outer_ != nullptr ? outer_->told_.depth + 1 : 0;
  told_.thread = this_thread();
  told_.began = now();
  innermost = this;
  if (observer_.trace().begin) observer_.trace().begin(told_);
}

Span::~Span() {
  innermost = outer_;
  told_.took = now() - told_.began;
  if (observer_.trace().end) observer_.trace().end(told_);
}

}  // namespace efface::base
