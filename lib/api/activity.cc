#include "efface/activity.h"

#include "api/handles.h"
#include "base/check.h"

namespace efface {

using internal::Access;
using internal::UpdateKind;

namespace {

constexpr int update_attempts_max = 64;

Result<access::PutTerms> terms_of(const access::Activity& activity, const PutOptions& options) {
  access::PutTerms terms{{}, options.retention, options.origin};
  for (const Purpose& purpose : options.also_permitted) {
    if (Access::tenant_of(purpose) != activity.tenant->instance())
      return Error(Errc::purpose_unknown, "a permitted purpose belongs to another tenant");
    terms.also_permitted.push_back(Access::number_of(purpose));
  }
  return terms;
}

Status put_one(const access::Activity& activity, const access::Person& person, RecordName name,
               Bytes value, const PutOptions& options) {
  EFFACE_ASSIGN(const access::PutTerms terms, terms_of(activity, options));
  access::SealedWrites writes;
  EFFACE_TRY(access::seal_put(activity, person, name, value, terms, writes));
  return access::commit(activity, *person.home, writes);
}

}  // namespace

Activity::Activity(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

Purpose Activity::purpose() const noexcept {
  return Access::purpose(state_->activity.tenant->instance(), state_->activity.purpose.number);
}

Result<std::optional<Record>> Activity::get(const Subject& subject, RecordName name) const {
  return api::guarded([&]() -> Result<std::optional<Record>> {
    EFFACE_ASSIGN(auto found, access::read(state_->activity, Access::person(subject), name));
    if (!found) return std::optional<Record>();
    return std::optional<Record>(Access::record(*std::move(found)));
  });
}

Result<bool> Activity::visit(const Subject& subject, RecordName name,
                             FunctionRef<void(Bytes)> look) const {
  return api::guarded([&]() -> Result<bool> {
    EFFACE_ASSIGN(const auto found, access::read(state_->activity, Access::person(subject), name));
    if (found) look(found->fields.value);
    return found.has_value();
  });
}

Result<ScanEnd> Activity::list(const Subject& subject, const ScanOptions& options,
                               FunctionRef<Flow(std::string_view)> each) const {
  return api::guarded([&] {
    return access::scan(state_->activity, Access::person(subject), options, false,
                        [&](std::string_view name, Bytes) { return each(name); });
  });
}

Result<ScanEnd> Activity::scan(const Subject& subject, const ScanOptions& options,
                               FunctionRef<Flow(std::string_view, Bytes)> each) const {
  return api::guarded(
      [&] { return access::scan(state_->activity, Access::person(subject), options, true, each); });
}

Status Activity::put(const Subject& subject, RecordName name, Bytes value,
                     const PutOptions& options) const {
  return api::guarded([&]() -> Status {
    return put_one(state_->activity, Access::person(subject), name, value, options);
  });
}

Status Activity::put(SubjectId id, const Region& region, RecordName name, Bytes value,
                     const PutOptions& options) const {
  return api::guarded([&]() -> Status {
    const access::Activity& activity = state_->activity;
    EFFACE_TRY(subjects::check_name(name));
    EFFACE_TRY(access::check_basis(activity));
    EFFACE_ASSIGN(const auto* home, activity.tenant->region(Access::region(region).get()));
    EFFACE_ASSIGN(const auto people,
                  access::enrol(activity.tenant, {&id, 1}, *home, access::IfThere::accept,
                                {&activity.purpose.number, 1}));
    return put_one(activity, people.front(), name, value, options);
  });
}

Result<bool> Activity::remove(const Subject& subject, RecordName name) const {
  return api::guarded([&]() -> Result<bool> {
    const access::Person& person = Access::person(subject);
    access::SealedWrites writes;
    EFFACE_TRY(access::seal_remove(state_->activity, person, name, writes));
    EFFACE_TRY(access::commit(state_->activity, *person.home, writes));
    return !writes.changes.empty() && writes.changes.front().was_there;
  });
}

Batch Activity::batch(const Region& region) const {
  const access::Activity& activity = state_->activity;
  return Access::batch(activity, activity.tenant->region(Access::region(region).get()));
}

Status Activity::commit(Batch&& batch) const {
  return api::guarded([&]() -> Status {
    Batch used_up = std::move(batch);
    auto& state = *Access::state(used_up);
    if (state.refusal) return *state.refusal;
    if (state.activity.tenant != state_->activity.tenant ||
        state.activity.purpose.number != state_->activity.purpose.number)
      return Error(Errc::purpose_unknown, "the batch was sealed for another activity");
    return access::commit(state_->activity, *state.region, state.writes);
  });
}

Status Activity::update(const Subject& subject, RecordName name,
                        FunctionRef<Result<Update>(std::optional<Bytes>)> change) const {
  return api::guarded([&]() -> Status {
    const access::Activity& activity = state_->activity;
    const access::Person& person = Access::person(subject);
    for (int attempt = 0; attempt < update_attempts_max; ++attempt) {
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
        sealed.expect = own.expect;
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
  return api::guarded([&]() -> Status {
    const access::Person& person = Access::person(subject);
    EFFACE_TRY(check_home(state_->refusal, state_->region, person));
    EFFACE_ASSIGN(const access::PutTerms terms, terms_of(state_->activity, options));
    return access::seal_put(state_->activity, person, name, value, terms, state_->writes);
  });
}

Status Batch::remove(const Subject& subject, RecordName name) {
  return api::guarded([&]() -> Status {
    const access::Person& person = Access::person(subject);
    EFFACE_TRY(check_home(state_->refusal, state_->region, person));
    return access::seal_remove(state_->activity, person, name, state_->writes);
  });
}

std::size_t Batch::records() const noexcept { return state_->writes.changes.size(); }
std::size_t Batch::sealed_bytes() const noexcept { return state_->writes.bytes; }

}  // namespace efface
