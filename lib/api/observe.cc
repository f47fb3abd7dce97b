#include "efface/observe.h"

#include "base/observer.h"

namespace efface {

const char* name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

const char* name(LogEvent event) noexcept { return base::terms_of(event).name; }
const char* says(LogEvent event) noexcept { return base::terms_of(event).says; }

// A region's name is a label, and the texts of ours hold no quotes: nothing needs escaping.
std::string to_text(const LogEntry& entry) {
  std::string text;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (!text.empty()) text += ' ';
    text.append(key).append("=").append(value);
  };
  add("level", name(entry.level));
  add("event", name(entry.event));
  add("region", entry.region);
  add("database", entry.database.text);
  for (const LogNumber& number : entry.numbers) add(number.what.text, std::to_string(number.value));
  if (entry.error) {
    add("error", name(entry.error->code()));
    if (entry.error->system_code() != 0) add("system", std::to_string(entry.error->system_code()));
  }
  add("says", std::string("\"") + says(entry.event) + "\"");
  return text;
}

}  // namespace efface
