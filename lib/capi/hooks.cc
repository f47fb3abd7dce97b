// What a store tells, in C. The hooks are called with locks held: so whatever C does there, nothing
// of the store is entered again, thrown through or left with another errno.
#include <array>

#include "capi/boundary.h"

namespace efface::capi {
namespace {

thread_local bool within = false;

class InHook {
 public:
  InHook() noexcept : errno_(errno), outer_(within) { within = true; }
  ~InHook() {
    within = outer_;
    errno = errno_;
  }
  InHook(const InHook&) = delete;
  InHook& operator=(const InHook&) = delete;

 private:
  const int errno_;
  const bool outer_;
};

static_assert(EFFACE_LOG_INFO == static_cast<int>(LogLevel::info));
static_assert(EFFACE_LOG_WARNING == static_cast<int>(LogLevel::warning));
static_assert(EFFACE_LOG_ERROR == static_cast<int>(LogLevel::error));

constexpr std::size_t numbers_max = 16;  // No event has half as many.

// Never null: C's functions of memory take no null, be the size 0.
efface_slice slice_of(std::string_view text) {
  return {text.empty() ? "" : text.data(), text.size()};
}
std::uint64_t count_of(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

// noexcept: what throws must not get into a store that is at work.
void tell_log(const efface_hooks& hooks, const LogEntry& entry) noexcept {
  std::array<efface_log_number, numbers_max> numbers{};
  const std::size_t count = std::min(entry.numbers.size(), numbers.size());
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = {entry.numbers[i].what.text, entry.numbers[i].value};
  efface_log_entry shown{};
  shown.size = sizeof shown;
  shown.event = static_cast<std::uint32_t>(entry.event);
  shown.level = static_cast<std::uint32_t>(entry.level);
  shown.name = name(entry.event);
  shown.says = says(entry.event);
  shown.region = slice_of(entry.region);
  shown.database = entry.database.text;
  shown.numbers = numbers.data();
  shown.number_count = count;
  if (entry.error) {
    shown.error = static_cast<efface_status>(entry.error->code());
    shown.system_code = entry.error->system_code();
  }
  const InHook here;
  hooks.log(hooks.user, &shown);
}

void tell_span(void (*hook)(void*, const efface_span*), void* user,
               const TraceSpan& span) noexcept {
  efface_span shown{};
  shown.size = sizeof shown;
  shown.name = span.name.text;
  shown.region = slice_of(span.region);
  shown.id = span.id;
  shown.parent = span.parent;
  shown.depth = span.depth;
  shown.thread = span.thread;
  shown.began_nanoseconds = count_of(span.began);
  shown.took_nanoseconds = count_of(span.took);
  if (span.error) {
    shown.error = static_cast<efface_status>(span.error->code());
    shown.system_code = span.error->system_code();
  }
  const InHook here;
  hook(user, &shown);
}

}  // namespace

bool in_hook() noexcept { return within; }

Status set_hooks(const efface_hooks* given, OpenOptions& options) {
  EFFACE_ASSIGN(const efface_hooks hooks, read(given));
  if (hooks.log != nullptr)
    options.on_log = [hooks](const LogEntry& entry) { tell_log(hooks, entry); };
  if (hooks.span_begin != nullptr)
    options.trace.begin = [hooks](const TraceSpan& span) {
      tell_span(hooks.span_begin, hooks.user, span);
    };
  if (hooks.span_end != nullptr)
    options.trace.end = [hooks](const TraceSpan& span) {
      tell_span(hooks.span_end, hooks.user, span);
    };
  return {};
}

}  // namespace efface::capi
