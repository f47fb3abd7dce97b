// processes/history.h -- what several processes know of what they did to each other's people, in
// memory that they share; and one process's part in it.
//
// Each person has one writer, so that her values only ever grow. Anybody erases and reads. After
// erase has answered anywhere, nobody reads a value that was acknowledged before it began; and what
// was acknowledged is there, unless an erasure began since.
#pragma once
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <random>

#include "processes/shared_store.h"

namespace efface::test {

constexpr std::size_t people_of_history = 12;
constexpr std::size_t roles_of_history = 8;  // Of each at most one is at work at a time.
using Counts = std::array<std::atomic<std::uint64_t>, roles_of_history>;

struct History {
  struct Person {
    std::atomic<std::uint64_t> begun{0};         // The last value that was put, or was to be.
    std::atomic<std::uint64_t> acknowledged{0};  // The last that was acknowledged,
    Counts ended_then{};                         // when so many erasures of her had ended.
    Counts erasures_begun{};                     // By role.
    Counts erasures_ended{};
    std::atomic<std::uint64_t> dead{0};  // No value up to this one may be read any more.
  };
  std::array<Person, people_of_history> people;
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> erased{0};
  std::atomic<std::uint64_t> read{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> violated{false};
  std::array<char, 160> violation{};

  // What a process of that role had begun when it died has come to its end.
  void bury(std::size_t role) {
    for (Person& person : people) person.erasures_ended[role] = person.erasures_begun[role].load();
  }

  void violate(const char* what, const std::string& detail) {
    if (violated.exchange(true)) return;
    const std::string text = std::string(what) + ": " + detail;
    std::memcpy(violation.data(), text.data(), std::min(text.size(), violation.size() - 1));
  }
};

// Puts, erases and reads, by chance; tells the history. Whose call failed knows nothing of how it
// ended until it is buried.
class Participant {
 public:
  enum class Errors : bool { none, some };  // Whether the system may fail its calls.

  Participant(History& history, View& view, std::uint64_t seed, std::size_t role, std::size_t roles,
              Errors errors = Errors::none)
      : history_(history),
        view_(view),
        random_(seed),
        role_(role),
        roles_(roles),
        errors_(errors) {}

  void act() {
    const std::size_t who = random_() % people_of_history;
    const std::uint64_t dice = random_() % 16;
    if (dice == 0)
      erase(who);
    else if (dice < 6 && who % roles_ == role_)
      put(who);
    else
      read(who);
    history_.operations.fetch_add(1);
  }
  void erase_all() {
    for (std::size_t who = 0; who < people_of_history; ++who) erase(who);
  }

 private:
  static std::string id_of(std::size_t who) { return "p" + std::to_string(who); }
  void fails(const char* what, const std::string& detail) {
    if (errors_ == Errors::none) history_.violate(what, detail);
  }

  void put(std::size_t who) {
    History::Person& person = history_.people[who];
    std::array<std::uint64_t, roles_of_history> ended{};
    for (std::size_t i = 0; i < ended.size(); ++i) ended[i] = person.erasures_ended[i];
    const std::uint64_t value = person.begun.fetch_add(1) + 1;
    const Status done = view_.put(id_of(who), std::to_string(value));
    // She was erased between her enrolment and the record: it says so, and is right.
    if (!done && done.error().code() == Errc::subject_erased) return;
    if (!done) return fails("a put fails", text_of(done.error()));
    for (std::size_t i = 0; i < ended.size(); ++i) person.ended_then[i] = ended[i];
    person.acknowledged.store(value);
  }

  void erase(std::size_t who) {
    History::Person& person = history_.people[who];
    const std::uint64_t acknowledged = person.acknowledged.load();
    person.erasures_begun[role_].fetch_add(1);
    const std::string done = view_.erase(id_of(who));
    if (done != "erased" && done != "unknown") return fails("an erasure fails", done);
    std::uint64_t dead = person.dead.load();
    while (dead < acknowledged && !person.dead.compare_exchange_weak(dead, acknowledged)) {
    }
    person.erasures_ended[role_].fetch_add(1);
    history_.erased.fetch_add(done == "erased" ? 1 : 0);
  }

  void read(std::size_t who) {
    History::Person& person = history_.people[who];
    const std::uint64_t dead = person.dead.load();
    const std::uint64_t acknowledged = person.acknowledged.load();
    std::array<std::uint64_t, roles_of_history> then{};
    for (std::size_t i = 0; i < then.size(); ++i) then[i] = person.ended_then[i];
    const bool still = person.acknowledged.load() == acknowledged;
    const std::string found = view_.get(id_of(who));
    if (found == "absent" || found == "subject_unknown" || found == "error: subject_erased" ||
        found == "subject_erased") {
      bool erased = false;
      for (std::size_t i = 0; i < then.size(); ++i)
        erased = erased || person.erasures_begun[i] > then[i];
      if (still && acknowledged > dead && !erased)
        history_.violate("what was acknowledged is lost", found);
      return;
    }
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(found.data(), found.data() + found.size(), value);
    if (parsed.ec != std::errc()) return fails("a read fails", found);
    if (value <= dead) history_.violate("who was erased is read", std::to_string(dead - value));
    if (value < acknowledged) history_.violate("an older value is read", "");
    history_.read.fetch_add(1);
  }

  History& history_;
  View& view_;
  std::mt19937_64 random_;
  std::size_t role_;
  std::size_t roles_;
  Errors errors_;
};

}  // namespace efface::test
