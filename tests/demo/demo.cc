// Half a minute: a population goes in, every file is copied, one person leaves, and the copies made
// before she left do not show one byte of her. Each line is a check; the exit status is 1 if one
// does not hold.
#include <cstdio>
#include <optional>
#include <set>

#include "demo/byte_search.h"
#include "demo/plain_lmdb.h"
#include "demo/population.h"
#include "demo/stage.h"
#include "efface/efface.h"
#include "oracle/disclosure.h"
#include "support/temp_directory.h"

namespace efface::demo {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t people = 100'000;
constexpr std::uint32_t leaving = 4711;
constexpr std::uint32_t people_per_commit = 2'000;

class Demo {
 public:
  int run();

 private:
  // Answers whether to go on.
  bool make();
  bool import();
  bool copy_every_file();
  void search_the_copy();
  bool read_her();
  bool erase_her();
  void read_the_others();
  void open_the_old_copy();
  void search_with_all_that_is_live();
  void show_the_control();

  bool open();
  void close();
  template <class T>
  bool done(const Result<T>& result, std::string_view claim) {
    if (result) return true;
    return stage_.check(false, std::string(claim) + ": " + name(result.error().code()) + ", " +
                                   result.error().note());
  }
  OpenOptions options() {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu-west", root_keys_.get(), {}}};
    options.accept_l0 = true;
    options.require_locked_memory = false;
    return options;
  }
  Activity shop() { return tenant_->activity(tenant_->purpose("orders").value()).value(); }
  Region region() { return store_->region("eu-west").value(); }

  Stage stage_;
  test::TempDirectory home_{"demo", test::on_disk};
  std::unique_ptr<FileRootKeyStore> root_keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
  const Person her_ = make_person(leaving);
  std::size_t records_ = 0;
};

bool Demo::make() {
  stage_.title("A store for one region, its root key in a file apart");
  FileRootKeyStoreOptions file;
  file.path = home_ / "root.key";
  file.accept_l0 = true;
  auto root_keys = FileRootKeyStore::create(file);
  if (!done(root_keys, "the root key file is made")) return false;
  root_keys_ = *std::move(root_keys);
  auto store = Store::create(options());
  if (!done(store, "the store is made")) return false;
  store_.emplace(*std::move(store));
  const Region regions[] = {region()};
  auto tenant = store_->declare_tenant("acme", regions, Actor("demo"));
  if (!done(tenant, "the tenant is declared")) return false;
  tenant_.emplace(*std::move(tenant));
  PurposeTerms orders;
  orders.name = "orders";
  orders.basis = LegalBasis::contract;
  if (!done(tenant_->declare_purpose(orders), "the purpose is declared")) return false;
  return stage_.check(true, "tenant acme, purpose orders, legal basis contract");
}

bool Demo::import() {
  stage_.title("100,000 people go in (names, e-mail addresses, what they bought; all invented)");
  const Activity activity = shop();
  const Purpose purposes[] = {activity.purpose()};
  stage_.progress("people", 0, people);
  for (std::uint32_t first = 1; first <= people; first += people_per_commit) {
    std::vector<Person> some;
    for (std::uint32_t i = first; i < first + people_per_commit; ++i)
      some.push_back(make_person(i));
    std::vector<SubjectId> ids;
    for (const Person& person : some) ids.emplace_back(person.id);
    const auto subjects = tenant_->find_or_enrol(ids, region(), purposes);
    if (!done(subjects, "people are enrolled")) return false;
    Batch batch = activity.batch(region());
    for (std::size_t i = 0; i < some.size(); ++i)
      for (const auto& [record, value] : some[i].records) {
        if (!done(batch.put((*subjects)[i], RecordName(record), as_bytes(value)), "a put"))
          return false;
        ++records_;
      }
    if (!done(activity.commit(std::move(batch)), "a batch is committed")) return false;
    stage_.progress("people", first + people_per_commit - 1, people);
  }
  const auto stats = store_->stats();
  if (!done(stats, "the store counts")) return false;
  return stage_.check(stats->regions[0].records == records_ + people,
                      grouped(records_) + " records of " + grouped(people) +
                          " people are stored, and each person's sealed id");
}

bool Demo::open() {
  auto store = Store::open(options());
  if (!done(store, "the store opens")) return false;
  store_.emplace(*std::move(store));
  auto tenant = store_->tenant("acme", Actor("demo"));
  if (!done(tenant, "the tenant is there")) return false;
  tenant_.emplace(*std::move(tenant));
  return true;
}

void Demo::close() {
  tenant_.reset();
  store_.reset();
}

bool Demo::copy_every_file() {
  stage_.title("Somebody copies every file of the store, byte for byte");
  close();
  fs::copy(home_ / "store", home_ / "copy", fs::copy_options::recursive);
  return open();
}

void Demo::search_the_copy() {
  const std::vector<std::string> needles{"@shop.example", "\"event\":", "person-",
                                         her_.full_name,  her_.email,   "profile"};
  const Searched found = search_files(home_ / "copy", needles);
  stage_.check(found.hits == 0 && found.bytes > 0,
               "in " + grouped(found.bytes) + " bytes of " + grouped(found.files) +
                   " files: no name, no e-mail address, no id, no event of anybody");
}

bool Demo::read_her() {
  stage_.title("Person 4711");
  const auto her = tenant_->subject(SubjectId(her_.id));
  if (!done(her, "she is found")) return false;
  const Activity activity = shop();
  std::size_t same = 0;
  for (const auto& [record, value] : her_.records) {
    const auto read = activity.get(*her, RecordName(record));
    if (read && *read && as_text((**read).bytes()) == value) ++same;
  }
  stage_.say(her_.records.front().second);
  return stage_.check(same == her_.records.size(),
                      "all her " + grouped(her_.records.size()) + " records read back");
}

bool Demo::erase_her() {
  auto her = tenant_->subject(SubjectId(her_.id));
  if (!done(her, "she is found")) return false;
  stage_.title("She leaves");
  const auto began = Clock::now();
  const auto erased = tenant_->erase(*std::move(her));
  const auto took = Clock::now() - began;
  if (!done(erased, "she is erased")) return false;
  const Erasure::InRegion& in = erased->regions.front();
  stage_.check(erased->erased == 1, "erased in " + shown(took) + ": epoch " +
                                        std::to_string(in.epoch_before) + " has ended, epoch " +
                                        std::to_string(in.epoch_after) + " is in force");
  stage_.say(std::string("assurance ") + name(in.assurance.level) + ": " + in.assurance.rests_on);
  const auto again = tenant_->subject(SubjectId(her_.id));
  const auto never = tenant_->subject(SubjectId("person-who-never-was"));
  return stage_.check(!again && !never && again.error().code() == Errc::subject_unknown &&
                          never.error().code() == again.error().code(),
                      "asked for again she is unknown, like one who never was");
}

void Demo::read_the_others() {
  const Activity activity = shop();
  std::size_t same = 0;
  constexpr std::uint32_t step = people / 1000;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const Person person = make_person(1 + i * step);
    const auto subject = tenant_->subject(SubjectId(person.id));
    if (!subject) continue;
    const auto read = activity.get(*subject, RecordName("profile"));
    if (read && *read && as_text((**read).bytes()) == person.records.front().second) ++same;
  }
  stage_.check(same == 1000, "a thousand others still read");
}

void Demo::open_the_old_copy() {
  stage_.title("The copies that were made before she left");
  close();
  OpenOptions old = options();
  old.directory = home_ / "copy";
  const auto opened = Store::open(old);
  stage_.check(!opened && opened.error().code() == Errc::keyring_stale,
               "the old copy, opened with today's root keys, is refused: keyring_stale");
}

void Demo::search_with_all_that_is_live() {
  root_keys_.reset();
  disclosure::Images images;
  images.add_directory(home_ / "copy");
  images.add_directory(home_ / "store");
  const auto keys = disclosure::RootKeys::from_file(home_ / "root.key");
  if (!stage_.check(keys.has_value() && !keys->held().empty(), "today's root keys are at hand"))
    return;
  disclosure::Options options;
  options.reach = disclosure::Reach::its_place;
  const disclosure::Result found = disclosure::search(images, *keys, options);
  stage_.say("searched " + grouped(images.pages_searched()) + " pages: " + grouped(images.nodes()) +
             " key nodes and " + grouped(images.records()) +
             " records, with every key that leads to another");
  std::size_t hers = 0;
  std::set<std::string> others;
  std::size_t others_records = 0;
  for (const disclosure::OpenedRecord& record : found.opened_records()) {
    if (record.value.find(her_.email) != std::string::npos || record.value == her_.id) ++hers;
    if (record.purpose == 0)
      others.insert(record.value);
    else
      ++others_records;
  }
  stage_.check(hers == 0 && !found.could_tell(her_.id),
               "nothing of hers opens; not even that she was ever a customer can be told");
  stage_.check(others.size() == people - 1 && !others.contains(her_.id) &&
                   others_records == records_ - her_.records.size(),
               "with the same keys everything of the other " + grouped(people - 1) +
                   " people opens: the search does see");
  stage_.check(found.superseded_nodes_opened() > 0 && found.nodes_shut() > 0,
               grouped(found.superseded_nodes_opened()) + " old key nodes open, and " +
                   grouped(found.nodes_shut()) + " are shut for ever: those above her");
}

void Demo::show_the_control() {
  stage_.title("The control: the same person in plain LMDB");
  const bool deleted = store_and_delete(home_ / "plain", her_);
  stage_.check(deleted, "stored, deleted, committed: LMDB finds nothing of hers");
  const Searched found = search_files(home_ / "plain", {her_.email});
  stage_.check(found.hits > 0,
               "her e-mail address still stands in the file " + grouped(found.hits) + " times");
}

int Demo::run() {
  const auto began = Clock::now();
  if (make() && import() && copy_every_file()) {
    search_the_copy();
    if (read_her() && erase_her()) {
      read_the_others();
      open_the_old_copy();
      search_with_all_that_is_live();
      show_the_control();
    }
  }
  stage_.title("Not promised");
  stage_.say(
      "what somebody read before, or kept of the root key file against the rules, stays read.");
  const bool good = stage_.failed() == 0 && stage_.checks() >= 14;
  stage_.title(good ? "All " + grouped(stage_.checks()) + " checks hold, in " +
                          shown(Clock::now() - began) + "."
                    : "A check does not hold.");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace efface::demo

int main() {
  efface::demo::Demo demo;
  return demo.run();
}
