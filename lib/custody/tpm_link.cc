#include "custody/tpm_link.h"

#include <tss2/tss2_sys.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "os/lock.h"

namespace efface::custody {
namespace {

constexpr TSS2_RC layer_mask = TSS2_RC_LAYER_MASK;
constexpr TSS2_RC format_one_mask = 0x0bf;  // Without the number of a handle, session or parameter.
constexpr TSS2_RC of_session_mask = TPM2_RC_S | TPM2_RC_P;
constexpr TSS2_RC reference_mask = 0xff8;  // The last three bits say which one.
constexpr UINT32 property_count = 64;

bool is_tpms_own(TSS2_RC code) noexcept {
  return (code & layer_mask) == TSS2_TPM_RC_LAYER ||
         (code & layer_mask) == TSS2_RESMGR_TPM_RC_LAYER;
}

TSS2_RC base_of(TSS2_RC code) noexcept {
  const TSS2_RC own = code & ~layer_mask;
  return (own & TPM2_RC_FMT1) != 0 ? own & format_one_mask : own;
}

Error error_of(TSS2_RC code, Note note) noexcept {
  const int system_code = static_cast<int>(code);
  if (!is_tpms_own(code)) return Error(Errc::token_unavailable, note, system_code);
  switch (base_of(code)) {
    case TPM2_RC_BAD_AUTH:
    case TPM2_RC_AUTH_FAIL:
      return Error(Errc::passphrase_wrong, "the TPM refuses an auth value", system_code);
    case TPM2_RC_NV_RATE:
      return Error(Errc::rate_limited, "the TPM spares its NV memory", system_code);
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_UNAVAILABLE:
    case TPM2_RC_LOCKOUT:
      return Error(Errc::busy, "the TPM says to come again", system_code);
    case TPM2_RC_NV_SPACE:
      return Error(Errc::no_space, "the NV memory of the TPM is full", system_code);
    case TPM2_RC_NV_DEFINED:
      return Error(Errc::exists, "the NV index is defined already", system_code);
    default:
      return Error(Errc::token_unavailable, note, system_code);
  }
}

// A connection that broke, or a session that the TPM does not know since it was reset.
bool is_lost(TSS2_RC code) noexcept {
  if (!is_tpms_own(code)) return true;
  const TSS2_RC own = code & ~layer_mask;
  if ((own & TPM2_RC_FMT1) == 0) return (own & reference_mask) == TPM2_RC_REFERENCE_S0;
  const bool of_session = (own & of_session_mask) == TPM2_RC_S;
  return of_session && (base_of(code) == TPM2_RC_HANDLE || base_of(code) == TPM2_RC_VALUE);
}

TPM2B_PUBLIC salt_key_template() noexcept {
  TPM2B_PUBLIC key{};
  TPMT_PUBLIC& area = key.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
                          TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA;
  area.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
  area.parameters.eccDetail.symmetric.keyBits.aes = 128;
  area.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
  area.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
  area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  area.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  return key;
}

template <class T>
void wipe_object(T& object) noexcept {
  crypto::wipe(MutableBytes(reinterpret_cast<std::byte*>(&object), sizeof object));
}

// Makers whose TPMs are programs: libtpms (swtpm) says IBM; the others stand behind the virtual
// machines of clouds.
Assurance assurance_of(UINT32 manufacturer) noexcept {
  for (const std::string_view maker :
       {std::string_view("IBM\0", 4), std::string_view("IBM "), std::string_view("MSFT"),
        std::string_view("XYZ "), std::string_view("GOOG"), std::string_view("AMZN"),
        std::string_view("VMW "), std::string_view("VMW\0", 4)}) {
    UINT32 number = 0;
    for (const char c : maker) number = number << 8 | static_cast<unsigned char>(c);
    if (number == manufacturer)
      return {AssuranceLevel::l0_logical,
              "A TPM in software (swtpm or its like): its memory is a file of some host, which is "
              "replaced, not overwritten."};
  }
  return {AssuranceLevel::l3_token,
          "A TPM overwrote the key in its NV memory, undefined the index and does not know it any "
          "more; that it is a chip is its own word."};
}

}  // namespace

TpmLink::TpmLink(const TpmAuth& auth)
    : index_auth_(auth.index.size()),
      owner_auth_(auth.owner.size()),
      fork_generation_(os::fork_generation()) {
  std::ranges::copy(auth.index, index_auth_.data());
  std::ranges::copy(auth.owner, owner_auth_.data());
}

TpmLink::~TpmLink() {
  if (fork_generation_ != os::fork_generation()) return;  // The connection is the parent's.
  if (esys_ != nullptr && session_ != ESYS_TR_NONE && !lost_) Esys_FlushContext(esys_, session_);
  if (esys_ != nullptr) Esys_Finalize(&esys_);
  if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
}

Status TpmLink::check(TSS2_RC code, Note note) {
  if (code == TSS2_RC_SUCCESS) return {};
  lost_ = lost_ || is_lost(code);
  return error_of(code, note);
}

Result<std::unique_ptr<TpmLink>> TpmLink::open(const std::string& tcti, const TpmAuth& auth) {
  EFFACE_CHECK(auth.index.size() <= tpm_auth_bytes_max && auth.owner.size() <= tpm_auth_bytes_max);
  std::unique_ptr<TpmLink> link(new TpmLink(auth));
  EFFACE_TRY(link->start(tcti));
  return link;
}

Status TpmLink::start(const std::string& tcti) {
  EFFACE_TRY(check(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "the TPM is not there"));
  EFFACE_TRY(check(Esys_Initialize(&esys_, tcti_, nullptr), "the TPM is not there"));
  TPMS_CAPABILITY_DATA* found = nullptr;
  EFFACE_TRY(
      check(Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                               TPM2_CAP_TPM_PROPERTIES, TPM2_PT_MANUFACTURER, 1, nullptr, &found),
            "the TPM does not say what it is"));
  const TPML_TAGGED_TPM_PROPERTY& properties = found->data.tpmProperties;
  assurance_ = assurance_of(properties.count == 1 ? properties.tpmProperty[0].value : 0);
  Esys_Free(found);
  EFFACE_TRY(start_session());
  return set_auth(ESYS_TR_RH_OWNER, owner_auth_.bytes());
}

Status TpmLink::start_session() {
  const TPM2B_SENSITIVE_CREATE nothing{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION no_pcrs{};
  const TPM2B_PUBLIC wanted = salt_key_template();
  ESYS_TR salt_key = ESYS_TR_NONE;
  const auto make_key = [&] {
    return Esys_CreatePrimary(esys_, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                              &nothing, &wanted, &outside, &no_pcrs, &salt_key, nullptr, nullptr,
                              nullptr, nullptr);
  };
  TSS2_RC code = make_key();
  if (is_tpms_own(code) && base_of(code) == TPM2_RC_OBJECT_MEMORY) {
    flush_left(TPM2_TRANSIENT_FIRST);
    code = make_key();
  }
  EFFACE_TRY(check(code, "the TPM makes no key for a session"));
  code = try_session(salt_key);
  if (is_tpms_own(code) && base_of(code) == TPM2_RC_SESSION_MEMORY) {
    flush_left(TPM2_LOADED_SESSION_FIRST);
    code = try_session(salt_key);
  }
  const Status started = check(code, "the TPM starts no session");
  const Status flushed =
      check(Esys_FlushContext(esys_, salt_key), "the TPM keeps the key of a session");
  return started ? flushed : started;
}

TSS2_RC TpmLink::try_session(ESYS_TR salt_key) {
  TPMT_SYM_DEF aes{};
  aes.algorithm = TPM2_ALG_AES;
  aes.keyBits.aes = 128;
  aes.mode.aes = TPM2_ALG_CFB;
  return Esys_StartAuthSession(esys_, salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                               ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &aes, TPM2_ALG_SHA256,
                               &session_);
}

// Of processes that ended without a word. Behind a resource manager there are none; without one the
// TPM is ours alone while we are connected.
void TpmLink::flush_left(UINT32 first_handle) noexcept {
  TSS2_SYS_CONTEXT* sys = nullptr;
  TPMS_CAPABILITY_DATA* found = nullptr;
  if (Esys_GetSysContext(esys_, &sys) != TSS2_RC_SUCCESS ||
      Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                         first_handle, property_count, nullptr, &found) != TSS2_RC_SUCCESS)
    return;
  const TPML_HANDLE& handles = found->data.handles;
  for (UINT32 i = 0; i < handles.count; ++i) Tss2_Sys_FlushContext(sys, handles.handle[i]);
  Esys_Free(found);
}

Status TpmLink::set_auth(ESYS_TR object, Bytes auth) {
  TPM2B_AUTH value{};
  value.size = static_cast<UINT16>(auth.size());
  std::ranges::copy(auth, reinterpret_cast<std::byte*>(value.buffer));
  const TSS2_RC code = Esys_TR_SetAuth(esys_, object, &value);
  wipe_object(value);
  return check(code, "tpm2-tss takes no auth value");
}

Status TpmLink::use_session_for(TPMA_SESSION what) {
  return check(Esys_TRSess_SetAttributes(
                   esys_, session_, what | TPMA_SESSION_CONTINUESESSION,
                   TPMA_SESSION_ENCRYPT | TPMA_SESSION_DECRYPT | TPMA_SESSION_CONTINUESESSION),
               "tpm2-tss takes no session");
}

Result<bool> TpmLink::is_defined(Index index) {
  TPMS_CAPABILITY_DATA* found = nullptr;
  EFFACE_TRY(check(Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      TPM2_CAP_HANDLES, index, 1, nullptr, &found),
                   "the TPM lists no indices"));
  const TPML_HANDLE& handles = found->data.handles;
  const bool defined = handles.count > 0 && handles.handle[0] == index;
  Esys_Free(found);
  return defined;
}

Result<ESYS_TR> TpmLink::open_area(Index index) {
  ESYS_TR area = ESYS_TR_NONE;
  EFFACE_TRY(
      check(Esys_TR_FromTPMPublic(esys_, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area),
            "the TPM does not show an index"));
  const Status set = set_auth(area, index_auth_.bytes());
  if (!set) {
    Esys_TR_Close(esys_, &area);
    return set.error();
  }
  return area;
}

Result<std::optional<TpmLink::Area>> TpmLink::look(Index index) {
  EFFACE_ASSIGN(const bool defined, is_defined(index));
  if (!defined) return std::optional<Area>();
  EFFACE_ASSIGN(ESYS_TR area, open_area(index));
  TPM2B_NV_PUBLIC* shown = nullptr;
  const TSS2_RC code =
      Esys_NV_ReadPublic(esys_, area, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &shown, nullptr);
  Esys_TR_Close(esys_, &area);
  EFFACE_TRY(check(code, "the TPM does not show an index"));
  const Area found{shown->nvPublic.dataSize, (shown->nvPublic.attributes & TPMA_NV_WRITTEN) != 0};
  Esys_Free(shown);
  return std::optional(found);
}

Status TpmLink::define(Index index, std::size_t size_bytes) {
  EFFACE_TRY(use_session_for(TPMA_SESSION_DECRYPT));
  TPM2B_NV_PUBLIC wanted{};
  wanted.nvPublic.nvIndex = index;
  wanted.nvPublic.nameAlg = TPM2_ALG_SHA256;
  wanted.nvPublic.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
  wanted.nvPublic.dataSize = static_cast<UINT16>(size_bytes);
  TPM2B_AUTH auth{};
  auth.size = static_cast<UINT16>(index_auth_.size());
  std::ranges::copy(index_auth_.bytes(), reinterpret_cast<std::byte*>(auth.buffer));
  ESYS_TR area = ESYS_TR_NONE;
  const TSS2_RC code = Esys_NV_DefineSpace(esys_, ESYS_TR_RH_OWNER, session_, ESYS_TR_NONE,
                                           ESYS_TR_NONE, &auth, &wanted, &area);
  wipe_object(auth);
  if (area != ESYS_TR_NONE) Esys_TR_Close(esys_, &area);
  return check(code, "the TPM defines no index");
}

Status TpmLink::write(Index index, std::size_t offset, Bytes bytes) {
  EFFACE_CHECK(bytes.size() <= TPM2_MAX_NV_BUFFER_SIZE);
  EFFACE_ASSIGN(ESYS_TR area, open_area(index));
  const Status ready = use_session_for(TPMA_SESSION_DECRYPT);
  TSS2_RC code = TSS2_RC_SUCCESS;
  if (ready) {
    TPM2B_MAX_NV_BUFFER buffer{};
    buffer.size = static_cast<UINT16>(bytes.size());
    std::ranges::copy(bytes, reinterpret_cast<std::byte*>(buffer.buffer));
    code = Esys_NV_Write(esys_, area, area, session_, ESYS_TR_NONE, ESYS_TR_NONE, &buffer,
                         static_cast<UINT16>(offset));
    wipe_object(buffer);
  }
  Esys_TR_Close(esys_, &area);
  overwrite_buffers();
  EFFACE_TRY(ready);
  return check(code, "the TPM does not write an index");
}

Status TpmLink::read(Index index, std::size_t offset, MutableBytes out) {
  EFFACE_CHECK(out.size() <= TPM2_MAX_NV_BUFFER_SIZE);
  EFFACE_ASSIGN(ESYS_TR area, open_area(index));
  const Status ready = use_session_for(TPMA_SESSION_ENCRYPT);
  TSS2_RC code = TSS2_RC_SUCCESS;
  TPM2B_MAX_NV_BUFFER* found = nullptr;
  if (ready)
    code = Esys_NV_Read(esys_, area, area, session_, ESYS_TR_NONE, ESYS_TR_NONE,
                        static_cast<UINT16>(out.size()), static_cast<UINT16>(offset), &found);
  Esys_TR_Close(esys_, &area);
  bool whole = false;
  if (found != nullptr) {
    whole = found->size == out.size();
    if (whole)
      std::copy_n(reinterpret_cast<const std::byte*>(found->buffer), out.size(), out.begin());
    wipe_object(*found);
    Esys_Free(found);
  }
  overwrite_buffers();
  EFFACE_TRY(ready);
  EFFACE_TRY(check(code, "the TPM does not read an index"));
  if (!whole) return Error(Errc::corruption, "the TPM reads less than the index holds");
  return {};
}

// tpm2-tss marshals commands and answers in one buffer: a long answer goes over what a key left.
void TpmLink::overwrite_buffers() noexcept {
  if (lost_) return;
  TPMS_CAPABILITY_DATA* found = nullptr;
  if (Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                         TPM2_PT_FIXED, property_count, nullptr, &found) == TSS2_RC_SUCCESS)
    Esys_Free(found);
}

Status TpmLink::undefine(Index index) {
  EFFACE_ASSIGN(ESYS_TR area, open_area(index));
  const Status ready = use_session_for(0);
  TSS2_RC code = TSS2_RC_SUCCESS;
  if (ready)
    code =
        Esys_NV_UndefineSpace(esys_, ESYS_TR_RH_OWNER, area, session_, ESYS_TR_NONE, ESYS_TR_NONE);
  if (!ready || code != TSS2_RC_SUCCESS) Esys_TR_Close(esys_, &area);
  EFFACE_TRY(ready);
  EFFACE_TRY(check(code, "the TPM undefines no index"));

  EFFACE_ASSIGN(const bool listed, is_defined(index));
  // Below ESAPI, which would report on the console what is the good news here.
  TSS2_SYS_CONTEXT* sys = nullptr;
  EFFACE_TRY(check(Esys_GetSysContext(esys_, &sys), "tpm2-tss has no system context"));
  TPM2B_NV_PUBLIC shown{};
  TPM2B_NAME name{};
  const TSS2_RC asked = Tss2_Sys_NV_ReadPublic(sys, index, nullptr, &shown, &name, nullptr);
  if (!is_tpms_own(asked)) return check(asked, "the TPM does not answer for an index");
  if (listed || base_of(asked) != TPM2_RC_HANDLE)
    return Error(Errc::io, "the TPM still knows an index that it undefined");
  return {};
}

}  // namespace efface::custody
