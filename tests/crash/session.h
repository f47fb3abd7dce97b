// crash/session.h -- an open store over its root key files, that performs operations and tells what
// it holds. Lives in a child process alone.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crash/model.h"
#include "crash/root_key_slots.h"
#include "efface/efface.h"

namespace efface::test {

// Where a store lies. Regions named in elsewhere have a directory of their own beside it.
struct Place {
  std::filesystem::path home;
  std::vector<std::string> regions{"eu"};
  std::vector<std::string> elsewhere{};
  bool mirrored = false;  // Each region's keyring, beside the store.

  std::filesystem::path store() const { return home / "store"; }
  std::filesystem::path root_key(const std::string& region) const {
    return home / (region + ".key");
  }
  std::filesystem::path mirror(const std::string& region) const {
    return home / (region + ".mirror");
  }
  std::filesystem::path keyring(const std::string& region) const {
    return store() / region / "keyring";
  }
  std::filesystem::path volume(const std::string& region) const { return home / (region + ".vol"); }
};

// A root key store that stands before the file's and may break a rule of it.
using RootKeyWrapper =
    std::function<std::unique_ptr<RootKeyStore>(std::unique_ptr<FileRootKeyStore>)>;

class Session {
 public:
  explicit Session(Place place, RootKeyWrapper wrapper = {})
      : place_(std::move(place)), wrapper_(std::move(wrapper)) {}

  // Each answers the error, if any.
  using Failure = std::optional<Error>;
  Failure open_root_keys();
  Failure open();  // The root keys too, unless they are.
  Failure perform(const Op& op);
  void close();

  // All of the tenants asked for, and of them the people asked for.
  struct Universe {
    std::set<std::string> tenants;
    std::set<std::string> ids;
  };
  Result<Model> observe(const Universe& universe);
  // A kind of thing that does not verify (Store::check), or nothing.
  Result<std::optional<std::string>> damage() const;

  bool is_open() const noexcept { return store_.has_value(); }
  const Store& store() const { return *store_; }
  // Of those last observed, who is found by her id and not by a query: its record is missing.
  const std::set<std::string>& unlisted() const noexcept { return unlisted_; }
  bool walks_pages = false;  // Every page before LMDB sees it, at each open.
  // After an erasure or an off-boarding that was acknowledged: where an epoch ended.
  const std::vector<Erasure::InRegion>& ended() const noexcept { return ended_; }
  // The epoch in force in each region, and its key as it stands in the file.
  std::map<std::string, LiveSlot> in_force() const;

 private:
  Failure create();
  Failure perform_on(const Tenant& tenant, const Op& op);
  Failure write(const Tenant& tenant, const Op& op);
  Result<TenantModel> observe(const Tenant& tenant, const std::set<std::string>& ids);
  OpenOptions options(bool creating) const;
  RootKeyStore* hold(const std::string& region, std::unique_ptr<FileRootKeyStore> opened);

  Place place_;
  RootKeyWrapper wrapper_;
  std::map<std::string, std::unique_ptr<RootKeyStore>> root_keys_;
  std::optional<Store> store_;
  std::vector<Erasure::InRegion> ended_;
  std::set<std::string> unlisted_;
};

}  // namespace efface::test
