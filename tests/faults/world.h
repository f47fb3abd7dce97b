// faults/world.h -- a small store with something of everything in it, open in a child process; and
// what it holds, as text that two stores can be compared by.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "efface/efface.h"

namespace efface::test {

// How it is opened.
enum class Manner : std::uint8_t {
  alone,
  mirrored,   // With a mirror of the keyring.
  shared,     // As one of several processes.
  verified,   // Every page is walked first.
  elsewhere,  // With its region, and the copy of its ledger, apart.
  // With another root key store:
  passphrase,  // a file that is sealed,
  composite,   // two files, of which either is enough to destroy,
  replicated,  // or two that have the same.
};

class World {
 public:
  explicit World(std::filesystem::path home, bool two_regions = false, Days later = {},
                 Manner manner = Manner::alone);

  // Everything anew: the root key files, the store, tenant "acme" with people in every state.
  Status make();
  Status create_root_keys();  // Those that are not there.
  Status create_store();      // Nobody in it.
  Status open_root_keys();
  Status open_store();
  Status open();  // Both.
  void close();
  // The root key file that "eu" moves to, made if need be; and the one that it has left.
  Status open_next_root_keys();
  Status open_left_root_keys();
  FileRootKeyStore& other_root_keys() { return *other_root_keys_; }

  OpenOptions options() const;
  std::function<void(OpenOptions&)> also{};  // What else is asked for.
  std::filesystem::path root_key(const std::string& region) const {
    return home_ / (region + ".key");
  }
  // The first of them is that one.
  std::vector<FileRootKeyStoreOptions> root_key_files(const std::string& region) const;
  Manner manner() const noexcept { return manner_; }
  std::filesystem::path next_root_key() const { return home_ / "eu.next.key"; }
  std::filesystem::path mirror(const std::string& region) const {
    return home_ / (region + ".mirror");
  }
  std::filesystem::path elsewhere(const std::string& region) const {
    return home_ / (region + ".region");
  }
  std::filesystem::path backup() const;
  std::filesystem::path capsule() const;
  const std::filesystem::path& home() const noexcept { return home_; }
  const std::vector<std::string>& region_names() const noexcept { return region_names_; }

  Store& store() { return *store_; }
  Tenant& tenant() { return *tenant_; }
  bool has_tenant() const noexcept { return tenant_.has_value(); }
  bool is_open() const noexcept { return store_.has_value(); }
  std::vector<Region> regions() const;
  Region region(const char* name = "eu") { return store_->region(name).value(); }
  // Obtained before anything fails.
  Purpose purpose(std::string_view name) { return tenant_->purpose(name).value(); }
  Activity activity(std::string_view name) { return tenant_->activity(purpose(name)).value(); }
  Subject subject(std::string_view id) { return tenant_->subject(SubjectId(id)).value(); }

  // What is there: tenants, terms, people, records, files, incidents. Never of times or of numbers
  // that a repetition changes. Errors: of reading.
  Result<std::string> observe();
  // The epochs in force, of every region.
  Result<std::map<std::string, Epoch>> epochs();

 private:
  struct RootKeys {
    std::vector<std::unique_ptr<FileRootKeyStore>> files;
    std::unique_ptr<RootKeyStore> over;   // All of them, where there are several.
    std::unique_ptr<RootKeyStore> given;  // In front: it fails as the injector says.
  };
  // Creates what is not there, if that is asked.
  Status hold_root_keys(const std::string& region, bool creates);
  bool has_moved() const;
  Status make_people();
  Status make_duties();
  Status put(std::string_view id, std::string_view purpose, std::string_view name,
             std::string_view value);
  Status observe_person(std::string_view id, std::string& into);
  Status observe_terms(std::string& into);

  std::filesystem::path home_;
  std::vector<std::string> region_names_;
  Manner manner_;
  std::map<std::string, RootKeys> root_keys_;
  std::unique_ptr<FileRootKeyStore> other_root_keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
};

// Everyone that there is, was or will be.
inline constexpr const char* everyone[] = {
    "ann~7Qz3Vw9K", "bob~7Qz3Vw9K", "cat~7Qz3Vw9K",  "dan~7Qz3Vw9K",  "eve~7Qz3Vw9K",
    "fay~7Qz3Vw9K", "gus~7Qz3Vw9K", "anna~7Qz3Vw9K", "hugo~7Qz3Vw9K", "ida~7Qz3Vw9K"};
inline constexpr const char* bystander = "zoe~7Qz3Vw9K";  // No operation is about her.
inline constexpr const char* purposes[] = {"orders", "news", "ads"};

}  // namespace efface::test
