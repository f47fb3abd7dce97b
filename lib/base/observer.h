// base/observer.h -- how what happens in any layer comes to the hooks of OpenOptions.
//
// A Watch goes down with the options of each part. What is noted during a public call waits until
// the outermost call of the thread has ended, so that on_log is called with no lock held; spans are
// told as they begin and end.
//
// Threads   Observer, Watch: shared. Telling, Span: of the thread that made them, nested as they
//           live.
// Errors    Nothing here fails: what there is no memory for is counted (events_dropped).
// Cost      A Watch over nobody: a branch each time.
#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "efface/observe.h"

namespace efface::base {

struct EventTerms {
  LogEvent event;
  const char* name;
  LogLevel level;
  const char* says;
};
const EventTerms& terms_of(LogEvent event) noexcept;

class Observer {
 public:
  using OnLog = std::function<void(const LogEntry&)>;

  Observer(OnLog on_log, TraceHooks trace) : on_log_(std::move(on_log)), trace_(std::move(trace)) {}
  // Null where there is no hook.
  static std::shared_ptr<Observer> of(const OnLog& on_log, const TraceHooks& trace);

  // A text that lives as long as this. By one thread, while nobody else has it.
  std::string_view keep(std::string_view region) { return regions_.emplace_back(region); }

  bool logs() const noexcept { return on_log_ != nullptr; }
  bool traces() const noexcept { return trace_.begin != nullptr || trace_.end != nullptr; }
  const OnLog& on_log() const noexcept { return on_log_; }
  const TraceHooks& trace() const noexcept { return trace_; }

 private:
  const OnLog on_log_;
  const TraceHooks trace_;
  std::deque<std::string> regions_;
};

// Who looks at a part of a store, and which part that is.
class Watch {
 public:
  Watch() = default;
  Watch(std::shared_ptr<const Observer> observer, std::string_view region) noexcept
      : observer_(std::move(observer)), region_(region) {}
  Watch of(Note database) const {
    Watch part = *this;
    part.database_ = database;
    return part;
  }

  explicit operator bool() const noexcept { return observer_ != nullptr; }
  // Null where nobody traces.
  const Observer* tracer() const noexcept {
    return observer_ != nullptr && observer_->traces() ? observer_.get() : nullptr;
  }
  std::string_view region() const noexcept { return region_; }

  void note(LogEvent event, std::initializer_list<LogNumber> numbers = {},
            const std::optional<Error>& error = {}) const noexcept {
    if (observer_ != nullptr && observer_->logs()) put_down(event, numbers, error);
  }

 private:
  void put_down(LogEvent event, std::initializer_list<LogNumber> numbers,
                const std::optional<Error>& error) const noexcept;

  std::shared_ptr<const Observer> observer_{};
  std::string_view region_{};
  Note database_ = "";
};

// What is noted on this thread while it lives is told when it ends; of several that are nested, the
// outermost. Without one it is told at once.
class Telling {
 public:
  static constexpr std::size_t events_max = 256;

  Telling() noexcept;
  ~Telling();
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

 private:
  friend class Watch;
  static constexpr std::size_t numbers_max = 8;
  struct Event {
    std::shared_ptr<const Observer> observer;
    LogEntry entry;
    std::array<LogNumber, numbers_max> numbers{};

    void tell() const;
  };
  void add(Event&& event) noexcept;

  const bool is_outermost_;
  std::vector<Event> events_{};
  std::shared_ptr<const Observer> dropped_of_{};  // The last of whom one was dropped.
  std::uint64_t dropped_ = 0;
};

// From its making to its end; where that is told of an error, with it.
class Span {
 public:
  Span(const Observer& observer, std::string_view region, Note name);
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  void failed(const Error& error) noexcept { told_.error = error; }

 private:
  const Observer& observer_;
  const Span* const outer_;
  TraceSpan told_;
};

// Does the work, as a span where somebody traces.
template <class Body>
auto traced(const Observer* tracer, std::string_view region, Note name, Body&& body)
    -> decltype(body()) {
  if (tracer == nullptr) [[likely]]
    return body();
  Span span(*tracer, region, name);
  auto answer = body();
  if (!answer) span.failed(answer.error());
  return answer;
}
template <class Body>
auto traced(const Watch& watch, Note name, Body&& body) -> decltype(body()) {
  return traced(watch.tracer(), watch.region(), name, std::forward<Body>(body));
}

// Takes a lock, and notes who waits for it long, or in vain.
template <class Take>
auto waiting(const Watch& watch, Note name, std::chrono::milliseconds deadline, Take&& take)
    -> decltype(take()) {
  using Clock = std::chrono::steady_clock;
  if (!watch) [[likely]]
    return take();
  const auto begun = Clock::now();
  auto taken = traced(watch, name, std::forward<Take>(take));
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
  constexpr std::chrono::milliseconds short_while{10};
  const LogNumber milliseconds{"milliseconds", static_cast<std::uint64_t>(waited.count())};
  if (!taken && taken.error().code() == Errc::busy)
    watch.note(LogEvent::lock_timed_out, {milliseconds}, taken.error());
  else if (taken && waited > std::max(deadline / 10, short_while))
    watch.note(LogEvent::lock_waited, {milliseconds});
  return taken;
}

}  // namespace efface::base
