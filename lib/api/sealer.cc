#include "efface/sealer.h"

#include "access/sealing.h"
#include "api/handles.h"
#include "base/check.h"
#include "rights/sealing.h"

namespace efface {

using internal::Access;

Unsealed::Unsealed(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Unsealed::Unsealed(Unsealed&&) noexcept = default;
Unsealed& Unsealed::operator=(Unsealed&&) noexcept = default;
Unsealed::~Unsealed() = default;

Bytes Unsealed::bytes() const& noexcept { return std::as_const(state_->plain).bytes(); }

Sealer::Sealer(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

Purpose Sealer::purpose() const noexcept {
  return Access::purpose(state_->activity.tenant->instance(), state_->activity.purpose.number);
}

Result<std::vector<std::byte>> Sealer::seal(const Subject& subject, SealContext context,
                                            Bytes plain, const SealOptions& options) const {
  return api::call(*state_, "Sealer::seal", [&] {
    return access::seal(state_->activity, Access::person(subject), as_bytes(context.text), plain,
                        options.retention);
  });
}

Result<Unsealed> Sealer::open(const Subject& subject, SealContext context, Bytes sealed) const {
  return api::call(*state_, "Sealer::open", [&]() -> Result<Unsealed> {
    EFFACE_ASSIGN(codec::Plaintext plain, access::open(state_->activity, Access::person(subject),
                                                       as_bytes(context.text), sealed));
    return Access::unsealed(std::move(plain));
  });
}

Result<Erasure> Sealer::discard(const Subject& subject, const ReceiptOptions& receipt) const {
  return api::call(*state_, "Sealer::discard", [&] {
    return rights::discard_sealed({state_->activity.tenant, state_->actor}, Access::person(subject),
                                  state_->activity.purpose.number, receipt);
  });
}

Result<Sealer> Tenant::sealer(Purpose purpose) const {
  return api::call(*state_, "Tenant::sealer", [&]() -> Result<Sealer> {
    EFFACE_ASSIGN(const Activity activity, this->activity(purpose));
    return Access::sealer(Access::state(activity)->activity, state_->actor);
  });
}

}  // namespace efface
