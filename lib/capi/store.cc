// The store and its tenants.
#include <array>
#include <optional>

#include "capi/boundary.h"

using namespace efface;
using namespace efface::capi;

namespace {

using MakeRootKeys = Result<std::unique_ptr<FileRootKeyStore>> (*)(const FileRootKeyStoreOptions&);

efface_status root_keys_by(MakeRootKeys make, const efface_root_keys_options* given,
                           efface_root_keys** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const efface_root_keys_options asked, read(given));
    EFFACE_TRY(check_flags(asked.flags, EFFACE_ACCEPT_L0 | EFFACE_SHARED));
    FileRootKeyStoreOptions options;
    EFFACE_ASSIGN(options.path, text_of(asked.path));
    EFFACE_ASSIGN(options.passphrase, bytes_of(asked.passphrase));
    options.accept_l0 = (asked.flags & EFFACE_ACCEPT_L0) != 0;
    options.shared = (asked.flags & EFFACE_SHARED) != 0;
    EFFACE_ASSIGN(auto made, make(options));
    return give(Of<std::shared_ptr<FileRootKeyStore>>{{}, std::move(made)}, out);
  });
}

Status add_region(const efface_region_options* given, OpenOptions& options, RootKeys& root_keys) {
  EFFACE_ASSIGN(const efface_region_options asked, read(given));
  RegionOptions& region = options.regions.emplace_back();
  EFFACE_ASSIGN(region.name, text_of(asked.name));
  EFFACE_ASSIGN(region.directory, text_of(asked.directory));
  EFFACE_ASSIGN(region.ledger_copy, text_of(asked.ledger_copy));
  if (asked.root_keys == nullptr) return {};
  EFFACE_ASSIGN(const auto keys, found(asked.root_keys));
  root_keys.push_back(keys->value);
  region.root_keys = keys->value.get();
  return {};
}

efface_status store_by(Result<Store> (*make)(const OpenOptions&), const efface_store_options* given,
                       efface_store** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const efface_store_options asked, read(given));
    EFFACE_TRY(check_flags(asked.flags, EFFACE_ACCEPT_L0 | EFFACE_SHARED | EFFACE_VERIFY_STRUCTURE |
                                            EFFACE_UNLOCKED_MEMORY | EFFACE_REQUIRE_AGREEMENT));
    if (asked.regions == nullptr && asked.region_count != 0)
      return Error(Errc::invalid_argument, "the regions are null and counted");
    OpenOptions options;
    RootKeys root_keys;
    EFFACE_ASSIGN(options.directory, text_of(asked.directory));
    EFFACE_ASSIGN(options.processing_region, text_of(asked.processing_region));
    for (std::size_t i = 0; i < asked.region_count; ++i)
      EFFACE_TRY(add_region(asked.regions[i], options, root_keys));
    options.accept_l0 = (asked.flags & EFFACE_ACCEPT_L0) != 0;
    options.shared = (asked.flags & EFFACE_SHARED) != 0;
    options.verify_structure = (asked.flags & EFFACE_VERIFY_STRUCTURE) != 0;
    options.require_locked_memory = (asked.flags & EFFACE_UNLOCKED_MEMORY) == 0;
    options.require_agreement = (asked.flags & EFFACE_REQUIRE_AGREEMENT) != 0;
    if (asked.hooks != nullptr) EFFACE_TRY(set_hooks(asked.hooks, options));
    EFFACE_ASSIGN(Store store, make(options));
    return give(Of<Store>{std::move(root_keys), std::move(store)}, out);
  });
}

}  // namespace

efface_status efface_root_keys_create(const efface_root_keys_options* options,
                                      efface_root_keys** out) {
  return root_keys_by(FileRootKeyStore::create, options, out);
}
efface_status efface_root_keys_open(const efface_root_keys_options* options,
                                    efface_root_keys** out) {
  return root_keys_by(FileRootKeyStore::open, options, out);
}
efface_status efface_store_create(const efface_store_options* options, efface_store** out) {
  return store_by(Store::create, options, out);
}
efface_status efface_store_open(const efface_store_options* options, efface_store** out) {
  return store_by(Store::open, options, out);
}

efface_status efface_store_sync(efface_store* store) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(store));
    return handle->value.sync();
  });
}

efface_status efface_store_maintain(efface_store* store, uint32_t residue_hours,
                                    efface_maintenance* done) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(store));
    if (done != nullptr) EFFACE_TRY(check_size(done));
    MaintainOptions options;
    options.residue_window = std::chrono::hours(residue_hours);
    EFFACE_ASSIGN(const Maintained maintained, handle->value.maintain(options));
    if (done == nullptr) return {};
    done->records_removed = maintained.records_removed;
    done->buckets_expired = maintained.buckets_expired;
    done->scopes_rekeyed = maintained.scopes_rekeyed;
    done->holds_ended = maintained.holds_ended;
    done->expiry_waits = maintained.expiry_waits ? 1 : 0;
    return {};
  });
}

efface_status efface_store_region_stats(efface_store* store, efface_slice region,
                                        efface_region_stats* out) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(store));
    EFFACE_TRY(check_size(out));
    EFFACE_ASSIGN(const std::string_view called, text_of(region));
    EFFACE_ASSIGN(const Stats stats, handle->value.stats());
    for (const RegionStats& of : stats.regions) {
      if (of.name != called) continue;
      out->epoch = of.epoch;
      out->records = of.records;
      out->residue_records = of.residue_records;
      out->residue_bytes = of.residue_bytes;
      out->reclaim_entries = of.reclaim_entries;
      out->people_held = of.people_held;
      out->keyring_file_bytes = of.keyring_file_bytes;
      out->records_file_bytes = of.records_file_bytes;
      out->open = of.open ? 1 : 0;
      out->erase_pending = of.erase_pending ? 1 : 0;
      return {};
    }
    return Error(Errc::region_unknown, "the store has no region of that name");
  });
}

efface_status efface_tenant_declare(efface_store* store, efface_slice name,
                                    const efface_slice* regions, size_t region_count,
                                    efface_slice actor, efface_tenant** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(store));
    EFFACE_ASSIGN(const std::string_view called, text_of(name));
    EFFACE_ASSIGN(const std::string_view by, text_of(actor));
    if (regions == nullptr && region_count != 0)
      return Error(Errc::invalid_argument, "the regions are null and counted");
    std::vector<Region> all;
    for (std::size_t i = 0; i < region_count; ++i) {
      EFFACE_ASSIGN(const std::string_view region, text_of(regions[i]));
      EFFACE_ASSIGN(Region there, handle->value.region(region));
      all.push_back(std::move(there));
    }
    EFFACE_ASSIGN(Tenant tenant, handle->value.declare_tenant(called, all, Actor(by)));
    return give(Of<Tenant>{handle->root_keys, std::move(tenant)}, out);
  });
}

efface_status efface_tenant_find(efface_store* store, efface_slice name, efface_slice actor,
                                 efface_tenant** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(store));
    EFFACE_ASSIGN(const std::string_view called, text_of(name));
    EFFACE_ASSIGN(const std::string_view by, text_of(actor));
    EFFACE_ASSIGN(Tenant tenant, handle->value.tenant(called, Actor(by)));
    return give(Of<Tenant>{handle->root_keys, std::move(tenant)}, out);
  });
}

efface_status efface_purpose_declare(efface_tenant* tenant, const efface_purpose_terms* terms) {
  return answer([&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const efface_purpose_terms asked, read(terms));
    EFFACE_TRY(check_flags(asked.flags, EFFACE_NO_COMPRESSION));
    if (asked.basis < EFFACE_CONSENT || asked.basis > EFFACE_LEGITIMATE_INTEREST)
      return Error(Errc::invalid_argument, "there is no such legal basis");
    PurposeTerms purpose;
    EFFACE_ASSIGN(purpose.name, text_of(asked.name));
    purpose.basis = static_cast<LegalBasis>(asked.basis);
    if (asked.retention_days != 0) purpose.retention = Days(asked.retention_days);
    purpose.compress = (asked.flags & EFFACE_NO_COMPRESSION) == 0;
    EFFACE_TRY(handle->value.declare_purpose(purpose));
    return {};
  });
}

efface_status efface_subject_enrol(efface_tenant* tenant, efface_slice id, efface_slice region,
                                   efface_subject** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const std::string_view her, text_of(id));
    EFFACE_ASSIGN(const std::string_view called, text_of(region));
    for (const Region& home : handle->value.regions()) {
      if (home.name() != called) continue;
      EFFACE_ASSIGN(Subject subject, handle->value.enrol(SubjectId(her), home));
      return give(Of<Subject>{handle->root_keys, std::move(subject)}, out);
    }
    return Error(Errc::region_not_permitted, "the tenant has no region of that name");
  });
}

efface_status efface_subject_find(efface_tenant* tenant, efface_slice id, efface_subject** out) {
  return giving(out, [&]() -> Status {
    EFFACE_ASSIGN(const auto handle, found(tenant));
    EFFACE_ASSIGN(const std::string_view her, text_of(id));
    EFFACE_ASSIGN(Subject subject, handle->value.subject(SubjectId(her)));
    return give(Of<Subject>{handle->root_keys, std::move(subject)}, out);
  });
}
