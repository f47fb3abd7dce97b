// oracle/world.h -- a store that lives through a seeded history, and what should be true of it
// after.
//
// Every operation goes through the public API. Just before something is destroyed the world looks
// into the live keyring, with code of its own, which keys will have to be gone.
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

// What had to be destroyed, and why.
enum class Reason {
  erased,
  offboarded,   // A tenant, and all that was its own.
  withdrawn,    // A scope, with the consent.
  expired,      // A day's bucket.
  rekeyed,      // A scope's old key, with what had been overwritten and removed.
  released,     // The key of a hold, and what only the hold had kept.
  transferred,  // At the source.
  merged,       // Who was merged into another, and the scopes of the other that were re-keyed.
  reinstated,   // A tombstone.
};
inline constexpr Reason reasons[] = {Reason::erased,      Reason::offboarded, Reason::withdrawn,
                                     Reason::expired,     Reason::rekeyed,    Reason::released,
                                     Reason::transferred, Reason::merged,     Reason::reinstated};
const char* name(Reason reason);

struct Erased {
  Reason reason{};
  std::string tenant;
  std::vector<std::string> ids{};  // Nobody may be able to tell that they were here.
  std::vector<Row> rows{};
  std::vector<std::string> values{};
  std::vector<std::string> notes{};  // On file.
  std::uint32_t tenant_number = 0;   // Of a tenant, in one region.
};

// A value as it was put once.
struct Written {
  std::string value;
  std::uint16_t purpose = 0;
  std::uint32_t day = 0;  // Its bucket.
  bool by_hold = false;   // It is past its day, and a hold keeps it.
};

enum class Consent { never_asked, granted, withdrawn };

struct Person {
  std::size_t tenant = 0;
  std::size_t region = 0;
  std::string id;
  std::vector<std::string> further_ids{};
  std::map<std::string, Written> records{};
  std::vector<Written> residue{};             // Overwritten or removed; may open, and need not.
  std::map<std::string, Written> past_day{};  // A hold keeps them, and nobody may read them.
  std::vector<Written> waiting{};             // Of a consent withdrawn under a hold.
  std::vector<Written> waiting_residue{};
  std::vector<std::string> notes{};      // On file: evidence, reasons of holds.
  std::vector<std::string> old_notes{};  // No more on file.
  Consent consent = Consent::never_asked;
  std::optional<efface::HoldNumber> hold{};
  std::string hold_reason{};
  bool leaving = false;  // Her erasure waits for the release.

  std::vector<std::string> ids() const;
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
  void grant();
  void withdraw();
  void hold();
  void release();
  void transfer();
  void merge();
  void suppress();
  void reinstate();
  void add_identifier();
  void remove_now();
  void pass_days(std::uint32_t days);  // And keeps the promises that came due.
  void rekey_all();                    // Whatever has residue.
  void step();                         // One of these, by weight.

  // ---- what is expected ----
  const std::vector<Erased>& erased() const noexcept { return erased_; }
  const std::map<std::string, Person>& living() const noexcept { return living_; }
  bool is_living(const std::string& id) const { return ids_in_use_.contains(id); }
  const std::map<std::string, std::size_t>& suppressed() const noexcept { return suppressed_; }

  // ---- what the adversary has ----
  Recorder& recorder() noexcept { return recorder_; }
  RootKeys root_keys() const;            // Live now, and what a liar kept.
  RootKeys destroyed_root_keys() const;  // Of the slots that were ever written; the last ones.
  Images live_images() const;
  std::map<Id, LiveTree> live_trees() const;  // By region.
  std::filesystem::path store_path() const { return home_ / "store"; }
  // Of the first region's keyring.
  std::filesystem::path mirror_path() const { return home_ / "mirror"; }
  std::vector<std::filesystem::path> keyrings() const;

  static constexpr std::string_view marker = "PLAINTEXT";  // In every id, name, value and note.

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
  std::string new_note();
  std::string new_id();
  std::string any_name(const Person& person);
  Person& anyone();
  Person* anyone_free();  // Of holds.
  efface::Evidence evidence(Person& person);
  efface::Activity activity(const Person& person, const std::string& name);
  void put_value(Person& person, const std::string& name, std::string value);
  efface::Subject subject_of(const Person& person);
  // The rows of all her ids.
  std::vector<Row> rows_of(const Person& person,
                           const std::function<bool(std::uint16_t label)>& which) const;
  // Of everything that was hers.
  Erased snapshot(const Person& person) const;
  void note_erased(const std::string& id, Erased erased);
  void erase_held(Person& person);
  void release(Person& person);
  void take_over(Person& into, Person& from);
  void note_put(Person& person, const std::string& name, std::string value);
  bool note_removed(Person& person, const std::string& name);  // Whether it was there.
  void step_of_rights(std::uint64_t dice);
  static std::uint16_t purpose_of_name(const std::string& name);
  static std::chrono::system_clock::time_point now();
  static std::uint32_t today();
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  static constexpr std::uint16_t kept = 1;  // Purposes, in the order that they are declared.
  static constexpr std::uint16_t expiring = 2;
  static constexpr std::uint16_t consented = 3;
  static constexpr std::uint32_t retention_days = 30;
  static constexpr std::uint32_t never = 0xffffffff;
  static constexpr std::chrono::system_clock::time_point first_noon{
      std::chrono::hours(24 * 20'000 + 12)};
  static inline std::chrono::system_clock::time_point clock_ = first_noon;  // One world at a time.

  const WorldOptions options_;
  efface::test::TempDirectory home_{"oracle"};
  Recorder recorder_{home_ / "store"};
  std::vector<std::unique_ptr<efface::RootKeyStore>> root_stores_;
  std::optional<efface::Store> store_;
  std::vector<TenantHere> tenants_;
  std::map<std::string, Person> living_;
  std::vector<std::string> order_;  // Keys of living_, for choosing; without those who leave.
  std::set<std::string> ids_in_use_;
  std::map<std::string, std::size_t> suppressed_;  // Ids, with their tenants.
  std::vector<Erased> erased_;
  std::mt19937_64 random_;
  std::uint64_t people_ = 0;
  std::uint64_t values_ = 0;
  std::uint64_t notes_ = 0;
  std::uint64_t tenants_ever_ = 0;
};

}  // namespace disclosure
