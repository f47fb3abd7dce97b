// Two processes over one store: one reads, the other erases, and from then on neither reads.
//
// reader DIRECTORY: whatever stands there is replaced. It starts itself once more, as the reader.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "example.h"

namespace {

using namespace examples;

// begin: reader
// The process that reads. It opened the store, and found her, before she was erased elsewhere.
int read_until_she_is_gone(const std::filesystem::path& directory) {
  Trial trial(directory, Trial::Sharing::shared);
  const Store store = trial.open();
  const Tenant tenant = must(store.tenant("acme", Actor("reader")));
  const Activity orders = must(tenant.activity(must(tenant.purpose("orders"))));
  const Subject alice = must(tenant.subject(SubjectId("alice")));
  const auto found = must(orders.get(alice, RecordName("order-1")));
  std::printf("%s\n", std::string(as_text(found->bytes())).c_str());
  std::fflush(stdout);

  check(std::getchar() == '\n');  // The other one has erased her.
  const auto gone = orders.get(alice, RecordName("order-1"));
  std::printf("%s\n", gone ? "still there" : name(gone.error().code()));
  return 0;
}
// end: reader

// The other process, and its standard input and output.
class Process {
 public:
  explicit Process(const char* directory) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    check(::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::array<char*, 4> arguments{const_cast<char*>("reader"), const_cast<char*>(directory),
                                   const_cast<char*>("again"), nullptr};
    check(::posix_spawn(&id_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    to_ = ::fdopen(in[1], "w");
    from_ = ::fdopen(out[0], "r");
  }
  ~Process() {
    std::fclose(to_);
    std::fclose(from_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void tell() const {
    std::fputc('\n', to_);
    std::fflush(to_);
  }
  std::string line() const {
    std::array<char, 100> text{};
    check(std::fgets(text.data(), text.size(), from_) != nullptr);
    std::string said(text.data());
    said.pop_back();
    return said;
  }
  bool ended_well() const {
    int status = 0;
    return ::waitpid(id_, &status, 0) == id_ && status == 0;
  }

 private:
  pid_t id_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return read_until_she_is_gone(argv[1]);
  if (argc != 2) return 2;
  Trial trial(argv[1], Trial::Sharing::shared);
  const Store store = trial.create();
  const Region eu = must(store.region("eu"));
  const Tenant tenant = must(store.declare_tenant("acme", {&eu, 1}, Actor("shop")));
  const Activity orders = must(tenant.activity(must(tenant.declare_purpose({"orders"}))));
  Subject alice = must(tenant.enrol(SubjectId("alice"), eu));
  must(orders.put(alice, RecordName("order-1"), as_bytes("tea")));

  const Process reader(argv[1]);
  check(reader.line() == "tea");
  check(must(tenant.erase(std::move(alice))).erased == 1);
  reader.tell();
  check(reader.line() == "subject_erased" && reader.ended_well());
  std::puts("Erased in one process, and gone in the other.");
  return 0;
}
