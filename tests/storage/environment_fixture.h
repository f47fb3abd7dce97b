// storage/environment_fixture.h -- one small environment in a directory of its own.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "os/file.h"
#include "storage/environment.h"
#include "support/temp_directory.h"

namespace efface::storage {

// The code, or nothing where the call went well.
template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

inline std::string numbered_key(std::uint64_t number) {
  std::string key = std::to_string(number);
  return std::string(12 - key.size(), '0') + key;
}

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    options_.map_bytes = std::size_t{1} << 20;
    options_.map_bytes_max = std::size_t{256} << 20;
    options_.headroom_bytes = std::size_t{1} << 20;
    options_.deadline = std::chrono::milliseconds(10'000);
    options_.verify_structure = true;
  }

  os::Directory directory() const { return os::Directory::open(room_.path()).value(); }
  void create() const { ASSERT_TRUE(Environment::create(directory(), options_)); }
  Result<Environment> reopen() const { return Environment::open(directory(), options_); }
  Environment create_and_open() const {
    create();
    return reopen().value();
  }

  static Status put(const Environment& environment, std::string_view key, std::string_view value,
                    Space space = Space::ordinary) {
    auto txn = environment.write(space);
    if (!txn) return txn.error();
    if (auto done = txn->put(as_bytes(key), as_bytes(value)); !done) return done;
    return std::move(*txn).commit();
  }
  // As callers do: again and again while the map can grow.
  static Status put_growing(const Environment& environment, std::string_view key,
                            std::string_view value) {
    for (;;) {
      Status done = put(environment, key, value);
      if (done || done.error().code() != Errc::full || !environment.can_grow()) return done;
    }
  }
  static Status remove(const Environment& environment, std::string_view key) {
    auto txn = environment.write(Space::removal);
    if (!txn) return txn.error();
    if (auto done = txn->remove(as_bytes(key)); !done) return done.error();
    return std::move(*txn).commit();
  }
  static std::optional<std::string> get(const Environment& environment, std::string_view key) {
    auto txn = environment.read();
    if (!txn) return std::nullopt;
    auto found = txn->get(as_bytes(key));
    if (!found || !*found) return std::nullopt;
    return std::string(as_text(**found));
  }

  test::TempDirectory room_;
  EnvironmentOptions options_;
};

}  // namespace efface::storage
