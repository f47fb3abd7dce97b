#include "support/tables.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "support/goals.h"

namespace efface::bench {
namespace {

constexpr std::array<const char*, 4> roles = {"controller", "customer", "processor", "regulator"};
constexpr std::array<const char*, 2> mixes = {"shipped", "paper"};

std::string format(const char* how, double value) {
  char text[64];
  std::snprintf(text, sizeof text, how, value);
  return text;
}

// "10000" as "10,000".
std::string grouped(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string whole(double value) { return grouped(format("%.0f", value)); }

std::string shown(double value) {
  if (value >= 100) return whole(value);
  return format(value < 0.1 ? "%.4f" : "%.2f", value);
}

std::string median_or_dash(const Measured& measured, const std::string& name) {
  return measured.has(name) ? shown(measured.median(name)) : "-";
}

// The arguments that a bench was run with: those of "erase/1", "erase/10" are 1 and 10.
std::vector<std::size_t> arguments_of(const Measured& measured, const std::string& bench) {
  std::vector<std::size_t> all;
  for (const std::string& name : measured.names()) {
    if (!name.starts_with(bench + "/")) continue;
    char* end = nullptr;
    const std::size_t argument = std::strtoull(name.c_str() + bench.size() + 1, &end, 10);
    if (*end == '\0') all.push_back(argument);
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::string row(std::initializer_list<std::string> cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out.append(" ").append(cell).append(" |");
  return out.append("\n");
}

std::string of(const std::string& bench, std::size_t argument) {
  return bench + "/" + std::to_string(argument);
}

}  // namespace

std::vector<std::string> peer_names(const Measured& measured) {
  std::vector<std::string> all;
  for (const char* const name :
       {"efface", "lmdb", "rocksdb", "sqlite", "sqlcipher", "postgresql", "redis"})
    if (measured.has(std::string(name) + "/get")) all.emplace_back(name);
  return all;
}

std::string goals_table(const Measured& measured) {
  std::string out = "| goal | question | measured | wanted | |\n|---|---|---:|---:|---|\n";
  for (const Goal& goal : goals()) {
    const std::optional<double> value = goal.value(measured);
    const bool at_most = goal.reach == Reach::at_most;
    const char* verdict = "not measured";
    if (value) {
      const bool reached = at_most ? *value <= goal.limit : *value >= goal.limit;
      verdict = reached ? "reached" : "not yet";
    }
    out += "| `" + goal.name + "` | " + goal.question + " | " + (value ? shown(*value) : "") +
           " | " + (at_most ? "at most " : "at least ") + format("%g", goal.limit) + " | " +
           verdict + " |\n";
  }
  return out;
}

std::string erase_table(const Measured& measured) {
  std::string out =
      "| records of the person | efface, erase (us) | LMDB, delete them all (us) |\n"
      "|---:|---:|---:|\n";
  for (const std::size_t records : arguments_of(measured, "erase"))
    out += row({whole(static_cast<double>(records)), whole(measured.median(of("erase", records))),
                whole(measured.median(of("lmdb_delete", records)))});
  return out;
}

std::string rate_table(const Measured& measured) {
  const auto per_second = [&](double people, const std::string& name) {
    return whole(people * 1e6 / measured.median(name));
  };
  std::string out = "| at once | people a second |\n|---|---:|\n";
  for (const std::size_t people : arguments_of(measured, "erase_bulk")) {
    const auto n = static_cast<double>(people);
    out += row({whole(n) + " in one call", per_second(n, of("erase_bulk", people))});
  }
  for (const int threads : {1, 2, 4, 8, 16, 32, 64}) {
    std::string name = "erase_threads";
    if (threads > 1) name.append(" threads:").append(std::to_string(threads));
    if (measured.has(name))
      out += row({std::string("one each, threads: ").append(std::to_string(threads)),
                  per_second(1, name)});
  }
  for (const std::size_t people : arguments_of(measured, "lmdb_delete_bulk")) {
    const auto n = static_cast<double>(people);
    out += row({std::string("LMDB: ").append(whole(n)) + " of 100 records in one transaction",
                per_second(n, of("lmdb_delete_bulk", people))});
  }
  return out;
}

std::string page_table(const Measured& measured) {
  if (arguments_of(measured, "pages_scattered").empty()) return "";
  std::string out =
      "| pages of 4 KiB in a commit | at random places, then one more: two waits (us) | side by "
      "side: "
      "one wait (us) |\n|---:|---:|---:|\n";
  for (const std::size_t pages : arguments_of(measured, "pages_scattered"))
    out += row({whole(static_cast<double>(pages)),
                whole(measured.median(of("pages_scattered", pages))),
                whole(measured.median(of("pages_side_by_side", pages)))});
  return out;
}

std::string times_table(const Measured& measured) {
  struct What {
    const char* name;
    const char* says;
  };
  static constexpr What all[] = {
      {"erase_one", "erase, durable"},
      {"erase_under_load", "the same, while another thread puts"},
      {"lmdb_put", "LMDB: put of 200 B, durable"},
      {"expiry/1000", "destroy an expired day of 1,000 records"},
      {"expiry_sweep/1000", "remove their ciphertext"},
      {"expiry/1000000", "destroy an expired day of 1M records"},
      {"expiry_sweep/1000000", "remove their ciphertext"},
      {"get", "get of 200 B"},
      {"visit", "visit of 200 B (no copy for the caller)"},
      {"lmdb_get", "LMDB: get of 200 B, renewed read transaction"},
      {"put_1000", "1,000 puts of 200 B, one durable commit"},
      {"lmdb_put_1000", "LMDB: the same"},
      {"put_one", "put of 200 B, durable"},
      {"put_one threads:8", "the same, eight threads at once"},
      {"lmdb_put_one", "LMDB: the same, one thread"},
      {"put_relaxed", "put of 200 B, relaxed, with its share of commits"},
      {"put_relaxed threads:8", "the same, eight threads at once"},
      {"enrol_one", "enrol a person, durable"},
      {"enrol_one threads:8", "the same, eight threads at once"}};
  std::string out = "| operation | median (us) | middle half (us) |\n|---|---:|---:|\n";
  for (const What& what : all) {
    if (!measured.has(what.name)) continue;
    std::vector<double> times = measured.times(what.name);
    std::sort(times.begin(), times.end());
    out += std::string("| ") + what.says + " | " + shown(median_of(times)) + " | " +
           shown(times[times.size() / 4]) + " to " + shown(times[times.size() * 3 / 4]) + " |\n";
  }
  return out;
}

std::string peers_table(const Measured& measured) {
  const std::vector<std::string> names = peer_names(measured);
  if (names.empty()) return "";
  std::string out = "| | get (us) | 1,000 puts (us) | files (MB) |";
  std::string line = "|---|---:|---:|---:|";
  std::vector<std::string> erasures;
  const auto add = [&](const char* bench, const char* what) {
    for (const std::size_t n : arguments_of(measured, names.front() + bench)) {
      erasures.push_back(of(bench, n));
      out.append(" erase ").append(whole(static_cast<double>(n))).append(what);
      line += "---:|";
    }
  };
  add("/erase", " (us) |");
  add("/erase_people", " people of 100 (us) |");
  out.append("\n").append(line).append("\n");
  for (const std::string& name : names) {
    out += "| " + name + " | " + shown(measured.median(name + "/get")) + " | " +
           shown(measured.median(name + "/put_1000")) + " | " +
           format("%.1f", measured.bytes(name + "/size") / 1e6) + " |";
    for (const std::string& erasure : erasures)
      out.append(" ").append(whole(measured.median(name + erasure))).append(" |");
    out += "\n";
  }
  return out;
}

std::string fairness_notes(const Measured& measured) {
  std::string out;
  for (const std::string& name : peer_names(measured)) {
    const auto word = [&](const char* what) {
      const auto found = measured.words().find("peer " + name + " " + what);
      return found == measured.words().end() ? std::string() : found->second;
    };
    const std::string sealed = word("sealed");
    out += "* **" + name + "** (" + word("version") + "): " + word("settings") +
           ". Encrypted: " + (sealed.empty() ? "nothing" : sealed) +
           ". Erasing: " + word("erasing") + ".\n";
  }
  return out;
}

std::string gdprbench_table(const Measured& measured) {
  std::string out =
      "| role | mix | against | operations | efface (s) | it (s) | ratio | answers right | space "
      "|\n|---|---|---|---:|---:|---:|---:|---:|---:|\n";
  bool any = false;
  for (const char* const role : roles) {
    for (const char* const mix : mixes) {
      const std::string which = std::string(role) + "/" + mix;
      for (const char* const peer :
           {"redis", "postgresql", "redis_as_shipped", "postgresql_as_shipped"}) {
        const auto both = compared(measured, which, peer);
        if (!both) continue;
        any = true;
        const auto both_of = [&](const char* what, const char* how, double times) {
          return format(how, times * measured.counter("gdprbench/" + which + "/efface", what)) +
                 ", " +
                 format(how, times * measured.counter("gdprbench/" + which + "/" + peer, what));
        };
        out += std::string("| ") + role + " | " + mix + " | " + peer + " | " +
               whole(static_cast<double>(both->operations)) + " | " + shown(both->ours) + " | " +
               shown(both->theirs) + " | " + shown(both->ours / both->theirs) + " | " +
               both_of("right", "%.4g %%", 100) + " | " + both_of("space", "%.1f", 1) + " |\n";
      }
    }
  }
  return any ? out : "";
}

std::string gdprbench_notes(const Measured& measured) {
  std::string out;
  for (const auto& [key, value] : measured.words())
    if (key.starts_with("gdprbench "))
      out += "* **" + key.substr(std::string("gdprbench ").size()) + "**: " + value + ".\n";
  return out;
}

std::string scale_table(const Measured& measured) {
  std::string out =
      "| people | enrol one (us) | open (us) | find and read one (us) | erase one (us) | count all "
      "of a purpose (ms) | keyring (MB) | keyring, a person (B) | memory, opened (MB) |\n"
      "|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const std::size_t people : arguments_of(measured, "scale_open")) {
    const auto n = static_cast<double>(people);
    const double bytes = measured.bytes(of("scale_size", people));
    out += "| " + whole(n);
    for (const char* const what : {"scale_enrol", "scale_open", "scale_read", "scale_erase"})
      out += " | " + median_or_dash(measured, of(what, people));
    out += " | " + shown(measured.median(of("scale_count", people)) / 1e3) + " | " +
           format("%.1f", bytes / 1e6) + " | " + whole(bytes / n) + " | " +
           format("%.1f", measured.counter(of("scale_open", people), "memory_bytes") / 1e6) +
           " |\n";
  }
  return out;
}

}  // namespace efface::bench
