#include "rights/export.h"

#include <algorithm>
#include <bit>

#include "access/person_records.h"
#include "base/check.h"
#include "codec/export_codec.h"
#include "crypto/sealed_stream.h"
#include "rights/decision.h"

namespace efface::rights {
namespace {

using access::TenantRegion;

// A person whose bytes may be on their way.
struct OnHerWay {
  Person who;
  std::uint64_t removals = 0;  // Of the keyring, when she was last seen there.
};

OnHerWay seen_now(const Person& person) {
  return {person, person.home->region->keyring->removals()};
}

Status still_there(OnHerWay& one) {
  const std::uint64_t removals = one.who.home->region->keyring->removals();
  if (removals == one.removals) return {};
  EFFACE_TRY(access::keys_of(one.who));
  one.removals = removals;
  return {};
}

// From the writers to the caller's sink, through the sealer where there is one. What waits on the
// way when its person is erased goes no further.
class Outlet {
 public:
  explicit Outlet(ExportSink sink) : sink_(sink) {}
  Outlet(const Outlet&) = delete;  // The sealer knows where it is.
  Outlet& operator=(const Outlet&) = delete;

  Status begin(const ExportOptions& options) {
    if (!options.recipient) return {};
    EFFACE_ASSIGN(auto sealer,
                  crypto::StreamSealer::begin(options.recipient->bytes,
                                              [this](Bytes sealed) { return give(sealed); }));
    sealer_.emplace(std::move(sealer));
    return {};
  }

  // What comes is about her. Call it before anything of hers is read.
  void begin_person(const Person& person) {
    if (!sealer_) waiting_.clear();  // Of the one before nothing waits.
    waiting_.push_back(seen_now(person));
    taken_ = false;
  }
  Status take(Bytes plain) {
    EFFACE_TRY(still_there(waiting_.back()));
    taken_ = true;
    return sealer_ ? sealer_->write(plain) : give(plain);
  }
  // Whether a byte of hers has been taken, and can't be taken back.
  bool taken() const noexcept { return taken_; }
  void drop_person() { waiting_.pop_back(); }

  Status finish() { return sealer_ ? sealer_->finish() : Status(); }

 private:
  Status give(Bytes bytes) {
    for (OnHerWay& one : waiting_) EFFACE_TRY(still_there(one));
    EFFACE_TRY(sink_(bytes));
    // A chunk takes along all that waited: what the sealer keeps now is of the last.
    if (waiting_.size() > 1) waiting_.erase(waiting_.begin(), waiting_.end() - 1);
    return {};
  }

  ExportSink sink_;
  std::optional<crypto::StreamSealer> sealer_;
  std::vector<OnHerWay> waiting_;
  bool taken_ = false;
};

// One person told to a writer.
class Telling {
 public:
  // Errors: subject_unknown, subject_erased; transfer_not_permitted.
  static Result<Telling> of(const Acting& acting, const Person& person) {
    EFFACE_TRY(acting.tenant->check_residency(*person.home));
    EFFACE_ASSIGN(OnFile on_file, read_file(acting, person));
    Telling telling(person);
    telling.flags_ = on_file.person().flags;
    telling.dossier_ = std::move(on_file.dossier);
    telling.terms_ = acting.tenant->terms();
    return telling;
  }

  // Enrolling her was cut short by a crash: she has keys, and nothing that they would open.
  Result<bool> is_blank() const {
    bool blank = dossier_.fields().events.empty();
    EFFACE_TRY(access::each_record(person_, [&](const access::PersonRecord&) -> Status {
      blank = false;
      return {};
    }));
    return blank;
  }

  Status tell(codec::ExportWriter& to) {
    EFFACE_TRY(tell_who(to));
    EFFACE_TRY(access::each_record(
        person_, [&](const access::PersonRecord& record) { return tell_record(record, to); }));
    EFFACE_TRY(tell_file(to));
    return to.end();
  }

 private:
  explicit Telling(const Person& person) : person_(person) {}

  bool has(std::uint16_t flag) const noexcept { return (flags_ & flag) != 0; }

  Status tell_who(codec::ExportWriter& to) const {
    const auto id = access::id_of(person_);
    if (!id) {
      EFFACE_TRY(access::keys_of(person_));
      return id.error();
    }
    std::vector<std::string_view> aliases;
    for (const Bytes alias : dossier_.fields().aliases) aliases.push_back(as_text(alias));
    return to.begin({.tenant = person_.tenant->name(),
                     .region = person_.home->region->name,
                     .id = as_text(id->bytes()),
                     .aliases = aliases,
                     .restricted = has(keyring::flag_restricted),
                     .held = has(keyring::flag_held),
                     .erasure_asked = has(keyring::flag_leaving),
                     .events_dropped = dossier_.fields().events_dropped});
  }

  Status tell_record(const access::PersonRecord& told, codec::ExportWriter& to) {
    const codec::RecordFields& fields = told.record.fields;
    const bool is_over = access::is_over(person_, told.record);
    if (is_over && !has(keyring::flag_held)) return {};  // It goes with its day.
    std::vector<std::string> permitted;
    for (const subjects::PurposeNumber number : fields.permitted) {
      EFFACE_ASSIGN(const PurposeTerms* other, terms_of(number));
      permitted.push_back(other->name);
    }
    EFFACE_ASSIGN(const PurposeTerms* purpose, terms_of(told.purpose));
    const std::vector<std::string_view> also_permitted(permitted.begin(), permitted.end());
    return to.record(
        {.purpose = purpose->name,
         .legal_basis = name(purpose->basis),
         .name = as_text(fields.name),
         .value = fields.value,
         .written_ms = fields.written_ms,
         .expires_ms = fields.expires_ms,
         .origin = fields.origin,
         .recipients = fields.recipients,
         .also_permitted = also_permitted,
         .automated_decision = fields.automated_decision,
         .kept_by_hold = told.kept_by_hold || is_over || is_withdrawn(told.scope, *purpose)});
  }

  // Under a hold a withdrawn scope stays, and what was asked for is on file.
  bool is_withdrawn(const keyring::Row& scope, const PurposeTerms& purpose) const {
    if (purpose.basis == LegalBasis::consent && (scope.flags & keyring::flag_granted) == 0)
      return true;
    return std::ranges::any_of(dossier_.fields().asked, [&](const codec::AskedFields& asked) {
      return asked.handle == scope.handle;
    });
  }

  Status tell_file(codec::ExportWriter& to) {
    for (const codec::EventFields& e : dossier_.fields().events) {
      const PurposeTerms* purpose = nullptr;
      if (e.purpose != 0) {
        EFFACE_ASSIGN(purpose, terms_of(e.purpose));
      }
      EFFACE_TRY(to.event({.kind = name(EventKind{e.kind}),
                           .purpose = purpose != nullptr ? std::string_view(purpose->name) : "",
                           .at_ms = e.at_ms,
                           .text_version = e.text_version,
                           .channel = e.channel,
                           .actor = e.actor}));
    }
    for (const codec::HoldFields& h : dossier_.fields().holds)
      EFFACE_TRY(to.hold({h.number, h.basis, h.reason, h.since_ms, h.until_ms}));
    return {};
  }

  // Valid until the next call: a purpose may have been declared since. Errors: corruption.
  Result<const PurposeTerms*> terms_of(subjects::PurposeNumber number) {
    const subjects::NumberedPurpose* found = terms_.find(number);
    if (found == nullptr) {
      terms_ = person_.tenant->terms();
      found = terms_.find(number);
    }
    if (found == nullptr)
      return Error(Errc::corruption, "something is of a purpose that never was");
    return &found->terms;
  }

  Person person_;
  std::uint16_t flags_ = 0;
  DossierFile dossier_;
  subjects::Terms terms_;
};

std::unique_ptr<codec::ExportWriter> writer_to(Outlet& outlet, ExportFormat format) {
  const auto sink = [&outlet](Bytes plain) { return outlet.take(plain); };
  if (format == ExportFormat::flatbuffers) return codec::flat_export_writer(sink);
  return codec::json_export_writer(sink);
}

Status check_format(ExportFormat format) {
  if (format == ExportFormat::json || format == ExportFormat::flatbuffers) return {};
  return Error(Errc::invalid_argument, "there is no such format of an export");
}

// One leaf after the other of a tenant's people in a region. A split in between moves people to a
// later leaf: from which leaf they come, and how many there were when it was visited, tells whether
// they have been met.
class Walk {
 public:
  explicit Walk(const std::shared_ptr<access::TenantState>& tenant, const TenantRegion& home)
      : tenant_(tenant), home_(home) {}

  struct Met {
    Person person;
    bool incoming;
  };
  // The people of the next leaf; nothing at the end.
  Result<std::optional<std::vector<Met>>> next() {
    EFFACE_TRY(tenant_->check_here());
    const auto leaf = static_cast<std::uint32_t>(leaves_at_.size());
    std::vector<Met> met;
    EFFACE_ASSIGN(const std::uint32_t leaves,
                  home_.region->keyring->walk_leaf(home_.people(), leaf, [&](keyring::RowView row) {
                    if (row.label() != keyring::person || is_met(row.tag(), leaf)) return;
                    met.push_back({{tenant_, &home_, row.tag(), row.handle()},
                                   (row.flags() & keyring::flag_incoming) != 0});
                  }));
    leaves_at_.push_back(leaves);
    if (leaf >= leaves) return std::optional<std::vector<Met>>();
    return std::optional(std::move(met));
  }

 private:
  bool is_met(const keyring::Tag& tag, std::uint32_t leaf) const {
    for (std::uint32_t from = leaf; from != 0;) {
      from &= ~std::bit_floor(from);  // Which it was split from.
      if (keyring::KeyTree::bucket_of(tag, leaves_at_[from]) == from) return true;
    }
    return false;
  }

  const std::shared_ptr<access::TenantState> tenant_;
  const TenantRegion& home_;
  std::vector<std::uint32_t> leaves_at_;  // By leaf that was visited.
};

// A transfer that a crash left is brought to its end. Answers whether she is at home here.
Result<bool> has_arrived(const Person& person) {
  const auto id = access::id_of(person);
  if (!id) return false;  // She is whole where she comes from.
  const auto found = access::find_person(person.tenant, SubjectId(as_text(id->bytes())));
  if (!found && found.error().code() == Errc::subject_unknown) return false;
  EFFACE_TRY(found);
  return found->handle == person.handle;
}

// Whether she was there to be told.
Result<bool> tell_if_there(const Acting& acting, const Person& person, ExportFormat format,
                           Outlet& outlet) {
  outlet.begin_person(person);
  const auto told = [&]() -> Result<bool> {
    EFFACE_ASSIGN(Telling telling, Telling::of(acting, person));
    const auto writer = writer_to(outlet, format);
    const Status status = telling.tell(*writer);
    if (!status && status.error().code() == Errc::corruption && !outlet.taken()) {
      EFFACE_ASSIGN(const bool blank, telling.is_blank());
      if (blank) return false;
    }
    EFFACE_TRY(status);
    return true;
  }();
  if (outlet.taken()) return told;
  if (!told && told.error().code() != Errc::subject_erased) return told;
  outlet.drop_person();
  return false;
}

// After it: what failed on the way was no export.
Status note_exported(const Acting& acting, const TenantRegion& home, std::uint64_t people) {
  ledger::Entry exported = decision(acting, ledger::Kind::exported);
  exported.count = people;
  exported.tenant = home.ref.number;
  EFFACE_ASSIGN(const auto held, home.region->keyring->lock());
  return home.region->keyring->enter(held, {&exported, 1});
}

}  // namespace

Status export_person(const Acting& acting, const Person& person, const ExportOptions& options,
                     ExportSink sink) {
  EFFACE_TRY(check_format(options.format));
  Outlet outlet(sink);
  EFFACE_TRY(outlet.begin(options));
  outlet.begin_person(person);
  EFFACE_ASSIGN(Telling telling, Telling::of(acting, person));
  EFFACE_TRY(telling.tell(*writer_to(outlet, options.format)));
  EFFACE_TRY(outlet.finish());
  return note_exported(acting, *person.home, 1);
}

Result<std::uint64_t> export_people(const Acting& acting, const ExportOptions& options,
                                    ExportSink sink) {
  const access::TenantState& tenant = *acting.tenant;
  EFFACE_TRY(tenant.check_here());
  EFFACE_TRY(check_format(options.format));
  if (!tenant.all_open())
    return Error(Errc::region_not_open, "an export of all people needs all of their regions open");
  for (const TenantRegion& home : tenant.regions()) EFFACE_TRY(tenant.check_residency(home));
  const auto moves = tenant.moves();
  Outlet outlet(sink);
  EFFACE_TRY(outlet.begin(options));
  std::uint64_t people = 0;
  for (const TenantRegion& home : tenant.regions()) {
    Walk walk(acting.tenant, home);
    for (;;) {
      EFFACE_ASSIGN(const auto met, walk.next());
      if (!moves || tenant.moves() != moves)
        return Error(Errc::transfer_pending, "somebody was transferred or merged meanwhile");
      if (!met) break;
      for (const auto& [person, incoming] : *met) {
        if (incoming) {
          EFFACE_ASSIGN(const bool arrived, has_arrived(person));
          if (!arrived) continue;
        }
        EFFACE_ASSIGN(const bool told, tell_if_there(acting, person, options.format, outlet));
        people += told ? 1 : 0;
      }
    }
  }
  EFFACE_TRY(outlet.finish());
  EFFACE_TRY(note_exported(acting, tenant.regions().front(), people));
  return people;
}

}  // namespace efface::rights
