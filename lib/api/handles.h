// api/handles.h -- what stands behind the public handles, and the library's own way into them.
#pragma once
#include <new>
#include <string>

#include "access/access.h"
#include "access/site.h"
#include "base/check.h"
#include "base/utf8.h"
#include "crypto/sealed_stream.h"
#include "efface/portability.h"

namespace efface {

struct RecipientKeyPair::State {
  crypto::RecipientKeys keys;
};

// Those of which calls are made know who observes them: null, nobody does.
struct Store::State {
  std::unique_ptr<access::Site> site;
  const base::Observer* observer() const noexcept { return site->observer(); }
};

struct Tenant::State {
  std::shared_ptr<access::TenantState> tenant;
  std::string actor;
  const base::Observer* observer() const noexcept { return tenant->observer(); }
};

struct Subject::State {
  access::Person person;
};

struct Activity::State {
  access::Activity activity;
  std::string actor;
  const base::Observer* observer() const noexcept { return activity.tenant->observer(); }
};

struct Sealer::State {
  access::Activity activity;
  std::string actor;
  const base::Observer* observer() const noexcept { return activity.tenant->observer(); }
};

struct Unsealed::State {
  codec::Plaintext plain;
};

struct Record::State {
  records::OpenRecord record;
};

namespace internal {
enum class UpdateKind : std::uint8_t { remove, put };
}

// None: keep the record as it is.
struct Update::State {
  internal::UpdateKind what;
  codec::Plaintext value;
};

struct Batch::State {
  access::Activity activity;
  const access::TenantRegion* region =
      nullptr;  // Null: the tenant may not use it; every use says so.
  std::optional<Error> refusal;
  access::SealedWrites writes;
  const base::Observer* observer() const noexcept { return activity.tenant->observer(); }
};

namespace internal {

inline Status check_actor(Actor actor) {
  if (base::is_label(actor.text)) return {};
  return Error(Errc::invalid_argument, "an actor is a service or a desk: 1 to 64 of [a-z0-9_.-]");
}

struct Access {
  template <class Handle>
  static auto& state(Handle& handle) noexcept {
    return handle.state_;
  }
  static const std::shared_ptr<RegionState>& region(const Region& region) noexcept {
    return region.state_;
  }
  static Region region(std::shared_ptr<RegionState> state) { return Region(std::move(state)); }
  static Purpose purpose(std::uint64_t tenant, subjects::PurposeNumber number) noexcept {
    return Purpose(tenant, number);
  }
  static std::uint64_t tenant_of(const Purpose& purpose) noexcept { return purpose.tenant_; }
  static subjects::PurposeNumber number_of(const Purpose& purpose) noexcept {
    return purpose.number_;
  }
  static Subject subject(access::Person person) {
    return Subject(std::make_unique<Subject::State>(Subject::State{std::move(person)}));
  }
  static const access::Person& person(const Subject& subject) noexcept {
    return subject.state_->person;
  }
  static Tenant tenant(std::shared_ptr<access::TenantState> state, std::string_view actor) {
    return Tenant(
        std::make_shared<const Tenant::State>(Tenant::State{std::move(state), std::string(actor)}));
  }
  static Activity activity(access::Activity activity, const std::string& actor) {
    return Activity(
        std::make_shared<const Activity::State>(Activity::State{std::move(activity), actor}));
  }
  static Sealer sealer(access::Activity activity, const std::string& actor) {
    return Sealer(std::make_shared<const Sealer::State>(Sealer::State{std::move(activity), actor}));
  }
  static Unsealed unsealed(codec::Plaintext plain) {
    return Unsealed(std::make_unique<Unsealed::State>(Unsealed::State{std::move(plain)}));
  }
  static Batch batch(const access::Activity& activity, Result<const access::TenantRegion*> region) {
    auto state = std::make_unique<Batch::State>();
    state->activity = activity;
    if (region)
      state->region = *region;
    else
      state->refusal = region.error();
    return Batch(std::move(state));
  }
  static Batch batch_of_nothing() noexcept { return Batch(nullptr); }
  static Record record(records::OpenRecord record) {
    return Record(std::make_unique<Record::State>(Record::State{std::move(record)}));
  }
};

}  // namespace internal

namespace api {

// Errors: forked: a child has no keys.
inline Result<const crypto::RecipientKeys*> recipient_keys(const RecipientKeyPair& pair) {
  constexpr std::array<std::byte, crypto::key_bytes> zero{};
  const crypto::RecipientKeys& keys = internal::Access::state(pair)->keys;
  if (crypto::equal(keys.secret.bytes(), zero))
    return Error(Errc::forked, "the key pair is the parent process's");
  return &keys;
}

// Nothing throws across the public surface.
template <class Body>
auto guarded(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const crypto::memory_lock_refused&) {
    return Error(Errc::memory_not_locked, "the system refused to lock memory for keys");
  } catch (const std::bad_alloc&) {
    return Error(Errc::out_of_memory, "the system has no more memory");
  }
}

// A call of that name: what was noted within is told, and the span ends, when its locks are gone.
template <class Answer>
[[gnu::noinline]] Answer observed(const base::Observer& observer, Note name,
                                  FunctionRef<Answer()> body) {
  const base::Telling at_the_end;
  const base::Observer* tracer = observer.traces() ? &observer : nullptr;
  return base::traced(tracer, {}, name, [&] { return guarded(body); });
}
template <class State, class Body>
auto call(const State& state, Note name, Body&& body) -> decltype(body()) {
  const base::Observer* observer = state.observer();
  if (observer == nullptr) [[likely]]
    return guarded(body);
  return observed<decltype(body())>(*observer, name, body);
}
// Where there is no store yet.
template <class Body>
auto call_with(const OpenOptions& options, Note name, Body&& body)
    -> decltype(body(std::shared_ptr<base::Observer>())) {
  return guarded([&] {
    const auto observer = base::Observer::of(options.on_log, options.trace);
    const auto all = [&] { return body(observer); };
    return observer == nullptr ? guarded(all) : observed<decltype(all())>(*observer, name, all);
  });
}

}  // namespace api
}  // namespace efface
