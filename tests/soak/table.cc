#include <span>
#include <string>

#include "soak/soak.h"

namespace efface::test {
namespace {

std::string number(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

void row(std::string& table, const std::string& what, const std::string& figure) {
  table += "| " + what + " | " + figure + " |\n";
}
void row(std::string& table, const std::string& what, std::uint64_t figure) {
  row(table, what, number(figure));
}

void gauge(std::string& table, const std::string& what, const Samples& samples,
           std::uint64_t Gauges::* of) {
  row(table, what, number(settled(samples).*of) + ", " + number(late(samples).*of));
}

Gauges peak_of(std::span<const Gauges> some) {
  Gauges all;
  for (const Gauges& one : some) all = peak(all, one);
  return all;
}

}  // namespace

Gauges settled(const Samples& samples) {
  return peak_of(std::span(samples).subspan(samples.size() / 4, samples.size() / 4));
}
Gauges late(const Samples& samples) {
  const std::size_t from = samples.size() * 3 / 4;
  return peak_of(std::span(samples).subspan(from, samples.size() - 1 - from));
}
std::uint64_t keyring_bytes_per_commit(const Samples& samples) {
  const Gauges& first = samples[samples.size() / 4];
  const Gauges& last = samples.back();
  const std::uint64_t commits = last.keyring_commits - first.keyring_commits;
  return commits == 0 ? 0 : (last.keyring_bytes - first.keyring_bytes) / commits;
}

std::string table_of(const Soak& soak, const SoakPlan& plan, const Samples& samples) {
  std::string table = "| | |\n|---|---|\n";
  row(table, "seconds", plan.seconds);
  row(table, "operations compared with the history", soak.history.operations);
  row(table, "of these erasures of somebody", soak.history.erased);
  row(table, "of these values read", soak.history.read);
  row(table, "tenants, from declared to off-boarded", soak.tenants);
  row(table, "processes", soak.children + 1);
  row(table, "of these killed", soak.kills);
  row(table, "times stopped and continued", soak.stops);
  row(table, "calls and allocations that were made to fail", soak.faults);
  row(table, "sweeps and checks of the whole store, nothing damaged", soak.checks);
  row(table, "objects opened by them", soak.objects_checked);
  row(table, "people found in copies of the files before their erasure", soak.people_in_copies);
  row(table, "people found in the same copies after it", soak.people_in_copies_after);
  row(table, "violations", soak.history.violated ? 1 : 0);
  gauge(table, "memory of the process that stays, bytes", samples, &Gauges::memory_bytes);
  gauge(table, "its descriptors", samples, &Gauges::descriptors);
  gauge(table, "its threads", samples, &Gauges::threads);
  gauge(table, "data files of records, bytes", samples, &Gauges::records_bytes);
  gauge(table, "data files of keyrings, bytes", samples, &Gauges::keyring_bytes);
  row(table, "growth of keyrings for each commit (the ledger), bytes",
      keyring_bytes_per_commit(samples));
  gauge(table, "reader slots", samples, &Gauges::reader_slots);
  gauge(table, "commits since the oldest snapshot", samples, &Gauges::reader_lag);
  return table;
}

}  // namespace efface::test
