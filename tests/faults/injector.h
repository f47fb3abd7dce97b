// faults/injector.h -- every system call on files, every allocation, and every call of LMDB,
// libsodium and libzstd that can fail, counted; one of them fails, or all of its kind from one on.
//
// Shape    The executable defines the C library's functions itself, so that those of LMDB,
//          libsodium and the C++ library come here too; and theirs. Unarmed, calls pass.
// Threads  Counts the calls of all; armed and disarmed by one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace efface::test {

enum class Call : std::uint8_t {
  open,      // open, openat, fopen
  read,      // read, pread
  write,     // write, pwrite, writev, pwritev
  sync,      // fsync, fdatasync
  truncate,  // ftruncate, fallocate
  map,       // mmap, mprotect
  lock_memory,
  rename,
  unlink,
  make_directory,
  status,     // stat, fstat, fstatat, fstatfs
  lock_file,  // fcntl: locks, and descriptors duplicated
  allocate,   // malloc and its kin, and operator new through it
  // Of the libraries (library_calls.cc):
  environment,  // LMDB: what opens an environment and its table
  begin,        // mdb_txn_begin, mdb_txn_renew
  find,         // mdb_get, mdb_cursor_open, mdb_cursor_get
  change,       // mdb_put, mdb_del
  commit,       // mdb_txn_commit
  unseal,       // libsodium: what opens or verifies
  derive,       // libsodium: a key from a passphrase; a seal for a public key
  unpack,       // libzstd: what decompresses
  root_keys,    // the root key store (world.cc): a token that is not there
};
inline constexpr std::size_t call_kinds = 22;
std::string_view name(Call call) noexcept;

// An error number, LMDB's included; or
inline constexpr int half_transfer = -1;  // a transfer takes half of its bytes,
inline constexpr int refused = -2;        // what is sealed does not verify,
inline constexpr int done_unsaid = -3;    // a commit is done, and answers EIO,
inline constexpr int zeroed = -5;         // what is found or opened is all zeros,
inline constexpr int cut = -6;            // is found without its second half,
constexpr int changed_at(int place) { return -100 - place; }  // or has another byte there;
inline constexpr int last_place = 900;                        // this is the last one.

struct Fault {
  std::size_t at = 0;  // Which call, from 1; 0: none. Each of the two below is counted apart.
  bool allocation = false;
  bool library = false;  // A call of a library,
  Call kind{};           // and of this kind: with another one nothing happens.
  int error = 0;
  bool is_a_lie = false;
  bool for_ever = false;   // Every later call of that kind too.
  bool swallowed = false;  // A control: nothing is done, and the answer is that all is well.
  std::size_t chance = 0;  // Not 0: chooses one of the mishaps of its kind, whatever stands above.
};

// What can go wrong with a call of that kind.
struct Mishap {
  int error;
  bool for_ever;
  // What no disk does that has not been tampered with by somebody who holds the keys: a row is gone
  // or another beneath a seal that verifies. A change that believes it may do harm.
  bool is_a_lie = false;
};
std::span<const Mishap> mishaps(Call call) noexcept;

void arm(const Fault& fault);
void stop_at(std::size_t call);  // The process ends in place of that call (allocations apart).
void kill_after_write(std::size_t write);  // It is killed as soon as the system has that one.
void disarm();
bool was_reached();                             // Whether the call of the last arm came.
Call reached();                                 // Its kind.
const std::vector<Call>& calls_seen();          // In order, since arm; without allocations.
const std::vector<Call>& library_calls_seen();  // Likewise.
std::size_t allocations_seen();                 // Since arm.
std::ptrdiff_t blocks_live();                   // Allocated and not yet freed, in this process.

// While it lives, no call of this thread is counted or fails: for what the tests do themselves.
class Unhindered {
 public:
  Unhindered() noexcept;
  ~Unhindered();
  Unhindered(const Unhindered&) = delete;
  Unhindered& operator=(const Unhindered&) = delete;

 private:
  bool outer_;
};
inline constexpr int stopped_status = 77;

}  // namespace efface::test
