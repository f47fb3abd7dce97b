// Consent, erasure, suppression, and their receipts.
#include "api/handles.h"
#include "capi/boundary.h"

using namespace efface;
using namespace efface::capi;

namespace {

Subject again(const Subject& subject) {
  return internal::Access::subject(internal::Access::person(subject));
}

}  // namespace

efface_status efface_grant(efface_tenant* tenant, efface_subject* subject, efface_slice purpose,
                           efface_slice text_version, efface_slice channel) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_ASSIGN(const std::string_view called, text_of(purpose));
    Evidence evidence;
    EFFACE_ASSIGN(evidence.text_version, text_of(text_version));
    EFFACE_ASSIGN(evidence.channel, text_of(channel));
    EFFACE_ASSIGN(const Purpose declared, handle->value.purpose(called));
    return handle->value.grant(person->value, declared, evidence);
  });
}

efface_status efface_withdraw(efface_tenant* tenant, efface_subject* subject, efface_slice purpose,
                              efface_erasure* done) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const auto person, found(subject));
    if (done != nullptr) EFFACE_TRY(check_size(done));
    EFFACE_ASSIGN(const std::string_view called, text_of(purpose));
    EFFACE_ASSIGN(const Purpose declared, handle->value.purpose(called));
    EFFACE_ASSIGN(const Erasure erasure, handle->value.withdraw(person->value, declared));
    return tell(erasure, done);
  });
}

efface_status efface_erase(efface_tenant* tenant, efface_subject* subject, efface_erasure* done) {
  return answer([&]() -> Status {
    // Somebody else may be using it: what is used up is a Subject of our own.
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_TRY(close(subject));
    EFFACE_ASSIGN(const auto handle, found(tenant));
    if (done != nullptr) EFFACE_TRY(check_size(done));
    EFFACE_ASSIGN(const Erasure erasure, handle->value.erase(again(person->value)));
    return tell(erasure, done);
  });
}

efface_status efface_erase_ids(efface_tenant* tenant, const efface_slice* ids, size_t id_count,
                               efface_erasure* done) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    if (done != nullptr) EFFACE_TRY(check_size(done));
    if (ids == nullptr && id_count != 0)
      return Error(Errc::invalid_argument, "the ids are null and counted");
    std::vector<SubjectId> people;
    for (std::size_t i = 0; i < id_count; ++i) {
      EFFACE_ASSIGN(const std::string_view id, text_of(ids[i]));
      people.emplace_back(id);
    }
    EFFACE_ASSIGN(const Erasure erasure, handle->value.erase(people));
    return tell(erasure, done);
  });
}

efface_status efface_suppress(efface_tenant* tenant, efface_slice id, efface_erasure* done) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    if (done != nullptr) EFFACE_TRY(check_size(done));
    EFFACE_ASSIGN(const std::string_view her, text_of(id));
    EFFACE_ASSIGN(const Erasure erasure, handle->value.suppress(SubjectId(her)));
    return tell(erasure, done);
  });
}

efface_status efface_reinstate(efface_tenant* tenant, efface_slice id, efface_slice reason) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const std::string_view her, text_of(id));
    EFFACE_ASSIGN(const std::string_view why, text_of(reason));
    return handle->value.reinstate(SubjectId(her), why);
  });
}

efface_status efface_receipt(efface_tenant* tenant, const efface_erasure* of, efface_buffer** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_TRY(check_size(of));
    if (of->has_receipt == 0) return Error(Errc::receipt_unknown, "nothing was destroyed by it");
    ReceiptTicket ticket;
    ticket.region.assign(of->region, strnlen(of->region, sizeof of->region));
    ticket.entry = of->entry;
    std::memcpy(ticket.salt.data(), of->salt, ticket.salt.size());
    EFFACE_ASSIGN(const std::string receipt, handle->value.receipt(ticket));
    return give_plain(as_bytes(receipt), out);
  });
}
