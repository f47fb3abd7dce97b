#include <array>
#include <cctype>
#include <vector>

#include "house/rules.h"

namespace house {
namespace {

enum class Kind {
  word,         // anywhere
  call,         // name(, ::name( or std::name(; not a member's and not of another namespace
  global,       // ::name( alone: the name is one that our own types use too
  file_system,  // filesystem::name( or fs::name(
};

struct Ban {
  std::string_view name;
  Kind kind;
  std::vector<std::string_view> in;
  std::vector<std::string_view> except;
  std::string_view instead;
};

void add(std::vector<Ban>& bans, std::initializer_list<std::string_view> names, Kind kind,
         const std::vector<std::string_view>& in, const std::vector<std::string_view>& except,
         std::string_view instead) {
  for (const std::string_view name : names) bans.push_back({name, kind, in, except, instead});
}

const std::vector<Ban>& all_bans() {
  static const auto* const all = [] {
    using V = std::vector<std::string_view>;
    const V ours = {"lib", "include", "tools"};
    const V everywhere = {"lib", "include", "tools", "tests", "bench", "fuzz", "docs"};
    auto* const bans = new std::vector<Ban>;

    // Secrets.
    add(*bans, {"memset", "bzero", "explicit_bzero"}, Kind::call, ours, {},
        "crypto::wipe for secrets (compilers drop memset), {} for the rest");
    add(*bans, {"sodium_malloc", "sodium_allocarray"}, Kind::call, {"lib"}, {},
        "crypto::SecretKey or crypto::SecretBuffer");
    add(*bans, {"rand", "srand", "random", "drand48", "random_device", "getrandom"}, Kind::call,
        ours, {"lib/crypto"}, "crypto::fill_random, or crypto::SecretKey::random for keys");
    add(*bans, {"rand", "srand", "random_device"}, Kind::word, {"tests", "bench", "fuzz"}, {},
        "a seeded std::mt19937_64: a failure must come again");
    add(*bans, {"random_device", "mt19937", "mt19937_64"}, Kind::word, ours, {},
        "crypto::fill_random");

    // Strings and output.
    add(*bans, {"strcpy", "strcat", "strncpy", "sprintf", "vsprintf", "gets", "strtok"}, Kind::call,
        everywhere, {}, "std::string, or std::snprintf into a buffer of known size");
    add(*bans, {"printf", "fprintf", "puts", "fputs", "perror", "syslog"}, Kind::call,
        {"lib", "include"}, {"lib/base/check.cc"}, "an Error: the library prints nothing");
    add(*bans, {"cout", "cerr", "clog"}, Kind::word, {"lib", "include"}, {},
        "an Error: the library prints nothing");
    add(*bans, {"atoi", "atol", "atof"}, Kind::call, everywhere, {}, "std::from_chars");

    // Files: the fault seam.
    const std::string_view seam =
        "os::File or os::Directory: the one place where tests make it fail";
    add(*bans, {"openat",    "creat",           "fsync",     "fdatasync", "sync_file_range",
                "syncfs",    "msync",           "renameat",  "pwrite",    "pwritev",
                "writev",    "ftruncate",       "fallocate", "unlinkat",  "mkdirat",
                "symlinkat", "posix_fallocate", "renameat2", "linkat",    "fopen",
                "freopen",   "mkstemp",         "mkdtemp",   "sendfile",  "copy_file_range"},
        Kind::call, {"lib"}, {"lib/os"}, seam);
    add(*bans,
        {"open", "write", "rename", "unlink", "truncate", "link", "symlink", "mkdir", "rmdir",
         "remove", "read", "pread", "close"},
        Kind::global, {"lib"}, {"lib/os"}, seam);
    add(*bans, {"ofstream", "fstream", "ifstream", "FILE"}, Kind::word, {"lib", "include"},
        {"lib/os"}, seam);
    add(*bans,
        {"create_directory", "create_directories", "remove", "remove_all", "rename", "resize_file",
         "copy_file", "copy", "permissions", "create_symlink", "create_hard_link"},
        Kind::file_system, {"lib"}, {"lib/os"}, seam);

    // LMDB.
    add(*bans, {"MDB_NOSYNC", "MDB_NOMETASYNC", "MDB_MAPASYNC"}, Kind::word, {"lib", "tools"}, {},
        "one transaction for many writes: with this flag an erased key comes back");
    add(*bans, {"MDB_WRITEMAP"}, Kind::word, {"lib", "tools"}, {},
        "plain writes: a stray pointer must not reach the file");
    add(*bans, {"MDB_NOMEMINIT", "MDB_NOLOCK", "MDB_FIXEDMAP"}, Kind::word, {"lib", "tools"}, {},
        "the default: heap bytes, lost readers or moved maps are not worth it");

    // The choke point.
    add(*bans, {"open_record", "open_group", "open_value"}, Kind::word, {"lib"},
        {"lib/access", "lib/records"}, "lib/access: no record is opened but for who is admitted");

    // Time, processes, invariants.
    add(*bans, {"assert"}, Kind::call, {"lib", "include", "tools"}, {},
        "EFFACE_CHECK: it stays in every build");
    add(*bans, {"system", "popen"}, Kind::call, ours, {}, "nothing: no shell");
    add(*bans, {"getenv", "setenv"}, Kind::call, {"lib", "include"}, {}, "an option of the caller");
    add(*bans, {"std::thread", "std::jthread", "std::async", "pthread_create"}, Kind::word, {"lib"},
        {}, "the caller's thread: the library starts none");
    add(*bans, {"localtime", "gmtime", "ctime", "gettimeofday", "mktime"}, Kind::call,
        {"lib", "include"}, {"lib/base"}, "std::chrono, from the clock of base/");
    add(*bans, {"throw"}, Kind::word, {"lib/api", "include"}, {},
        "an Error: nothing is thrown across the public interface");
    add(*bans, {"using namespace std;"}, Kind::word, everywhere, {}, "std::, or one name");
    return bans;
  }();
  return *all;
}

std::string_view qualifier_before(std::string_view code, std::size_t at) {
  if (at < 2 || code.substr(at - 2, 2) != "::") return {};
  std::size_t begin = at - 2;
  while (begin > 0 &&
         (std::isalnum(static_cast<unsigned char>(code[begin - 1])) != 0 || code[begin - 1] == '_'))
    --begin;
  return code.substr(begin, at - 2 - begin);
}

bool matches(std::string_view code, std::size_t at, const Ban& ban) {
  if (ban.kind == Kind::word) return true;
  const std::size_t after = code.find_first_not_of(" \t\n", at + ban.name.size());
  if (after == std::string_view::npos || (code[after] != '(' && code[after] != '{')) return false;
  if (at > 0 && code[at - 1] == '.') return false;
  if (at > 1 && code.substr(at - 2, 2) == "->") return false;
  const bool qualified = at > 1 && code.substr(at - 2, 2) == "::";
  const std::string_view qualifier = qualifier_before(code, at);
  if (ban.kind == Kind::file_system) return qualifier == "filesystem" || qualifier == "fs";
  if (ban.kind == Kind::global) return qualified && qualifier.empty();
  return !qualified || qualifier.empty() || qualifier == "std";
}

bool applies(const Ban& ban, const File& file) {
  for (const std::string_view place : ban.except)
    if (file.path == place || stands_in(file, place)) return false;
  for (const std::string_view place : ban.in)
    if (stands_in(file, place)) return true;
  return false;
}

}  // namespace

Findings nothing_banned_is_called(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_cxx(file)) continue;
    const std::string code = code_alone(file.text);
    for (const Ban& ban : all_bans()) {
      if (!applies(ban, file)) continue;
      for (const std::size_t at : places_of(code, ban.name))
        if (matches(code, at, ban))
          findings.push_back({file.path, line_at(code, at),
                              std::string(ban.name) + ": use " + std::string(ban.instead)});
    }
    if (stands_in(file, "lib") && !stands_in(file, "lib/storage")) {
      for (std::size_t at = code.find("mdb_"); at != std::string::npos;
           at = code.find("mdb_", at + 4))
        if (at == 0 ||
            (std::isalnum(static_cast<unsigned char>(code[at - 1])) == 0 && code[at - 1] != '_'))
          findings.push_back({file.path, line_at(code, at), "mdb_: use storage::Environment"});
    }
  }
  return findings;
}

}  // namespace house
