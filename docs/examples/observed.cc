// A store that tells what happens to it: lines for a log, and a trace that Perfetto, speedscope and
// chrome://tracing open.
//
// observed DIRECTORY: whatever stands there is replaced. The trace is DIRECTORY.trace.json.
#include <fstream>
#include <mutex>
#include <vector>

#include "example.h"

namespace {

using namespace examples;

// begin: trace
// One complete event a span (Chrome's trace event format). Nothing has to be escaped: names are
// texts of the library, and a region's name is a label.
class ChromeTrace {
 public:
  explicit ChromeTrace(const std::filesystem::path& path) : file_(path) { file_ << "["; }
  ~ChromeTrace() { file_ << "\n]\n"; }

  void add(const TraceSpan& span) {
    using Microseconds = std::chrono::duration<double, std::micro>;
    const std::lock_guard one(mutex_);
    file_ << (first_ ? "\n" : ",\n") << std::fixed << R"({"ph":"X","pid":1,"tid":)" << span.thread
          << R"(,"name":")" << span.name.text << R"(","ts":)" << Microseconds(span.began).count()
          << R"(,"dur":)" << Microseconds(span.took).count() << R"(,"args":{"region":")"
          << span.region << R"(","error":")" << (span.error ? name(span.error->code()) : "")
          << R"("}})";
    first_ = false;
  }

 private:
  std::mutex mutex_;
  std::ofstream file_;
  bool first_ = true;
};
// end: trace

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Trial trial(argv[1]);
  ChromeTrace trace(std::string(argv[1]) + ".trace.json");
  // begin: hooks
  std::mutex mutex;
  std::vector<std::string> lines;
  trial.options.on_log = [&](const LogEntry& entry) {
    const std::lock_guard one(mutex);
    lines.push_back(to_text(entry));
  };
  trial.options.trace.end = [&](const TraceSpan& span) { trace.add(span); };
  // end: hooks
  {
    const Store store = trial.create();
    const Region eu = must(store.region("eu"));
    const Tenant tenant = must(store.declare_tenant("acme", {&eu, 1}, Actor("shop")));
    const Activity orders = must(tenant.activity(must(tenant.declare_purpose({"orders"}))));
    Subject alice = must(tenant.enrol(SubjectId("alice"), eu));
    must(orders.put(alice, RecordName("order-1"), as_bytes("tea")));
    must(tenant.erase(std::move(alice)));
    must(store.maintain());
  }
  for (const std::string& line : lines) std::puts(line.c_str());
  return 0;
}
