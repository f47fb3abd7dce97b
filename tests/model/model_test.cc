// Random operations on a store and on a map: not one difference. RapidCheck shrinks what differs to
// a short list of operations and prints the seed (RC_PARAMS="seed=...") that replays it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "support/store_fixture.h"

namespace efface::test {
namespace {

enum class Kind : int {
  put,
  get,
  remove,
  update,
  list,
  batch,
  erase,
  erase_many,
  reopen,
  maintain
};
constexpr int kinds = 10;
constexpr int people = 12;
constexpr int names = 6;
constexpr int purposes = 3;

struct Operation {
  Kind kind;
  int person;
  int purpose;
  int record;
  int value;
};

std::ostream& operator<<(std::ostream& out, const Operation& op) {
  static constexpr const char* words[] = {"put",   "get",   "remove",     "update", "list",
                                          "batch", "erase", "erase_many", "reopen", "maintain"};
  return out << words[static_cast<int>(op.kind)] << " p" << op.person << " u" << op.purpose << " r"
             << op.record << " v" << op.value;
}

rc::Gen<Operation> operation() {
  return rc::gen::apply(
      [](int kind, int person, int purpose, int record, int value) {
        // Half of all is put and get.
        const Kind what = kind >= kinds ? Kind(kind % 2) : Kind(kind);
        return Operation{what, person, purpose, record, value};
      },
      rc::gen::inRange(0, 2 * kinds), rc::gen::inRange(0, people), rc::gen::inRange(0, purposes),
      rc::gen::inRange(0, names), rc::gen::inRange(0, 2000));
}

// The reference: what should be there. A person, a purpose, a name; a value.
using Scope = std::map<std::string, std::string>;
using Model = std::map<std::string, std::map<int, Scope>>;

class Pair : public StoreTest {
 public:
  Pair() {
    SetUp();
    declare("u1");
    declare("u2");
  }
  void TestBody() override {}

  void apply(const Operation& op) {
    switch (op.kind) {
      case Kind::put:
        return put(op);
      case Kind::get:
        return get(op);
      case Kind::remove:
        return remove(op);
      case Kind::update:
        return update(op);
      case Kind::list:
        return list(op);
      case Kind::batch:
        return batch(op);
      case Kind::erase:
        return erase(op);
      case Kind::erase_many:
        return erase_many(op);
      case Kind::reopen:
        return reopen();
      case Kind::maintain:
        RC_ASSERT(static_cast<bool>(store_->maintain()));
        return;
    }
  }

  // Everything in the model reads back; nobody else is known; nothing waits once maintained.
  void compare() {
    std::size_t records = 0;
    for (int p = 0; p < people; ++p) {
      const std::string id = id_of(p);
      const auto subject = tenant_->subject(SubjectId(id));
      RC_ASSERT(static_cast<bool>(subject) == model_.contains(id));
      if (!subject) {
        RC_ASSERT(subject.error().code() == Errc::subject_unknown);
        continue;
      }
      ++records;
      for (int u = 0; u < purposes; ++u) {
        const Activity activity = of(u);
        const Scope& expected = model_[id][u];
        Scope found;
        RC_ASSERT(
            static_cast<bool>(activity.scan(*subject, {}, [&](std::string_view name, Bytes value) {
              found.emplace(name, as_text(value));
              return Flow::more;
            })));
        RC_ASSERT(found == expected);
        records += expected.size() + written_.count({id, u});  // And a summary.
      }
    }
    RC_ASSERT(static_cast<bool>(store_->maintain()));
    const auto stats = store_->stats();
    RC_ASSERT(static_cast<bool>(stats));
    RC_ASSERT(stats->regions[0].records == records);
    RC_ASSERT(stats->regions[0].reclaim_entries == 0u);
  }

 private:
  static std::string id_of(int person) { return "person-" + std::to_string(person); }
  static std::string name_of(int record) { return "name-" + std::to_string(record); }
  static std::string value_of(int value) {
    return "value-" + std::string(static_cast<std::size_t>(value), 'v') + std::to_string(value);
  }
  Activity of(int purpose) {
    return activity(purpose == 0 ? "ratings" : purpose == 1 ? "u1" : "u2");
  }

  void put(const Operation& op) {
    const std::string id = id_of(op.person);
    const std::string value = value_of(op.value);
    RC_ASSERT(static_cast<bool>(
        of(op.purpose)
            .put(SubjectId(id), region(), RecordName(name_of(op.record)), as_bytes(value))));
    model_[id][op.purpose][name_of(op.record)] = value;
    written_.insert({id, op.purpose});
  }

  void get(const Operation& op) {
    const std::string id = id_of(op.person);
    const auto subject = tenant_->subject(SubjectId(id));
    RC_ASSERT(static_cast<bool>(subject) == model_.contains(id));
    if (!subject) return;
    const std::string record = name_of(op.record);
    const std::string found = text_of(of(op.purpose).get(*subject, RecordName(record)));
    const Scope& own = model_[id][op.purpose];
    if (const auto at = own.find(record); at != own.end()) {
      RC_ASSERT(found == at->second);
      return;
    }
    bool elsewhere = false;
    for (const auto& [purpose, scope] : model_[id]) elsewhere |= scope.contains(record);
    RC_ASSERT(found == (elsewhere ? "error: purpose_not_permitted" : "absent"));
  }

  void remove(const Operation& op) {
    const std::string id = id_of(op.person);
    const auto subject = tenant_->subject(SubjectId(id));
    RC_ASSERT(static_cast<bool>(subject) == model_.contains(id));
    if (!subject) return;
    const auto removed = of(op.purpose).remove(*subject, RecordName(name_of(op.record)));
    RC_ASSERT(static_cast<bool>(removed));
    RC_ASSERT(*removed == (model_[id][op.purpose].erase(name_of(op.record)) == 1));
  }

  void update(const Operation& op) {
    const std::string id = id_of(op.person);
    const auto subject = tenant_->subject(SubjectId(id));
    if (!subject) return;
    Scope& scope = model_[id][op.purpose];
    const std::string record = name_of(op.record);
    const std::string next = (scope.contains(record) ? scope[record] : "new") + "+";
    RC_ASSERT(static_cast<bool>(
        of(op.purpose)
            .update(
                *subject, RecordName(record), [](std::optional<Bytes> present) -> Result<Update> {
                  const std::string text = (present ? std::string(as_text(*present)) : "new") + "+";
                  return Update::put(as_bytes(text));
                })));
    scope[record] = next;
    written_.insert({id, op.purpose});
  }

  void list(const Operation& op) {
    const std::string id = id_of(op.person);
    const auto subject = tenant_->subject(SubjectId(id));
    if (!subject) return;
    std::vector<std::string> found;
    ScanOptions options;
    const std::string after = name_of(op.record);
    options.after = after;
    RC_ASSERT(static_cast<bool>(of(op.purpose).list(*subject, options, [&](std::string_view name) {
      found.emplace_back(name);
      return Flow::more;
    })));
    std::vector<std::string> expected;
    for (const auto& [name, value] : model_[id][op.purpose])
      if (name > after) expected.push_back(name);
    RC_ASSERT(found == expected);
  }

  void batch(const Operation& op) {
    const Activity activity = of(op.purpose);
    Batch batch = activity.batch(region());
    const std::string value = value_of(op.value);
    std::vector<std::string> written;
    for (int p = 0; p < people; p += 1 + op.record) {
      const auto subject = tenant_->subject(SubjectId(id_of(p)));
      if (!subject) continue;
      RC_ASSERT(
          static_cast<bool>(batch.put(*subject, RecordName(name_of(op.record)), as_bytes(value))));
      written.push_back(id_of(p));
    }
    RC_ASSERT(static_cast<bool>(activity.commit(std::move(batch))));
    for (const std::string& id : written) {
      model_[id][op.purpose][name_of(op.record)] = value;
      written_.insert({id, op.purpose});
    }
  }

  void erase(const Operation& op) {
    const std::string id = id_of(op.person);
    auto subject = tenant_->subject(SubjectId(id));
    RC_ASSERT(static_cast<bool>(subject) == model_.contains(id));
    if (!subject) return;
    RC_ASSERT(static_cast<bool>(tenant_->erase(*std::move(subject))));
    forget(id);
  }

  std::size_t forget(const std::string& id) {
    std::erase_if(written_, [&](const auto& scope) { return scope.first == id; });
    return model_.erase(id);
  }

  void erase_many(const Operation& op) {
    std::vector<std::string> ids;
    for (int p = op.person; p < people; p += 3) ids.push_back(id_of(p));
    const std::vector<SubjectId> views(ids.begin(), ids.end());
    const auto erased = tenant_->erase(views);
    RC_ASSERT(static_cast<bool>(erased));
    std::size_t known = 0;
    for (const std::string& id : ids) known += forget(id);
    RC_ASSERT(erased->erased == known);
    RC_ASSERT(erased->unknown == ids.size() - known);
  }

  Model model_;
  std::set<std::pair<std::string, int>> written_;  // The scopes that anything was written to.
};

TEST(Model, AStoreAnswersAsAMapWouldWhateverIsDoneToIt) {
  std::size_t operations = 0;
  const bool same = rc::check([&] {
    const auto program =
        *rc::gen::resize(400, rc::gen::container<std::vector<Operation>>(operation()));
    Pair pair;
    for (const Operation& op : program) pair.apply(op);
    pair.compare();
    operations += program.size();
  });
  EXPECT_TRUE(same);
  EXPECT_GT(operations, 5'000u);
}

}  // namespace
}  // namespace efface::test
