#include "efface/activity.h"

#include <algorithm>

#include "access/reseal.h"
#include "access/shared.h"
#include "api/handles.h"
#include "base/check.h"
#include "rights/consent.h"

namespace efface {

using internal::Access;
using internal::UpdateKind;

namespace {

constexpr Error no_memory_for_a_batch(Errc::out_of_memory, "there was no memory for the batch");

constexpr int races_max = 64;
constexpr std::size_t shred_records_max = 4'096;  // Sealed anew in one commit.

Result<access::PutTerms> terms_of(const access::Activity& activity, const PutOptions& options) {
  access::PutTerms terms{
      {}, options.retention, options.origin, options.recipients, options.automated_decision};
  for (const Purpose& purpose : options.also_permitted) {
    if (Access::tenant_of(purpose) != activity.tenant->instance())
      return Error(Errc::purpose_unknown, "a permitted purpose belongs to another tenant");
    terms.also_permitted.push_back(Access::number_of(purpose));
  }
  return terms;
}

// Seals and stores, again while a scope is re-keyed in between.
Status store(const access::Activity& activity, const access::TenantRegion& home,
             Durability durability, access::SealedWrites& writes,
             FunctionRef<Status(access::SealedWrites&)> seal) {
  for (int race = 1;; ++race) {
    writes = {};
    EFFACE_TRY(seal(writes));
    const Status stored = access::commit(activity, home, writes, durability);
    if (stored || stored.error().code() != Errc::conflict || race == races_max) return stored;
  }
}

Status put_one(const access::Activity& activity, std::string_view actor,
               const access::Person& person, RecordName name, Bytes value,
               const PutOptions& options) {
  EFFACE_ASSIGN(const access::PutTerms terms, terms_of(activity, options));
  access::SealedWrites writes;
  const Durability durability = options.rectifies ? Durability::synced : options.durability;
  EFFACE_TRY(store(activity, *person.home, durability, writes, [&](access::SealedWrites& into) {
    return access::seal_put(activity, person, name, value, terms, into);
  }));
  if (!options.rectifies) return {};
  return rights::note_rectified({activity.tenant, actor}, person, activity.purpose);
}

}  // namespace

Activity::Activity(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

Purpose Activity::purpose() const noexcept {
  return Access::purpose(state_->activity.tenant->instance(), state_->activity.purpose.number);
}

Result<std::optional<Record>> Activity::get(const Subject& subject, RecordName name) const {
  return api::call(*state_, "Activity::get", [&]() -> Result<std::optional<Record>> {
    EFFACE_ASSIGN(auto found, access::read(state_->activity, Access::person(subject), name));
    if (!found) return std::optional<Record>();
    return std::optional<Record>(Access::record(*std::move(found)));
  });
}

Result<bool> Activity::visit(const Subject& subject, RecordName name,
                             FunctionRef<void(Bytes)> look) const {
  return api::call(*state_, "Activity::visit", [&]() -> Result<bool> {
    EFFACE_ASSIGN(const auto found, access::read(state_->activity, Access::person(subject), name));
    if (found) look(found->fields.value);
    return found.has_value();
  });
}

Result<ScanEnd> Activity::list(const Subject& subject, const ScanOptions& options,
                               FunctionRef<Flow(std::string_view)> each) const {
  return api::call(*state_, "Activity::list", [&] {
    return access::scan(state_->activity, Access::person(subject), options, false,
                        [&](std::string_view name, Bytes) { return each(name); });
  });
}

Result<ScanEnd> Activity::scan(const Subject& subject, const ScanOptions& options,
                               FunctionRef<Flow(std::string_view, Bytes)> each) const {
  return api::call(*state_, "Activity::scan", [&] {
    return access::scan(state_->activity, Access::person(subject), options, true, each);
  });
}

Status Activity::put(const Subject& subject, RecordName name, Bytes value,
                     const PutOptions& options) const {
  return api::call(*state_, "Activity::put", [&]() -> Status {
    return put_one(state_->activity, state_->actor, Access::person(subject), name, value, options);
  });
}

Status Activity::put(SubjectId id, const Region& region, RecordName name, Bytes value,
                     const PutOptions& options) const {
  return api::call(*state_, "Activity::put", [&]() -> Status {
    const access::Activity& activity = state_->activity;
    EFFACE_TRY(subjects::check_name(name));
    EFFACE_ASSIGN(const auto* home, activity.tenant->region(Access::region(region).get()));
    if (!access::check_needs_no_consent(activity)) {  // Who is not there has not consented.
      auto person = access::find_person(activity.tenant, id, *home);
      if (!person && person.error().code() == Errc::subject_unknown)
        return access::check_needs_no_consent(activity);
      EFFACE_TRY(person);
      return put_one(activity, state_->actor, *person, name, value, options);
    }
    EFFACE_ASSIGN(const auto people,
                  access::enrol(activity.tenant, {&id, 1}, *home, access::IfThere::accept,
                                state_->actor, {&activity.purpose.number, 1}));
    return put_one(activity, state_->actor, people.front(), name, value, options);
  });
}

Result<bool> Activity::remove(const Subject& subject, RecordName name, Shred shred) const {
  return api::call(*state_, "Activity::remove", [&]() -> Result<bool> {
    const access::Activity& activity = state_->activity;
    const access::Person& person = Access::person(subject);
    access::SealedWrites writes;
    const auto seal = [&](access::SealedWrites& into) {
      return access::seal_remove(activity, person, name, into);
    };
    EFFACE_TRY(store(activity, *person.home, Durability::synced, writes, seal));
    const bool was_there = std::any_of(writes.changes.begin(), writes.changes.end(),
                                       [](const records::Change& c) { return c.was_there; });
    if (shred == Shred::now) {
      const access::ScopePlace scope{person.tag, activity.purpose.number};
      EFFACE_TRY(access::rekey(activity.tenant, *person.home, {&scope, 1}, shred_records_max));
    }
    return was_there;
  });
}

Status Activity::put_shared(std::span<const Subject* const> subjects, Sharing sharing,
                            RecordName name, Bytes value, const PutOptions& options) const {
  return api::call(*state_, "Activity::put_shared", [&]() -> Status {
    EFFACE_ASSIGN(const access::PutTerms terms, terms_of(state_->activity, options));
    std::vector<const access::Person*> people;
    for (const Subject* subject : subjects) people.push_back(&Access::person(*subject));
    for (int race = 1;; ++race) {
      const Status stored =
          access::put_shared(state_->activity, people, sharing, name, value, terms);
      if (stored || stored.error().code() != Errc::conflict || race == races_max) return stored;
    }
  });
}

Batch Activity::batch(const Region& region) const {
  const access::Activity& activity = state_->activity;
  try {
    return Access::batch(activity, activity.tenant->region(Access::region(region).get()));
  } catch (const std::bad_alloc&) {
    return Access::batch_of_nothing();  // What is put into it says so.
  }
}

Status Activity::commit(Batch&& batch) const {
  return commit(std::move(batch), Durability::synced);
}

Status Activity::commit(Batch&& batch, Durability durability) const {
  return api::call(*state_, "Activity::commit", [&]() -> Status {
    Batch used_up = std::move(batch);
    if (Access::state(used_up) == nullptr) return no_memory_for_a_batch;
    auto& state = *Access::state(used_up);
    if (state.refusal) return *state.refusal;
    if (state.activity.tenant != state_->activity.tenant ||
        state.activity.purpose.number != state_->activity.purpose.number)
      return Error(Errc::purpose_unknown, "the batch was sealed for another activity");
    return access::commit(state_->activity, *state.region, state.writes, durability);
  });
}

Status Activity::update(const Subject& subject, RecordName name,
                        FunctionRef<Result<Update>(std::optional<Bytes>)> change) const {
  return api::call(*state_, "Activity::update", [&]() -> Status {
    const access::Activity& activity = state_->activity;
    const access::Person& person = Access::person(subject);
    for (int attempt = 0; attempt < races_max; ++attempt) {
      EFFACE_ASSIGN(const access::OwnRecord own, access::read_own(activity, person, name));
      std::optional<Bytes> present;
      if (own.record) present = own.record->fields.value;
      EFFACE_ASSIGN(const Update update, change(present));
      const auto& wanted = Access::state(update);
      if (wanted == nullptr) return {};
      access::SealedWrites writes;
      if (wanted->what == UpdateKind::put)
        EFFACE_TRY(access::seal_put(activity, person, name, std::as_const(wanted->value).bytes(),
                                    {}, writes));
      else
        EFFACE_TRY(access::seal_remove(activity, person, name, writes));
      for (records::Change& sealed : writes.changes) {
        const bool is_there = own.record && sealed.key == own.key;
        sealed.expect = is_there ? records::Change::Expect::nonce : records::Change::Expect::absent;
        sealed.nonce = own.nonce;
      }
      const Status stored = access::commit(activity, *person.home, writes);
      if (stored || stored.error().code() != Errc::conflict) return stored;
    }
    return Error(Errc::conflict, "somebody else wrote the record first, 64 times");
  });
}

Batch::Batch(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;
Batch::~Batch() = default;

namespace {

Status check_home(const std::optional<Error>& refusal, const access::TenantRegion* region,
                  const access::Person& person) {
  if (refusal) return *refusal;
  if (person.home != region)
    return Error(Errc::region_mismatch, "the person's home is another region than the batch's");
  return {};
}

}  // namespace

Status Batch::put(const Subject& subject, RecordName name, Bytes value, const PutOptions& options) {
  if (state_ == nullptr) return no_memory_for_a_batch;
  return api::call(*state_, "Batch::put", [&]() -> Status {
    const access::Person& person = Access::person(subject);
    EFFACE_TRY(check_home(state_->refusal, state_->region, person));
    EFFACE_ASSIGN(const access::PutTerms terms, terms_of(state_->activity, options));
    return access::seal_put(state_->activity, person, name, value, terms, state_->writes);
  });
}

Status Batch::remove(const Subject& subject, RecordName name) {
  if (state_ == nullptr) return no_memory_for_a_batch;
  return api::call(*state_, "Batch::remove", [&]() -> Status {
    const access::Person& person = Access::person(subject);
    EFFACE_TRY(check_home(state_->refusal, state_->region, person));
    return access::seal_remove(state_->activity, person, name, state_->writes);
  });
}

std::size_t Batch::records() const noexcept {
  return state_ == nullptr ? 0 : state_->writes.changes.size();
}
std::size_t Batch::sealed_bytes() const noexcept {
  return state_ == nullptr ? 0 : state_->writes.bytes;
}

}  // namespace efface
