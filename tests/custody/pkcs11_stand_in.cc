// A PKCS#11 module in front of SoftHSM's that does what token_fault.h says.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>

#include "custody/token_fault.h"

namespace {

using efface::test::TokenFault;

TokenFault fault;
CK_FUNCTION_LIST* real = nullptr;

// Any function of the list: it does not answer once the token is broken.
template <class F, F CK_FUNCTION_LIST::* Member>
struct Passed;
template <class... A, CK_RV (*CK_FUNCTION_LIST::*Member)(A...)>
struct Passed<CK_RV (*)(A...), Member> {
  static CK_RV call(A... arguments) {
    if (fault.broken) return CKR_DEVICE_REMOVED;
    if (fault.fails_call()) return fault.code;
    return (real->*Member)(arguments...);
  }
  static CK_RV change(A... arguments) {
    if (fault.fails_call()) return fault.code;
    if (!fault.begin_change()) return CKR_DEVICE_REMOVED;
    const CK_RV code = (real->*Member)(arguments...);
    return fault.broken ? CKR_DEVICE_REMOVED : code;
  }
};
template <auto Member>
struct Of;
template <class F, F CK_FUNCTION_LIST::* Member>
struct Of<Member> : Passed<F, Member> {};

CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  if (fault.keeps_what_it_destroys) return CKR_OK;
  return Of<&CK_FUNCTION_LIST::C_DestroyObject>::change(session, object);
}

CK_RV slot_info(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  if (fault.fails_call()) return fault.code;
  const CK_RV code = real->C_GetSlotInfo(slot, info);
  if (fault.says_it_is_hardware) info->flags |= CKF_HW_SLOT;
  return code;
}

template <std::size_t N>
void call_it_acme(CK_UTF8CHAR (&field)[N]) {
  std::fill_n(field, N, static_cast<CK_UTF8CHAR>(' '));
  std::copy_n("Acme", 4, field);
}

CK_RV info(CK_INFO* info) {
  if (fault.fails_call()) return fault.code;
  const CK_RV code = real->C_GetInfo(info);
  if (fault.says_it_is_hardware) call_it_acme(info->manufacturerID);
  return code;
}

CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  if (fault.broken) return CKR_TOKEN_NOT_PRESENT;
  if (fault.fails_call()) return fault.code;
  const CK_RV code = real->C_GetTokenInfo(slot, info);
  info->flags = (info->flags | fault.token_flags_set) & ~fault.token_flags_cleared;
  if (fault.says_it_is_hardware) call_it_acme(info->manufacturerID);
  return code;
}

CK_RV mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  if (fault.fails_call()) return fault.code;
  if (fault.has_no_gcm && type == CKM_AES_GCM) return CKR_MECHANISM_INVALID;
  const CK_RV code = real->C_GetMechanismInfo(slot, type, info);
  info->flags &= ~fault.mechanism_flags_cleared;
  return code;
}

CK_RV attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* wanted,
                CK_ULONG count) {
  CK_OBJECT_CLASS kind = 0;
  CK_ATTRIBUTE what{CKA_CLASS, &kind, sizeof kind};
  if (fault.shows_keys && count == 1 && wanted->type == CKA_VALUE &&
      real->C_GetAttributeValue(session, object, &what, 1) == CKR_OK && kind == CKO_SECRET_KEY) {
    wanted->ulValueLen = 32;
    return CKR_OK;
  }
  if (fault.attribute_bytes != 0) {
    wanted->ulValueLen = fault.attribute_bytes;
    return CKR_OK;
  }
  return Of<&CK_FUNCTION_LIST::C_GetAttributeValue>::call(session, object, wanted, count);
}

CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE* wanted, CK_ULONG count) {
  if (fault.loses_the_next_session) {
    fault.loses_the_next_session = false;
    real->C_CloseSession(session);
    return CKR_SESSION_HANDLE_INVALID;
  }
  return Of<&CK_FUNCTION_LIST::C_FindObjectsInit>::call(session, wanted, count);
}

CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  if (fault.insists_on_its_own_iv) {
    auto* const gcm = static_cast<CK_GCM_PARAMS*>(mechanism->pParameter);
    const bool zeros =
        std::all_of(gcm->pIv, gcm->pIv + gcm->ulIvLen, [](CK_BYTE byte) { return byte == 0; });
    if (!zeros) return CKR_MECHANISM_PARAM_INVALID;
    std::fill_n(gcm->pIv, gcm->ulIvLen, CK_BYTE{0x77});
  }
  return Of<&CK_FUNCTION_LIST::C_EncryptInit>::call(session, mechanism, key);
}

CK_FUNCTION_LIST list() {
  CK_FUNCTION_LIST all = *real;
  all.C_GetInfo = info;
  all.C_GetSlotInfo = slot_info;
  all.C_GetTokenInfo = token_info;
  all.C_GetMechanismInfo = mechanism_info;
  all.C_Initialize = Of<&CK_FUNCTION_LIST::C_Initialize>::call;
  all.C_GetSlotList = Of<&CK_FUNCTION_LIST::C_GetSlotList>::call;
  all.C_OpenSession = Of<&CK_FUNCTION_LIST::C_OpenSession>::call;
  all.C_Login = Of<&CK_FUNCTION_LIST::C_Login>::call;
  all.C_FindObjectsInit = find_init;
  all.C_FindObjects = Of<&CK_FUNCTION_LIST::C_FindObjects>::call;
  all.C_FindObjectsFinal = Of<&CK_FUNCTION_LIST::C_FindObjectsFinal>::call;
  all.C_GetAttributeValue = attribute;
  all.C_CreateObject = Of<&CK_FUNCTION_LIST::C_CreateObject>::change;
  all.C_GenerateKey = Of<&CK_FUNCTION_LIST::C_GenerateKey>::change;
  all.C_DestroyObject = destroy;
  all.C_EncryptInit = encrypt_init;
  all.C_Encrypt = Of<&CK_FUNCTION_LIST::C_Encrypt>::call;
  all.C_DecryptInit = Of<&CK_FUNCTION_LIST::C_DecryptInit>::call;
  all.C_Decrypt = Of<&CK_FUNCTION_LIST::C_Decrypt>::call;
  return all;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) TokenFault* efface_test_fault() { return &fault; }

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  if (real == nullptr) {
    void* const library = dlopen(EFFACE_SOFTHSM, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) return CKR_GENERAL_ERROR;
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    if (get == nullptr || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  }
  static CK_FUNCTION_LIST ours = list();
  *out = &ours;
  return CKR_OK;
}
}
