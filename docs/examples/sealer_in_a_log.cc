// A service that keeps its data elsewhere and uses efface as keyring: a log to which everybody's
// events are only ever appended, and from which one person can be erased all the same.
//
// sealer_in_a_log DIRECTORY: whatever stands there is replaced.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "efface/efface.h"

namespace {

using namespace efface;
namespace fs = std::filesystem;

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s: %s\n", name(result.error().code()), result.error().note());
  std::exit(1);
}

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

// A line an event: whose it is, by a number of the log's own, and the event, sealed, in
// hexadecimal.
class EventLog {
 public:
  EventLog(fs::path path, Sealer sealer) : path_(std::move(path)), sealer_(std::move(sealer)) {}

  void append(int customer, const Subject& subject, std::string_view event) {
    const std::string context = context_of(customer);
    const auto sealed = must(sealer_.seal(subject, SealContext(context), as_bytes(event)));
    std::ofstream out(path_, std::ios::app);
    out << customer << ' ';
    for (const std::byte b : sealed) {
      constexpr std::string_view digits = "0123456789abcdef";
      out << digits[std::to_integer<unsigned>(b) >> 4] << digits[std::to_integer<unsigned>(b) & 15];
    }
    out << '\n';
  }

  // What opens of the customer's events; how many do not is counted.
  std::vector<std::string> read(int customer, const Subject& subject, int& sealed_for_ever) const {
    const std::string context = context_of(customer);
    std::vector<std::string> events;
    std::ifstream in(path_);
    int whose = 0;
    for (std::string hex; in >> whose >> hex;) {
      if (whose != customer) continue;
      std::vector<std::byte> sealed;
      for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        sealed.push_back(std::byte(std::stoi(hex.substr(i, 2), nullptr, 16)));
      const auto opened = sealer_.open(subject, SealContext(context), sealed);
      if (opened)
        events.emplace_back(as_text(opened->bytes()));
      else
        ++sealed_for_ever;
    }
    return events;
  }

 private:
  // Bound to the customer's number: a line that somebody copies to another customer does not open.
  static std::string context_of(int customer) { return "events/" + std::to_string(customer); }

  fs::path path_;
  Sealer sealer_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const fs::path directory = argv[1];
  fs::remove_all(directory);
  fs::create_directories(directory);

  FileRootKeyStoreOptions key_file;
  key_file.path = directory / "root.key";
  key_file.accept_l0 = true;  // Whatever file system this runs on.
  const auto root_keys = must(FileRootKeyStore::create(key_file));
  OpenOptions options;
  options.directory = directory / "store";
  options.regions = {{"eu", root_keys.get()}};
  options.accept_l0 = true;
  options.require_locked_memory = false;
  const Store store = must(Store::create(options));
  const Region eu = must(store.region("eu"));
  const Region regions[] = {eu};
  const Tenant tenant = must(store.declare_tenant("acme", regions, Actor("shop")));
  const Purpose analytics = must(tenant.declare_purpose({"analytics"}));

  EventLog log(directory / "events.log", must(tenant.sealer(analytics)));
  Subject alice = must(tenant.enrol(SubjectId("alice"), eu));
  const Subject bob = must(tenant.enrol(SubjectId("bob"), eu));
  log.append(1, alice, "looked at shoes");
  log.append(2, bob, "looked at hats");
  log.append(1, alice, "bought shoes");

  int lost = 0;
  check(log.read(1, alice, lost).size() == 2 && lost == 0, "both of her events open");
  fs::copy_file(directory / "events.log", directory / "events.log.backup");

  // Not a byte of the log, or of its backup, changes.
  check(must(tenant.erase(std::move(alice))).erased == 1, "she is erased");
  const Subject anew = must(tenant.enrol(SubjectId("alice"), eu));
  check(log.read(1, anew, lost).empty() && lost == 2, "neither of them opens any more");
  lost = 0;
  check(log.read(2, bob, lost).size() == 1 && lost == 0, "his event does");
  std::puts("Erased from a log that was never rewritten.");
  return 0;
}
