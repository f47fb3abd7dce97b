#include "soak/desk.h"

#include <vector>

#include "efface/backup.h"

namespace efface::test {
namespace {

constexpr std::size_t people = 10;
constexpr std::uint64_t every_backup = 8;  // Of so many tenants.

// Its people, by number; the first ones each meet another fate.
class Desk {
 public:
  Desk(Store& store, std::uint64_t number)
      : store_(store),
        name_("desk" + std::to_string(number)),
        eu_(store.region("eu").value()),
        us_(store.region("us").value()) {}

  std::string run(const std::filesystem::path& backup) {
    open() && enrol() && consent()&& restrict() && tell() && identify() && move() && forget();
    if (wrong_.empty() && !backup.empty()) back_up(backup);
    return wrong_.empty() && offboard() ? "" : wrong_;
  }

 private:
  // Whether it went well; says at which step it did not.
  template <class Answer>
  bool well(const char* step, const Answer& answer) {
    if (answer) return true;
    wrong_ = std::string(step) + ": " + text_of(answer.error());
    return false;
  }
  bool is(const char* step, bool so) {
    if (!so) wrong_ = std::string(step) + ": another answer";
    return so;
  }

  static std::string id(std::size_t who) { return "someone-" + std::to_string(who); }
  Subject find(std::size_t who) { return tenant_->subject(SubjectId(id(who))).value(); }
  Status put(const Subject& whom, const Purpose& purpose, std::string_view record) {
    return tenant_->activity(purpose).value().put(whom, RecordName(record), as_bytes(value_));
  }

  bool open() {
    const Region both[] = {eu_, us_};
    auto tenant = store_.declare_tenant(name_, both, Actor("desk"));
    if (!well("declare a tenant", tenant)) return false;
    tenant_.emplace(*std::move(tenant));
    auto orders = tenant_->declare_purpose({"orders", LegalBasis::legitimate_interest});
    auto news = tenant_->declare_purpose({"news", LegalBasis::consent, Days(30)});
    if (!well("declare a purpose", orders) || !well("declare a purpose", news)) return false;
    orders_.emplace(*orders);
    news_.emplace(*news);
    return true;
  }

  bool enrol() {
    std::vector<std::string> ids;
    for (std::size_t who = 0; who < people; ++who) ids.push_back(id(who));
    const std::vector<SubjectId> as_ids(ids.begin(), ids.end());
    const Purpose purposes[] = {*orders_};
    const auto all = tenant_->find_or_enrol(as_ids, eu_, purposes);
    if (!well("enrol many", all)) return false;
    for (const Subject& one : *all)
      for (const char* record : {"first", "second", "third"})
        if (!well("put", put(one, *orders_, record))) return false;
    return true;
  }

  bool consent() {
    const Subject one = find(1);
    return is("put without consent", code_of(put(one, *news_, "letter")) == "consent_missing") &&
           well("grant", tenant_->grant(one, *news_, {"v1", "form"})) &&
           well("put with consent", put(one, *news_, "letter")) &&
           well("withdraw", tenant_->withdraw(one, *news_)) &&
           is("put after withdrawal", code_of(put(one, *news_, "letter")) == "consent_missing");
  }

  bool restrict() {
    const Subject one = find(2);
    return well("restrict", tenant_->restrict(one)) &&
           is("put under restriction", !put(one, *orders_, "fourth")) &&
           well("lift", tenant_->lift_restriction(one)) &&
           well("put after restriction", put(one, *orders_, "fourth")) &&
           well("object", tenant_->object(one, *orders_)) &&
           well("lift the objection", tenant_->lift_objection(one, *orders_));
  }

  bool tell() {
    std::size_t bytes = 0;
    const auto sink = [&](Bytes some) -> Status {
      bytes += some.size();
      return {};
    };
    const auto count = tenant_->count({.purpose = *orders_});
    return well("export", tenant_->export_subject(find(3), {}, sink)) &&
           is("export all three records", bytes > 3 * value_.size()) && well("count", count) &&
           is("count", *count == people);
  }

  bool identify() {
    return well("add an identifier", tenant_->add_identifier(find(4), SubjectId("another-4"))) &&
           is("find by it", bool(tenant_->subject(SubjectId("another-4")))) &&
           well("merge", tenant_->merge(find(4), find(5))) &&
           is("find who was merged", bool(tenant_->subject(SubjectId(id(5)))));
  }

  bool move() {
    if (!well("transfer", tenant_->transfer(find(6), us_, TransferBasis::adequacy))) return false;
    const Subject moved = find(6);
    return is("her home", moved.home().name() == "us") &&
           is("her record", text_of(tenant_->activity(*orders_).value().get(
                                moved, RecordName("first"))) == value_);
  }

  bool forget() {
    const auto erased = tenant_->erase(find(7));
    if (!well("erase", erased) || !well("suppress", tenant_->suppress(SubjectId(id(8)))))
      return false;
    return is("who was erased", code_of(tenant_->subject(SubjectId(id(7)))) == "subject_unknown") &&
           is("who was suppressed", code_of(tenant_->subject(SubjectId(id(8)))) == "suppressed") &&
           well("rotate", store_.rotate_root(us_, Actor("desk")));
  }

  void back_up(const std::filesystem::path& target) {
    if (well("backup", store_.backup({target})) &&
        well("verify the backup", Store::verify_backup(target)))
      std::filesystem::remove_all(target);
  }

  bool offboard() {
    const auto plan = store_.prepare_offboard(*tenant_);
    return well("prepare to off-board", plan) &&
           well("off-board", store_.offboard(std::move(*tenant_), plan->token));
  }

  Store& store_;
  std::string name_;
  Region eu_;
  Region us_;
  std::optional<Tenant> tenant_;
  std::optional<Purpose> orders_;
  std::optional<Purpose> news_;
  const std::string value_ = std::string(1'000, 'v');
  std::string wrong_;
};

}  // namespace

std::string run_a_tenant(Store& store, std::uint64_t number, const std::filesystem::path& home) {
  const bool with_backup = number % every_backup == 0;
  return Desk(store, number).run(with_backup ? home / "backup" : std::filesystem::path());
}

}  // namespace efface::test
