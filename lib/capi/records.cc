// Records, and bytes that are kept elsewhere.
#include "capi/boundary.h"

using namespace efface;
using namespace efface::capi;

efface_status efface_activity_of(efface_tenant* tenant, efface_slice purpose,
                                 efface_activity** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const std::string_view called, text_of(purpose));
    EFFACE_ASSIGN(const Purpose declared, handle->value.purpose(called));
    EFFACE_ASSIGN(Activity activity, handle->value.activity(declared));
    return give(Of<Activity>{handle->root_keys, std::move(activity)}, out);
  });
}

efface_status efface_put(efface_activity* activity, efface_subject* subject, efface_slice name,
                         efface_slice value, const efface_put_options* options) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(activity));
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_ASSIGN(const std::string_view called, text_of(name));
    EFFACE_ASSIGN(const Bytes bytes, bytes_of(value));
    PutOptions put;
    if (options != nullptr) {
      EFFACE_ASSIGN(const efface_put_options asked, read(options));
      EFFACE_TRY(
          check_flags(asked.flags, EFFACE_AUTOMATED_DECISION | EFFACE_RECTIFIES | EFFACE_RELAXED));
      if (asked.retention_days != 0) put.retention = Days(asked.retention_days);
      put.automated_decision = (asked.flags & EFFACE_AUTOMATED_DECISION) != 0;
      put.rectifies = (asked.flags & EFFACE_RECTIFIES) != 0;
      if ((asked.flags & EFFACE_RELAXED) != 0) put.durability = Durability::relaxed;
      EFFACE_ASSIGN(put.origin, text_of(asked.origin));
    }
    return handle->value.put(person->value, RecordName(called), bytes, put);
  });
}

efface_status efface_get(efface_activity* activity, efface_subject* subject, efface_slice name,
                         efface_buffer** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(activity));
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_ASSIGN(const std::string_view called, text_of(name));
    EFFACE_ASSIGN(auto record, handle->value.get(person->value, RecordName(called)));
    if (!record) return {};
    return give_secret(*std::move(record), out);
  });
}

efface_status efface_remove(efface_activity* activity, efface_subject* subject, efface_slice name,
                            uint32_t flags, uint32_t* was_there) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(activity));
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_ASSIGN(const std::string_view called, text_of(name));
    EFFACE_TRY(check_flags(flags, EFFACE_SHRED_NOW));
    const Shred shred = (flags & EFFACE_SHRED_NOW) != 0 ? Shred::now : Shred::within_window;
    EFFACE_ASSIGN(const bool gone, handle->value.remove(person->value, RecordName(called), shred));
    if (was_there != nullptr) *was_there = gone ? 1 : 0;
    return {};
  });
}

efface_status efface_list(efface_activity* activity, efface_subject* subject, efface_slice prefix,
                          int32_t (*each)(void* user, efface_slice name), void* user) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(activity));
    EFFACE_ASSIGN(const auto person, found(subject));
    if (each == nullptr) return Error(Errc::invalid_argument, "nobody to tell the names to");
    ScanOptions options;
    EFFACE_ASSIGN(options.prefix, text_of(prefix));
    EFFACE_TRY(handle->value.list(person->value, options, [&](std::string_view name) {
      return each(user, {name.data(), name.size()}) != 0 ? Flow::more : Flow::stop;
    }));
    return {};
  });
}

efface_status efface_sealer_of(efface_tenant* tenant, efface_slice purpose, efface_sealer** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const std::string_view called, text_of(purpose));
    EFFACE_ASSIGN(const Purpose declared, handle->value.purpose(called));
    EFFACE_ASSIGN(Sealer sealer, handle->value.sealer(declared));
    return give(Of<Sealer>{handle->root_keys, std::move(sealer)}, out);
  });
}

efface_status efface_seal(efface_sealer* sealer, efface_subject* subject, efface_slice context,
                          efface_slice plain, uint32_t retention_days, efface_buffer** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(sealer));
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_ASSIGN(const std::string_view said, text_of(context));
    EFFACE_ASSIGN(const Bytes bytes, bytes_of(plain));
    SealOptions options;
    if (retention_days != 0) options.retention = Days(retention_days);
    EFFACE_ASSIGN(const auto sealed,
                  handle->value.seal(person->value, SealContext(said), bytes, options));
    return give_plain(sealed, out);
  });
}

efface_status efface_open_sealed(efface_sealer* sealer, efface_subject* subject,
                                 efface_slice context, efface_slice sealed, efface_buffer** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(sealer));
    EFFACE_ASSIGN(const auto person, found(subject));
    EFFACE_ASSIGN(const std::string_view said, text_of(context));
    EFFACE_ASSIGN(const Bytes bytes, bytes_of(sealed));
    EFFACE_ASSIGN(Unsealed opened, handle->value.open(person->value, SealContext(said), bytes));
    return give_secret(std::move(opened), out);
  });
}

efface_status efface_discard_sealed(efface_sealer* sealer, efface_subject* subject,
                                    efface_erasure* done) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(sealer));
    EFFACE_ASSIGN(const auto person, found(subject));
    if (done != nullptr) EFFACE_TRY(check_size(done));
    EFFACE_ASSIGN(const Erasure erasure, handle->value.discard(person->value));
    return tell(erasure, done);
  });
}
