// A short sequence of calls on a store, and the same on a map: each answers as the other does.
//
// Shape  An operation is a byte that says which, then what it takes. Every input begins with a copy
//        of the same small store.
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "efface/efface.h"
#include "input.h"
#include "support/saved_files.h"
#include "support/temp_directory.h"

namespace efface::fuzz {
namespace {

constexpr int operations_max = 24;
constexpr std::array<std::string_view, 4> ids{"ada", "bob", "cem", "dilan"};
constexpr std::array<std::string_view, 4> names{"n", "na", "nb", "o"};
constexpr std::array<std::string_view, 2> purposes{"ratings", "billing"};
constexpr std::array<std::size_t, 6> sizes{0, 1, 30, 700, 2100, 9000};

using Scope = std::map<std::string, std::string, std::less<>>;
using Person = std::array<Scope, purposes.size()>;

class Sequence {
 public:
  Sequence() {
    FileRootKeyStoreOptions options;
    options.path = home_ / "root.key";
    options.accept_l0 = true;
    root_keys_ = FileRootKeyStore::create(options).value();
    store_.emplace(Store::create(this->options()).value());
    declare();
    close();
    saved_.emplace(home_.path());
  }

  void run(Input& input) {
    people_.clear();
    saved_->put_back();
    open();
    for (int i = 0; i < operations_max && !input.empty(); ++i) apply(input);
    compare();
    close();
  }

 private:
  OpenOptions options() {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", root_keys_.get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    return options;
  }
  void declare() {
    const Region regions[] = {region()};
    tenant_.emplace(store_->declare_tenant("acme", regions, Actor("fuzz")).value());
    for (const std::string_view purpose : purposes)
      EFFACE_CHECK(tenant_->declare_purpose({std::string(purpose)}).has_value());
  }
  void close() {
    tenant_.reset();
    store_.reset();
    root_keys_.reset();
  }
  void open() {
    FileRootKeyStoreOptions options;
    options.path = home_ / "root.key";
    options.accept_l0 = true;
    root_keys_ = FileRootKeyStore::open(options).value();
    store_.emplace(Store::open(this->options()).value());
    tenant_.emplace(store_->tenant("acme", Actor("fuzz")).value());
  }
  Region region() { return store_->region("eu").value(); }
  Activity activity(std::size_t purpose) {
    return tenant_->activity(tenant_->purpose(purposes[purpose]).value()).value();
  }

  // Nothing, when neither the store nor the map knows the person.
  std::optional<Subject> subject(std::string_view id) {
    auto found = tenant_->subject(SubjectId(id));
    EFFACE_CHECK(found.has_value() == people_.contains(id));
    if (found) return *std::move(found);
    EFFACE_CHECK(found.error().code() == Errc::subject_unknown);
    return std::nullopt;
  }

  // Compressible or not, and different each time.
  std::string value(Input& input) {
    std::string text(sizes[input.below(sizes.size())], 'v');
    std::uint32_t state = ++values_;
    const bool noise = input.below(2) != 0;
    for (std::size_t i = 0; i < text.size(); i += noise ? 1 : 200) {
      state = state * 1664525 + 1013904223;
      text[i] = static_cast<char>(state >> 24);
    }
    return text;
  }

  void apply(Input& input) {
    switch (input.below(12)) {
      case 0:
      case 1:
        return put(input);
      case 2:
        return get(input);
      case 3:
        return remove(input);
      case 4:
        return update(input);
      case 5:
        return scan(input);
      case 6:
        return batch(input);
      case 7:
        return erase(input);
      case 8:
        return erase_many(input);
      case 9:
        return put_anything(input);
      case 10:
        EFFACE_CHECK(store_->maintain().has_value());
        return;
      default:
        return input.below(4) == 0 ? offboard() : reopen();
    }
  }

  void put(Input& input) {
    const std::string_view id = ids[input.below(ids.size())];
    const std::size_t purpose = input.below(purposes.size());
    const std::string_view name = names[input.below(names.size())];
    const std::string text = value(input);
    EFFACE_CHECK(activity(purpose)
                     .put(SubjectId(id), region(), RecordName(name), as_bytes(text))
                     .has_value());
    people_[std::string(id)][purpose][std::string(name)] = text;
  }

  // An id and a name of any bytes: as they should be, or refused for it.
  void put_anything(Input& input) {
    const std::size_t longer = input.below(3) * 500;
    const Bytes id = input.take(input.byte());
    std::string name(as_text(input.take(input.byte())));
    name.append(name.empty() ? 0 : longer, 'n');
    const Status done =
        activity(0).put(SubjectId(as_text(id)), region(), RecordName(name), as_bytes("any"));
    if (done) {
      EFFACE_CHECK(!id.empty() && !name.empty());
      people_[std::string(as_text(id))][0][name] = "any";
      return;
    }
    const Errc code = done.error().code();
    EFFACE_CHECK(code == Errc::invalid_argument || code == Errc::too_large);
    // The id alone may have been good: then she was enrolled.
    if (tenant_->subject(SubjectId(as_text(id)))) people_[std::string(as_text(id))];
  }

  void get(Input& input) {
    const std::string_view id = ids[input.below(ids.size())];
    const std::size_t purpose = input.below(purposes.size());
    const std::string_view name = names[input.below(names.size())];
    const auto who = subject(id);
    if (!who) return;
    const auto found = activity(purpose).get(*who, RecordName(name));
    const Person& person = people_.find(id)->second;
    if (const auto own = person[purpose].find(name); own != person[purpose].end()) {
      EFFACE_CHECK(found && *found && as_text((**found).bytes()) == own->second);
    } else if (person[1 - purpose].contains(name)) {
      EFFACE_CHECK(!found && found.error().code() == Errc::purpose_not_permitted);
    } else {
      EFFACE_CHECK(found && !*found);
    }
  }

  void remove(Input& input) {
    const std::string_view id = ids[input.below(ids.size())];
    const std::size_t purpose = input.below(purposes.size());
    const std::string name(names[input.below(names.size())]);
    const auto who = subject(id);
    if (!who) return;
    const auto removed = activity(purpose).remove(*who, RecordName(name));
    EFFACE_CHECK(removed && *removed == (people_.find(id)->second[purpose].erase(name) == 1));
  }

  void update(Input& input) {
    const std::string_view id = ids[input.below(ids.size())];
    const std::size_t purpose = input.below(purposes.size());
    const std::string name(names[input.below(names.size())]);
    const std::uint32_t what = input.below(3);
    const std::string text = value(input);
    const auto who = subject(id);
    if (!who) return;
    Scope& scope = people_.find(id)->second[purpose];
    const Status done = activity(purpose).update(
        *who, RecordName(name), [&](std::optional<Bytes> present) -> Result<Update> {
          EFFACE_CHECK(present.has_value() == scope.contains(name));
          EFFACE_CHECK(!present || as_text(*present) == scope[name]);
          if (what == 0) return Update::keep();
          return what == 1 ? Update::remove() : Update::put(as_bytes(text));
        });
    EFFACE_CHECK(done.has_value());
    if (what == 1) scope.erase(name);
    if (what == 2) scope[name] = text;
  }

  void scan(Input& input) {
    const std::string_view id = ids[input.below(ids.size())];
    const std::size_t purpose = input.below(purposes.size());
    ScanOptions options;
    if (input.below(2) != 0) options.prefix = names[input.below(names.size())];
    if (input.below(2) != 0) options.after = names[input.below(names.size())];
    options.limit = input.below(4);
    const auto who = subject(id);
    if (!who) return;
    Scope expected;
    for (const auto& [name, text] : people_.find(id)->second[purpose])
      if (name.starts_with(options.prefix) && name > options.after &&
          expected.size() < options.limit)
        expected[name] = text;
    Scope found;
    EFFACE_CHECK(activity(purpose)
                     .scan(*who, options,
                           [&](std::string_view name, Bytes bytes) {
                             EFFACE_CHECK(found.empty() || found.rbegin()->first < name);
                             found.emplace(name, as_text(bytes));
                             return Flow::more;
                           })
                     .has_value());
    EFFACE_CHECK(found == expected);
  }

  void batch(Input& input) {
    const std::size_t purpose = input.below(purposes.size());
    const bool dropped = input.below(4) == 0;
    const Activity activity = this->activity(purpose);
    Batch batch = activity.batch(region());
    auto after = people_;
    for (std::uint32_t n = input.below(6); n > 0; --n) {
      const std::string_view id = ids[input.below(ids.size())];
      const std::string name(names[input.below(names.size())]);
      const bool removing = input.below(3) == 0;
      const std::string text = value(input);
      const auto who = subject(id);
      if (!who) continue;
      Scope& scope = after.find(id)->second[purpose];
      EFFACE_CHECK((removing ? batch.remove(*who, RecordName(name))
                             : batch.put(*who, RecordName(name), as_bytes(text)))
                       .has_value());
      if (removing)
        scope.erase(name);
      else
        scope[name] = text;
    }
    if (dropped) return;
    const auto durability = input.below(2) == 0 ? Durability::synced : Durability::relaxed;
    EFFACE_CHECK(activity.commit(std::move(batch), durability).has_value());
    people_ = std::move(after);
  }

  void erase(Input& input) {
    const std::string_view id = ids[input.below(ids.size())];
    auto who = subject(id);
    if (!who) return;
    const auto erased = tenant_->erase(*std::move(who));
    EFFACE_CHECK(erased && erased->erased == 1 && erased->regions.size() == 1);
    people_.erase(people_.find(id));
    EFFACE_CHECK(!subject(id));
  }

  void erase_many(Input& input) {
    const std::uint32_t which = input.below(16);
    std::vector<SubjectId> asked;
    std::size_t known = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if ((which >> i & 1) == 0) continue;
      asked.push_back(SubjectId(ids[i]));
      known += people_.contains(ids[i]);
    }
    const auto erased = tenant_->erase(asked);
    EFFACE_CHECK(erased && erased->erased == known && erased->unknown == asked.size() - known);
    for (const SubjectId& id : asked)
      if (const auto at = people_.find(id.text); at != people_.end()) people_.erase(at);
  }

  void reopen() {
    close();
    open();
  }

  void offboard() {
    const auto plan = store_->prepare_offboard(*tenant_);
    EFFACE_CHECK(plan.has_value());
    EFFACE_CHECK(store_->offboard(*std::move(tenant_), plan->token).has_value());
    people_.clear();
    declare();
  }

  void compare() {
    for (const std::string_view id : ids) static_cast<void>(subject(id));
    for (const auto& [id, person] : people_) {
      const auto who = subject(id);
      for (std::size_t purpose = 0; purpose < purposes.size(); ++purpose) {
        Scope found;
        EFFACE_CHECK(activity(purpose)
                         .scan(*who, {},
                               [&](std::string_view name, Bytes bytes) {
                                 found.emplace(name, as_text(bytes));
                                 return Flow::more;
                               })
                         .has_value());
        EFFACE_CHECK(found == person[purpose]);
      }
    }
  }

  test::TempDirectory home_{"fuzz"};
  std::unique_ptr<FileRootKeyStore> root_keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
  std::optional<test::SavedFiles> saved_;
  std::map<std::string, Person, std::less<>> people_;
  std::uint32_t values_ = 0;
};

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static efface::fuzz::Sequence sequence;
  efface::fuzz::Input input(data, size);
  sequence.run(input);
  return 0;
}
