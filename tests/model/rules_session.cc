#include "model/rules_session.h"

#include "model/rules_answers.h"
#include "support/two_regions.h"

namespace efface::test {
namespace {

constexpr int first_hour = 20'000 * 24;
constexpr const char* purpose_names[] = {"contract", "news", "ads", "fraud", "task"};
constexpr const char* region_names[] = {"eu", "us"};

}  // namespace

class RulesSession::Pair {
 public:
  Pair() {
    model_.hour = first_hour;
    set_clock();
    for (int region : {0, 1})
      keys_[region] =
          FileRootKeyStore::create(root_key_options(home_ / region_names[region])).value();
    store_.emplace(Store::create(options()).value());
    const Region both[] = {store_->region("eu").value(), store_->region("us").value()};
    tenant_.emplace(store_->declare_tenant("acme", both, Actor("test")).value());
    for (int purpose = 0; purpose < purposes; ++purpose) {
      PurposeTerms terms;
      terms.name = purpose_names[purpose];
      terms.basis = RulesModel::bases[purpose];
      if (const int days = RulesModel::retention_days[purpose]; days != RulesModel::never)
        terms.retention = Days(static_cast<unsigned>(days));
      static_cast<void>(tenant_->declare_purpose(terms).value());
    }
    take_handles();
  }

  void apply(const Operation& op) {
    act(op);
    // What everybody is answered about her now.
    for (int purpose = 0; purpose < purposes; ++purpose) {
      Operation look = op;
      look.purpose = purpose;
      get(look);
      // After a relaxed put nobody lists, so that the next operation finds it waiting.
      const bool waits = is_relaxed() && (op.act == Act::put || op.act == Act::put_by_id);
      if (purpose == op.purpose && !waits) scan(look);
    }
  }

 private:
  struct Known {
    Subject subject;
    RulesModel::Subject who;
  };

  void act(const Operation& op);

  // What is put: to its own process it is as a synced one.
  bool is_relaxed() const noexcept { return written_ % 2 == 0; }

  OpenOptions options() const {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", keys_[0].get(), {}}, {"us", keys_[1].get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    options.now = [] { return now_; };
    if (model_.here) options.processing_region = region_names[*model_.here];
    options.require_agreement = model_.needs_agreement;
    return options;
  }
  void take_handles() {
    regions_.clear();
    purposes_.clear();
    activities_.clear();
    for (const char* region : region_names) regions_.push_back(store_->region(region).value());
    for (const char* purpose : purpose_names) {
      purposes_.push_back(tenant_->purpose(purpose).value());
      activities_.push_back(tenant_->activity(purposes_.back()).value());
    }
  }
  const Region& region(int number) const { return regions_[static_cast<std::size_t>(number)]; }
  const Purpose& purpose(int number) const { return purposes_[static_cast<std::size_t>(number)]; }
  const Activity& activity(int number) const {
    return activities_[static_cast<std::size_t>(number)];
  }
  void set_clock() { now_ = TimePoint(std::chrono::hours(model_.hour)); }

  void same(const std::string& store, const std::string& model) {
    if (store != model) throw Difference{"the store answers " + store + ", the model " + model};
  }

  std::optional<Known> look_up(int person) {
    auto found = tenant_->subject(SubjectId(id_of(person)));
    std::optional<RulesModel::Subject> who;
    same(said(found, [](const Subject&) { return "known"; }), told([&] {
           who = model_.look_up(person);
           return "known";
         }));
    if (!found) return {};
    same(std::string(found->home().name()), region_names[who->home]);
    return Known{*std::move(found), *who};
  }
  // With a Subject of hers, if there is or was one.
  template <class Do>
  void with(const Operation& op, Do&& act) {
    if (op.stale && kept_[op.person]) return act(*kept_[op.person]);
    if (auto known = look_up(op.person)) act(*known);
  }

  void get(const Operation& op) {
    with(op, [&](const Known& her) {
      const std::string record = record_of(op.record);
      same(said(activity(op.purpose).get(her.subject, RecordName(record)),
                [](const std::optional<Record>& found) {
                  return found ? std::string(as_text(found->bytes())) : "absent";
                }),
           told([&] { return model_.get(her.who, op.purpose, op.record).value_or("absent"); }));
    });
  }
  void scan(const Operation& op) {
    with(op, [&](const Known& her) {
      std::string found;
      const auto end =
          activity(op.purpose).scan(her.subject, {}, [&](std::string_view record, Bytes value) {
            found += std::string(record) + "=" + std::string(as_text(value)) + " ";
            return Flow::more;
          });
      same(said(end, [&](ScanEnd) { return found; }), told([&] {
             std::string all;
             for (const auto& [record, value] : model_.scan(her.who, op.purpose))
               all += record_of(record) + "=" + value + " ";
             return all;
           }));
    });
  }
  void put(const Operation& op);
  void put_by_id(const Operation& op);
  PutOptions terms_of(const Operation& op, std::vector<Purpose>& also) const;
  RulesModel::Entry entry_of(const Operation& op) const;
  static std::optional<int> days_of(const Operation& op);
  void change(const Operation& op, const Known& her);
  void hold(const Operation& op);
  void release(const Operation& op);
  void erase(const Operation& op);
  void erase_ids(const Operation& op);
  void suppress(const Operation& op);
  void transfer(const Operation& op);
  void maintain(const Operation& op);
  void plan_expiry();
  void commit_expiry();
  void reopen(const Operation& op);
  void dossier(const Operation& op);

  static inline TimePoint now_{};
  TempDirectory home_{"rules"};
  std::unique_ptr<FileRootKeyStore> keys_[2];
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
  std::vector<Region> regions_;
  std::vector<Purpose> purposes_;
  std::vector<Activity> activities_;
  std::optional<Known> kept_[people];
  std::string token_ = "none";
  std::optional<DutiesModel::Days> planned_;
  DutiesModel model_;
  int written_ = 0;
};

PutOptions RulesSession::Pair::terms_of(const Operation& op, std::vector<Purpose>& also) const {
  for (int number = 0; number < purposes; ++number)
    if ((op.number >> number & 1) != 0) also.push_back(purpose(number));
  PutOptions options;
  options.also_permitted = also;
  if (const auto days = days_of(op)) options.retention = Days(static_cast<unsigned>(*days));
  if (is_relaxed()) options.durability = Durability::relaxed;
  return options;
}

RulesModel::Entry RulesSession::Pair::entry_of(const Operation& op) const {
  RulesModel::Entry entry{"v" + std::to_string(written_), {}, 0};
  for (int purpose = 0; purpose < purposes; ++purpose)
    if ((op.number >> purpose & 1) != 0) entry.permits.insert(purpose);
  return entry;
}

std::optional<int> RulesSession::Pair::days_of(const Operation& op) {
  constexpr int chosen[] = {0, 1, 1, 2, 2, 3, 5, 6, 41};
  if (op.days >= static_cast<int>(std::size(chosen))) return {};
  return chosen[op.days];
}

void RulesSession::Pair::put(const Operation& op) {
  with(op, [&](const Known& her) {
    std::vector<Purpose> also;
    const RulesModel::Entry entry = entry_of(op);
    const std::string record = record_of(op.record);
    const PutOptions terms = terms_of(op, also);
    same(said(activity(op.purpose)
                  .put(her.subject, RecordName(record), as_bytes(entry.value), terms)),
         told([&] { model_.put(her.who, op.purpose, op.record, entry, days_of(op)); }));
  });
}

void RulesSession::Pair::put_by_id(const Operation& op) {
  std::vector<Purpose> also;
  const RulesModel::Entry entry = entry_of(op);
  const std::string record = record_of(op.record);
  const int home = op.number % 2;
  const PutOptions terms = terms_of(op, also);
  same(said(activity(op.purpose)
                .put(SubjectId(id_of(op.person)), region(home), RecordName(record),
                     as_bytes(entry.value), terms)),
       told([&] {
         model_.enrol_for(op.person, home, op.purpose);
         const auto who = model_.look_up(op.person);
         model_.put(who, op.purpose, op.record, entry, days_of(op));
       }));
}

void RulesSession::Pair::hold(const Operation& op) {
  const int hours = op.number < 16   ? RulesModel::never
                    : op.number < 22 ? op.number - 15
                    : op.number < 31 ? 24 * (op.number - 20)
                                     : 0;
  HoldTerms terms{"claim", "a court asks", {}};
  if (hours != RulesModel::never) terms.until = now_ + std::chrono::hours(hours);
  const int until = hours == RulesModel::never ? hours : model_.hour + hours;
  with(op, [&](const Known& her) {
    same(said(tenant_->hold(her.subject, terms), [](HoldNumber n) { return std::to_string(n); }),
         told([&] { return std::to_string(model_.hold(her.who, until)); }));
  });
}

void RulesSession::Pair::release(const Operation& op) {
  with(op, [&](const Known& her) {
    auto number = static_cast<HoldNumber>(op.number);
    if (const auto at = model_.people.find(op.person);
        op.number < 28 && at != model_.people.end() && !at->second.holds.empty()) {
      const auto& holds = at->second.holds;
      number = std::next(holds.begin(), op.number % static_cast<int>(holds.size()))->first;
    }
    same(said(tenant_->release(her.subject, number), [](const Erasure& e) { return said(e); }),
         told([&] { return said(model_.release(her.who, number), false); }));
  });
}

void RulesSession::Pair::erase(const Operation& op) {
  std::optional<Known> her;
  if (op.stale && kept_[op.person])
    her = std::exchange(kept_[op.person], std::nullopt);
  else
    her = look_up(op.person);
  if (!her) return;
  same(said(tenant_->erase(std::move(her->subject)), [](const Erasure& e) { return said(e); }),
       told([&] {
         RulesModel::refuse_if(model_.erase(her->who), Errc::legal_hold);
         return said(true, false);
       }));
}

void RulesSession::Pair::erase_ids(const Operation& op) {
  const std::string ids[] = {id_of(op.person), id_of((op.person + 1) % people), "nobody"};
  const SubjectId views[] = {SubjectId(ids[0]), SubjectId(ids[1]), SubjectId(ids[2])};
  Erasure expected;
  expected.unknown = 1;
  for (const int person : {op.person, (op.person + 1) % people}) {
    if (!model_.people.contains(person))
      ++expected.unknown;
    else if (model_.erase(model_.look_up(person)))
      ++expected.held;
    else
      ++expected.erased;
  }
  same(said(tenant_->erase(views), [](const Erasure& e) { return said(e); }), said(expected));
}

void RulesSession::Pair::suppress(const Operation& op) {
  const bool was_there = model_.people.contains(op.person);
  same(said(tenant_->suppress(SubjectId(id_of(op.person))),
            [](const Erasure& e) { return said(e); }),
       told([&] {
         const bool held = model_.suppress(op.person);
         return said(was_there && !held, held);
       }));
}

// What is past its day and not destroyed yet may stay behind: nobody says.
void RulesSession::Pair::transfer(const Operation& op) {
  const int target = op.number % 2;
  with(op, [&](const Known& her) {
    if (model_.has_overdue(op.person)) return;
    same(said(tenant_->transfer(her.subject, region(target), TransferBasis::adequacy),
              [](const Erasure& e) { return said(e); }),
         told([&] {
           model_.transfer(her.who, target);
           return said(true, false);
         }));
  });
}

void RulesSession::Pair::maintain(const Operation& op) {
  constexpr int windows[] = {1, 24, 7 * 24, 24};  // In hours.
  MaintainOptions options;
  options.residue_window = std::chrono::hours(windows[op.number % 4]);
  same(said(store_->maintain(options), [](const Maintained& done) { return said(done); }),
       told([&] { return said(model_.maintain()); }));
  const Stats stats = store_->stats().value();
  for (int region : {0, 1})
    same(std::to_string(stats.regions[static_cast<std::size_t>(region)].records) + " records",
         std::to_string(model_.records_in(region)) + " records");
}

void RulesSession::Pair::plan_expiry() {
  const ExpiryPlan plan = store_->prepare_expiry().value();
  planned_ = model_.due();
  token_ = plan.token;
  std::set<int> regions, days;
  for (const auto& [region, day] : *planned_) {
    regions.insert(region);
    days.insert(day);
  }
  same(std::to_string(plan.buckets), std::to_string(planned_->size()));
  same(std::to_string(plan.tenants), std::to_string(regions.size()));
  if (days.empty()) return;
  same(std::to_string(plan.first.time_since_epoch().count()), std::to_string(*days.begin()));
  same(std::to_string(plan.last.time_since_epoch().count()), std::to_string(*days.rbegin()));
}

void RulesSession::Pair::commit_expiry() {
  same(said(store_->commit_expiry(token_), [](const Maintained& done) { return said(done); }),
       told([&] {
         RulesModel::refuse_if(!planned_, Errc::conflict);
         return said(model_.commit_expiry(*planned_));
       }));
}

void RulesSession::Pair::reopen(const Operation& op) {
  for (auto& kept : kept_) kept.reset();
  activities_.clear();
  purposes_.clear();
  regions_.clear();
  tenant_.reset();
  store_.reset();
  model_.here.reset();
  if (op.number % 4 < 2) model_.here = op.number % 4;
  model_.needs_agreement = op.days < 3;
  store_.emplace(Store::open(options()).value());
  tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  take_handles();
}

void RulesSession::Pair::dossier(const Operation& op) {
  const auto write = [](bool restricted, bool leaving, const std::vector<HoldNumber>& holds) {
    std::string text = std::string(restricted ? "restricted " : "") + (leaving ? "leaving " : "");
    for (const HoldNumber hold : holds) text += std::to_string(hold) + " ";
    return text;
  };
  with(op, [&](const Known& her) {
    std::string found;
    const Status looked = tenant_->dossier(her.subject, [&](const Dossier& file) {
      std::vector<HoldNumber> holds;
      for (const Hold& hold : file.holds) holds.push_back(hold.number);
      found = write(file.restricted, file.erasure_asked, holds);
    });
    same(looked ? found : said(looked), told([&] {
           const RulesModel::Person& person = model_.person(her.who);
           std::vector<HoldNumber> holds;
           for (const auto& [number, until] : person.holds) holds.push_back(number);
           return write(person.restricted, person.leaving, holds);
         }));
  });
}

// Consent, objection, restriction.
void RulesSession::Pair::change(const Operation& op, const Known& her) {
  const Purpose for_it = purpose(op.purpose);
  switch (op.act) {
    case Act::grant:
      return same(said(tenant_->grant(her.subject, for_it, {"v1", "web", {}})),
                  told([&] { model_.grant(her.who, op.purpose); }));
    case Act::withdraw:
      return same(
          said(tenant_->withdraw(her.subject, for_it), [](const Erasure& e) { return said(e); }),
          told([&] {
            const bool kept = model_.withdraw(her.who, op.purpose);
            return said(!kept, kept);
          }));
    case Act::object:
      return same(said(tenant_->object(her.subject, for_it)),
                  told([&] { model_.object(her.who, op.purpose, true); }));
    case Act::lift_objection:
      return same(said(tenant_->lift_objection(her.subject, for_it)),
                  told([&] { model_.object(her.who, op.purpose, false); }));
    case Act::restrict:
      return same(said(tenant_->restrict(her.subject)),
                  told([&] { model_.person(her.who).restricted = true; }));
    default:
      return same(said(tenant_->lift_restriction(her.subject)),
                  told([&] { model_.person(her.who).restricted = false; }));
  }
}

void RulesSession::Pair::act(const Operation& op) {
  const std::string id = id_of(op.person);
  ++written_;
  switch (op.act) {
    case Act::enrol:
      return same(said(tenant_->enrol(SubjectId(id), region(op.number % 2)),
                       [](const Subject&) { return "done"; }),
                  told([&] { model_.enrol(op.person, op.number % 2); }));
    case Act::put:
      return put(op);
    case Act::put_by_id:
      return put_by_id(op);
    case Act::get:
      return get(op);
    case Act::scan:
      return scan(op);
    case Act::remove:
    case Act::shred:
      return with(op, [&](const Known& her) {
        same(said(activity(op.purpose)
                      .remove(her.subject, RecordName(record_of(op.record)),
                              op.act == Act::shred ? Shred::now : Shred::within_window),
                  [](bool was_there) { return was_there ? "removed" : "absent"; }),
             told([&] {
               return model_.remove(her.who, op.purpose, op.record) ? "removed" : "absent";
             }));
      });
    case Act::grant:
    case Act::withdraw:
    case Act::object:
    case Act::lift_objection:
    case Act::restrict:
    case Act::lift_restriction:
      return with(op, [&](const Known& her) { change(op, her); });
    case Act::hold:
      return hold(op);
    case Act::release:
      return release(op);
    case Act::erase:
      return erase(op);
    case Act::erase_ids:
      return erase_ids(op);
    case Act::suppress:
      return suppress(op);
    case Act::reinstate: {
      const bool reason = op.number != 31;
      return same(said(tenant_->reinstate(SubjectId(id), reason ? "she asked" : "")),
                  told([&] { model_.reinstate(op.person, reason); }));
    }
    case Act::hours:
      model_.hour += op.days;
      return set_clock();
    case Act::days:
      model_.hour += 24 * (op.number == 31 ? 33 : op.days % 5);
      return set_clock();
    case Act::maintain:
      return maintain(op);
    case Act::plan_expiry:
      return plan_expiry();
    case Act::commit_expiry:
      return commit_expiry();
    case Act::reopen:
      return reopen(op);
    case Act::permit_transfer: {
      const int from = op.number % 2;
      model_.transfers.insert({from, 1 - from});
      return same(said(tenant_->permit_transfer({region_names[from], region_names[1 - from],
                                                 TransferBasis::standard_clauses})),
                  "done");
    }
    case Act::agree:
      if (op.number >= 8) return;  // It cannot be taken back.
      model_.agreed = true;
      return same(said(tenant_->set_agreement({"dpa-1", std::chrono::sys_days{}})), "done");
    case Act::transfer:
      return transfer(op);
    case Act::keep_subject:
      kept_[op.person] = look_up(op.person);
      return;
    case Act::dossier:
      return dossier(op);
  }
}

RulesSession::RulesSession() : pair_(std::make_unique<Pair>()) {}
RulesSession::~RulesSession() = default;

std::string RulesSession::run(const std::vector<Operation>& program) {
  std::size_t done = 0;
  try {
    for (; done < program.size(); ++done) pair_->apply(program[done]);
  } catch (const Difference& difference) {
    return "operation " + std::to_string(done) + " (" + name(program[done].act) +
           "): " + difference.text;
  }
  return {};
}

}  // namespace efface::test
