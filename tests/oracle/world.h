// oracle/world.h -- a store that lives through a seeded history, and what should be true of it
// after.
//
// Every operation goes through the public API. Just before an erasure the world looks into the
// live keyring, with code of its own, which keys will have to be gone.
//
// A step that the store refuses without reason ends the process: the history is no test any more.
#pragma once
#include <functional>
#include <map>
#include <random>
#include <set>

#include "efface/efface.h"
#include "oracle/live_tree.h"
#include "oracle/recorder.h"
#include "support/memory_root_key_store.h"
#include "support/temp_directory.h"

namespace disclosure {

enum class RootStore { file, memory, lying };

struct WorldOptions {
  std::uint64_t seed = 1;
  RootStore root_store = RootStore::file;
  std::vector<std::string> regions = {"eu"};
  std::size_t tenants = 3;
  std::size_t people_min = 200;
};

struct Erased {
  std::string id;  // Empty: a tenant, and all that was hers.
  std::string tenant;
  std::vector<Row> rows;
  std::vector<std::string> values;  // All that were ever put.
  std::uint32_t tenant_number = 0;  // Of a tenant, in one region.
};

struct Person {
  std::size_t tenant = 0;
  std::size_t region = 0;
  std::string id;
  std::map<std::string, std::string> records;
  std::vector<std::string> values;
};

class World {
 public:
  explicit World(const WorldOptions& options);

  // ---- single steps; people are chosen by the seed ----
  void enrol(std::size_t people);  // With a record each, of one tenant, in two commits.
  void put();
  void put_large();  // On overflow pages.
  void update();
  void remove();
  void read();
  void erase();
  void erase_many(std::size_t people);
  void erase_failing(Fault fault);  // Then reopens, and finds out what became of it.
  void offboard_and_declare();
  void maintain();
  void reopen();
  void enrol_again();  // Somebody under the id of one who was erased.
  void step();         // One of these, by weight.

  // ---- what is expected ----
  const std::vector<Erased>& erased() const noexcept { return erased_; }
  const std::map<std::string, Person>& living() const noexcept { return living_; }
  bool is_living(const std::string& id) const { return living_.contains(id); }

  // ---- what the adversary has ----
  Recorder& recorder() noexcept { return recorder_; }
  RootKeys root_keys() const;            // Live now, and what a liar kept.
  RootKeys destroyed_root_keys() const;  // Of the slots that were ever written; the last ones.
  Images live_images() const;
  std::map<Id, LiveTree> live_trees() const;  // By region.
  std::filesystem::path store_path() const { return home_ / "store"; }
  std::vector<std::filesystem::path> keyrings() const;

  static constexpr std::string_view marker = "PLAINTEXT";  // In every id, name and value.

 private:
  struct TenantHere {
    std::string name;
    std::optional<efface::Tenant> handle;
  };
  void make_root_stores();
  efface::OpenOptions options();
  void open();
  void declare(std::size_t slot);
  std::string new_value(std::size_t size);
  std::string any_name();
  Person& anyone();
  efface::Activity activity(const Person& person, const std::string& name);
  void put_value(Person& person, const std::string& name, std::string value);
  efface::Subject subject_of(const Person& person);
  Erased snapshot(const Person& person) const;
  void note_erased(const std::string& id, Erased erased);
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  const WorldOptions options_;
  efface::test::TempDirectory home_{"oracle"};
  Recorder recorder_{home_ / "store"};
  std::vector<std::unique_ptr<efface::RootKeyStore>> root_stores_;
  std::optional<efface::Store> store_;
  std::vector<TenantHere> tenants_;
  std::map<std::string, Person> living_;
  std::vector<std::string> order_;  // Keys of living_, for choosing.
  std::vector<Erased> erased_;
  std::mt19937_64 random_;
  std::uint64_t people_ = 0;
  std::uint64_t values_ = 0;
  std::uint64_t tenants_ever_ = 0;
};

}  // namespace disclosure
