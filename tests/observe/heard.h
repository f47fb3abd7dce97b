// observe/heard.h -- what a store told its log, kept.
//
// Threads  Told by any; looked at when nobody is at work.
#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "efface/observe.h"

namespace efface::test {

class Heard {
 public:
  struct Told {
    LogEvent event{};
    LogLevel level{};
    std::string region;
    std::string database;
    std::optional<Errc> error{};
    std::map<std::string, std::uint64_t> numbers{};
  };

  void hear(const LogEntry& entry) {
    Told told{entry.event, entry.level, std::string(entry.region), entry.database.text, {}, {}};
    if (entry.error) told.error = entry.error->code();
    for (const LogNumber& number : entry.numbers) told.numbers[number.what.text] = number.value;
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(told));
  }

  // Their names, in order; and forgets them.
  std::vector<std::string> take() {
    std::vector<std::string> names;
    for (const Told& told : take_all()) names.emplace_back(name(told.event));
    return names;
  }
  std::vector<Told> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(all_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Told> all_;
};

inline std::function<void(const LogEntry&)> told_to(const std::shared_ptr<Heard>& heard) {
  return [heard](const LogEntry& entry) { heard->hear(entry); };
}

}  // namespace efface::test
