// What the examples share: a program ends at the first surprise, and has a store to try things on.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <source_location>
#include <string>

#include "efface/efface.h"

namespace examples {

using namespace efface;

[[noreturn]] inline void surprised(const char* what, std::source_location at) {
  std::fprintf(stderr, "line %u: %s\n", static_cast<unsigned>(at.line()), what);
  std::exit(1);
}

// The value of a call that has to succeed.
template <class T>
T must(Result<T> result, std::source_location at = std::source_location::current()) {
  if (!result) surprised(name(result.error().code()), at);
  return *std::move(result);
}
inline void must(const Status& status, std::source_location at = std::source_location::current()) {
  if (!status) surprised(name(status.error().code()), at);
}
inline void check(bool holds, std::source_location at = std::source_location::current()) {
  if (!holds) surprised("not so", at);
}

// Root keys and a store in a directory of their own. A service keeps its root keys on another
// volume, locks its memory, and does not accept L0: docs/operations.md.
struct Trial {
  enum class Sharing : bool { alone, shared };

  explicit Trial(const std::filesystem::path& directory, Sharing sharing = Sharing::alone) {
    key_file.path = directory / "eu.root";
    key_file.accept_l0 = true;
    key_file.shared = sharing == Sharing::shared;
    options.directory = directory / "people";
    options.accept_l0 = true;
    options.require_locked_memory = false;
    options.shared = key_file.shared;
  }
  Store create() {
    std::filesystem::remove_all(options.directory.parent_path());
    std::filesystem::create_directories(options.directory.parent_path());
    must(FileRootKeyStore::create(key_file));
    root_keys = must(FileRootKeyStore::open(key_file));
    options.regions = {{"eu", root_keys.get()}};
    return must(Store::create(options));
  }
  Store open() {
    root_keys = must(FileRootKeyStore::open(key_file));
    options.regions = {{"eu", root_keys.get()}};
    return must(Store::open(options));
  }

  FileRootKeyStoreOptions key_file;
  OpenOptions options;
  std::unique_ptr<FileRootKeyStore> root_keys;  // Outlives the store.
};

}  // namespace examples
