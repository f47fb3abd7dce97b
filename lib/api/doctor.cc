#include "efface/doctor.h"

#include "api/handles.h"
#include "rights/check.h"
#include "rights/doctor.h"
#include "rights/forensics.h"

namespace efface {

const char* name(Severity severity) noexcept {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::danger:
      return "danger";
  }
  return "unknown";
}

Result<std::vector<Finding>> Store::diagnose() const {
  return api::call(*state_, "Store::diagnose", [&] { return rights::diagnose(*state_->site); });
}

Result<CheckReport> Store::check(const std::function<void(std::uint64_t)>& progress) const {
  return api::call(*state_, "Store::check", [&] { return rights::check(*state_->site, progress); });
}

Result<ForensicsReport> Store::forensics(std::span<const std::filesystem::path> places,
                                         const ForensicsOptions& options) const {
  return api::call(*state_, "Store::forensics",
                   [&] { return rights::forensics(*state_->site, places, options); });
}

}  // namespace efface
