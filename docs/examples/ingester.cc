// Takes in events, on several threads and in batches, and keeps those of people who consented.
//
// ingester DIRECTORY: whatever stands there is replaced.
#include <algorithm>
#include <atomic>
#include <map>
#include <span>
#include <thread>
#include <vector>

#include "example.h"

namespace {

using namespace examples;

struct Click {
  std::string who;
  std::string name;
  std::string what;
};

// begin: ingester
class Ingester {
 public:
  Ingester(Activity activity, Region region, const std::map<std::string, Subject>& people)
      : activity_(std::move(activity)), region_(region), people_(people) {}

  // Of any thread. A batch is acknowledged ahead of its commit: it is on disk once Store::sync has
  // answered, which is when the source of the events may forget them.
  void take(std::span<const Click> events) {
    constexpr std::size_t batch_events = 250;
    for (; !events.empty(); events = events.subspan(std::min(batch_events, events.size()))) {
      const auto some = events.first(std::min(batch_events, events.size()));
      Batch batch = activity_.batch(region_);
      std::size_t refused = 0;
      for (const Click& event : some)
        if (!batch.put(people_.at(event.who), RecordName(event.name), as_bytes(event.what)))
          ++refused;  // She did not consent, or is restricted: it is not kept.
      const std::size_t sealed = batch.records();
      if (activity_.commit(std::move(batch), Durability::relaxed)) {
        kept += sealed;
        dropped += refused;
      } else {
        take_one_by_one(some);
      }
    }
  }

  std::atomic<std::size_t> kept{0};
  std::atomic<std::size_t> dropped{0};

 private:
  // Somebody went, or her keys were replaced, since her event was sealed: nothing of that batch is
  // kept, and each is decided by itself.
  void take_one_by_one(std::span<const Click> events) {
    for (const Click& event : events) {
      const Status put =
          activity_.put(people_.at(event.who), RecordName(event.name), as_bytes(event.what));
      ++(put ? kept : dropped);
    }
  }

  Activity activity_;
  Region region_;
  const std::map<std::string, Subject>& people_;
};
// end: ingester

std::map<std::string, Subject> enrol(const Tenant& tenant, const Region& region) {
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back("user-" + std::to_string(i));
  const std::vector<SubjectId> ids(names.begin(), names.end());
  std::vector<Subject> subjects = must(tenant.find_or_enrol(ids, region));
  std::map<std::string, Subject> people;
  for (std::size_t i = 0; i < names.size(); ++i) people.emplace(names[i], std::move(subjects[i]));
  return people;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Trial trial(argv[1]);
  const Store store = trial.create();
  const Region eu = must(store.region("eu"));
  const Tenant tenant = must(store.declare_tenant("acme", {&eu, 1}, Actor("ingester")));
  const Purpose analytics = must(tenant.declare_purpose({"analytics", LegalBasis::consent}));
  const std::map<std::string, Subject> people = enrol(tenant, eu);
  for (const auto& [id, subject] : people)
    if (id.ends_with('7'))
      must(tenant.grant(subject, analytics, {.text_version = "2026-05", .channel = "app"}));

  std::vector<Click> events;
  for (int i = 0; i < 6'000; ++i)
    events.push_back({"user-" + std::to_string(i % 60), "event-" + std::to_string(i), "clicked"});
  const Activity activity = must(tenant.activity(analytics));
  Ingester ingester(activity, eu, people);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] { ingester.take(std::span(events).subspan(t * 1'500, 1'500)); });
  for (std::thread& thread : threads) thread.join();
  must(store.sync());
  check(ingester.kept == 600 && ingester.dropped == 5'400);

  // One who takes her consent back takes all of it along.
  const Subject& seventh = people.at("user-7");
  check(must(activity.get(seventh, RecordName("event-7"))).has_value());
  check(must(tenant.withdraw(seventh, analytics)).erased == 1);
  check(activity.get(seventh, RecordName("event-7")).error().code() == Errc::consent_missing);
  std::puts("600 events of 6 people kept, 5400 of 54 not");
  return 0;
}
