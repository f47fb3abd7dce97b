#include "custody/pkcs11_session.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/random.h"
#include "os/lock.h"

namespace efface::custody {
namespace {

constexpr CK_BBOOL yes = CK_TRUE;
constexpr CK_BBOOL no = CK_FALSE;
constexpr CK_ULONG gcm_tag_bits = 128;
constexpr std::size_t gcm_tag_bytes = gcm_tag_bits / 8;
constexpr std::size_t gcm_iv_bytes = 12;
constexpr std::size_t found_at_a_time = 16;
constexpr std::size_t attribute_bytes_max = 4096;

// PKCS#11 takes pointers to what it only reads.
CK_BYTE* bytes_for(Bytes bytes) noexcept {
  return reinterpret_cast<CK_BYTE*>(const_cast<std::byte*>(bytes.data()));
}

CK_GCM_PARAMS gcm_of(Bytes iv, Bytes associated) noexcept {
  CK_GCM_PARAMS gcm{};
  gcm.pIv = bytes_for(iv);
  gcm.ulIvLen = iv.size();
  gcm.ulIvBits = 8 * iv.size();
  gcm.pAAD = bytes_for(associated);
  gcm.ulAADLen = associated.size();
  gcm.ulTagBits = gcm_tag_bits;
  return gcm;
}

Result<CK_SLOT_ID> find_token(const Pkcs11Module& module, const TokenName& wanted) {
  CK_ULONG count = 0;
  CK_RV code = module->C_GetSlotList(CK_TRUE, nullptr, &count);
  if (code != CKR_OK) return error_of(code, "the PKCS#11 module names no slots");
  std::vector<CK_SLOT_ID> slots(count);
  code = module->C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (code != CKR_OK) return error_of(code, "the PKCS#11 module names no slots");
  slots.resize(std::min<std::size_t>(count, slots.size()));
  std::vector<CK_SLOT_ID> found;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    if (module->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    const bool label =
        wanted.label.empty() || is_padded(info.label, sizeof info.label, wanted.label);
    const bool serial = wanted.serial.empty() ||
                        is_padded(info.serialNumber, sizeof info.serialNumber, wanted.serial);
    if (label && serial) found.push_back(slot);
  }
  if (found.empty()) return Error(Errc::token_unavailable, "the token is not there");
  if (found.size() > 1)
    return Error(Errc::invalid_argument, "several tokens answer: name one by its serial number");
  return found.front();
}

Assurance assurance_of(const Pkcs11Module& module, CK_SLOT_ID slot) {
  CK_INFO library{};
  CK_SLOT_INFO place{};
  CK_TOKEN_INFO token{};
  if (module->C_GetInfo(&library) != CKR_OK || module->C_GetSlotInfo(slot, &place) != CKR_OK ||
      module->C_GetTokenInfo(slot, &token) != CKR_OK)
    return {AssuranceLevel::l0_logical, "The token does not say what it is."};
  if (makes_software(library.manufacturerID, sizeof library.manufacturerID) ||
      makes_software(token.manufacturerID, sizeof token.manufacturerID))
    return {AssuranceLevel::l0_logical,
            "A token in software (SoftHSM or its like): it deletes a file of this host and "
            "overwrites nothing."};
  if ((place.flags & CKF_HW_SLOT) == 0)
    return {AssuranceLevel::l0_logical, "A token that does not say that it is hardware."};
  return {AssuranceLevel::l3_token,
          "A PKCS#11 token in hardware destroyed the key and does not find it again; what its "
          "vendor's backups and replicas hold is not seen."};
}

}  // namespace

Template& Template::add(CK_ATTRIBUTE_TYPE type, Bytes value) {
  attributes_.push_back({type, bytes_for(value), value.size()});
  return *this;
}
Template& Template::add(CK_ATTRIBUTE_TYPE type, bool value) {
  attributes_.push_back({type, const_cast<CK_BBOOL*>(value ? &yes : &no), sizeof(CK_BBOOL)});
  return *this;
}
Template& Template::add_number(CK_ATTRIBUTE_TYPE type, const CK_ULONG& value) {
  attributes_.push_back({type, const_cast<CK_ULONG*>(&value), sizeof value});
  return *this;
}
Template& Template::add_class(const CK_OBJECT_CLASS& value) { return add_number(CKA_CLASS, value); }

Pkcs11Session::Pkcs11Session(std::unique_ptr<const Pkcs11Module> module, CK_SLOT_ID slot) noexcept
    : module_(std::move(module)), slot_(slot), fork_generation_(os::fork_generation()) {}

Pkcs11Session::~Pkcs11Session() {
  // The token logs us out with the last session of the process.
  if (session_ != CK_INVALID_HANDLE && fork_generation_ == os::fork_generation())
    (*module_)->C_CloseSession(session_);
}

Result<std::unique_ptr<Pkcs11Session>> Pkcs11Session::open(const std::filesystem::path& module,
                                                           const TokenName& token, Bytes pin) {
  EFFACE_ASSIGN(std::unique_ptr<const Pkcs11Module> loaded, Pkcs11Module::load(module));
  EFFACE_ASSIGN(const CK_SLOT_ID slot, find_token(*loaded, token));
  std::unique_ptr<Pkcs11Session> session(new Pkcs11Session(std::move(loaded), slot));
  EFFACE_TRY(session->check_mechanisms());
  EFFACE_TRY(session->renew());
  EFFACE_TRY(session->log_in(pin));
  session->assurance_ = assurance_of(*session->module_, slot);
  return session;
}

Status Pkcs11Session::check_mechanisms() const {
  CK_MECHANISM_INFO gcm{};
  CK_MECHANISM_INFO key{};
  if ((*module_)->C_GetMechanismInfo(slot_, CKM_AES_GCM, &gcm) != CKR_OK ||
      (gcm.flags & CKF_ENCRYPT) == 0 || (gcm.flags & CKF_DECRYPT) == 0)
    return Error(Errc::unsupported, "the token has no AES-GCM");
  if ((*module_)->C_GetMechanismInfo(slot_, CKM_AES_KEY_GEN, &key) != CKR_OK ||
      (key.flags & CKF_GENERATE) == 0)
    return Error(Errc::unsupported, "the token makes no AES keys");
  return {};
}

Status Pkcs11Session::renew() {
  const CK_SESSION_HANDLE old = session_;
  CK_SESSION_HANDLE fresh = CK_INVALID_HANDLE;
  EFFACE_TRY(check((*module_)->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                             nullptr, &fresh),
                   "the token opens no session"));
  session_ = fresh;
  if (old != CK_INVALID_HANDLE) (*module_)->C_CloseSession(old);  // After: it may log us out.
  return {};
}

Status Pkcs11Session::log_in(Bytes pin) {
  CK_TOKEN_INFO info{};
  EFFACE_TRY(check((*module_)->C_GetTokenInfo(slot_, &info), "the token says nothing"));
  if ((info.flags & CKF_LOGIN_REQUIRED) == 0) return {};
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0)
    return Error(Errc::token_unavailable, "the PIN is locked", static_cast<int>(CKR_PIN_LOCKED));
  const bool pad = pin.empty();
  if (pad && (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0)
    return Error(Errc::passphrase_wrong, "the token wants a PIN");
  const CK_RV code =
      (*module_)->C_Login(session_, CKU_USER, pad ? nullptr : bytes_for(pin), pad ? 0 : pin.size());
  if (code == CKR_USER_ALREADY_LOGGED_IN) return {};
  return check(code, "the token refuses to log in");
}

Status Pkcs11Session::check(CK_RV code, Note note) {
  if (code == CKR_OK) return {};
  lost_ = lost_ || is_lost(code);
  return error_of(code, note);
}

Result<Objects> Pkcs11Session::find(Template wanted) {
  EFFACE_TRY(check((*module_)->C_FindObjectsInit(session_, wanted.data(), wanted.size()),
                   "the token does not search"));
  Objects all;
  std::array<CK_OBJECT_HANDLE, found_at_a_time> some{};
  CK_RV code = CKR_OK;
  for (CK_ULONG count = some.size(); code == CKR_OK && count != 0;) {
    code = (*module_)->C_FindObjects(session_, some.data(), some.size(), &count);
    if (code == CKR_OK)
      all.insert(all.end(), some.begin(), some.begin() + std::min<CK_ULONG>(count, some.size()));
  }
  const CK_RV ended = (*module_)->C_FindObjectsFinal(session_);
  EFFACE_TRY(check(code, "the token does not search"));
  EFFACE_TRY(check(ended, "the token does not search"));
  return all;
}

Result<std::vector<std::byte>> Pkcs11Session::read(CK_OBJECT_HANDLE object,
                                                   CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  EFFACE_TRY(check((*module_)->C_GetAttributeValue(session_, object, &attribute, 1),
                   "the token does not show an attribute"));
  if (attribute.ulValueLen > attribute_bytes_max)
    return Error(Errc::corruption, "an object of the token is not ours");
  std::vector<std::byte> value(attribute.ulValueLen);
  attribute.pValue = value.data();
  EFFACE_TRY(check((*module_)->C_GetAttributeValue(session_, object, &attribute, 1),
                   "the token does not show an attribute"));
  value.resize(std::min<std::size_t>(attribute.ulValueLen, value.size()));
  return value;
}

bool Pkcs11Session::refuses_to_show(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  const CK_RV code = (*module_)->C_GetAttributeValue(session_, object, &attribute, 1);
  return code == CKR_ATTRIBUTE_SENSITIVE || code == CKR_ATTRIBUTE_TYPE_INVALID ||
         code == CKR_OBJECT_HANDLE_INVALID;
}

Result<CK_OBJECT_HANDLE> Pkcs11Session::create(Template object) {
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  EFFACE_TRY(check((*module_)->C_CreateObject(session_, object.data(), object.size(), &handle),
                   "the token keeps no object"));
  return handle;
}

Status Pkcs11Session::destroy(CK_OBJECT_HANDLE object) {
  return check((*module_)->C_DestroyObject(session_, object), "the token destroys no object");
}

Result<CK_OBJECT_HANDLE> Pkcs11Session::generate_key(Template key) {
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  EFFACE_TRY(check((*module_)->C_GenerateKey(session_, &mechanism, key.data(), key.size(), &handle),
                   "the token makes no key"));
  return handle;
}

CK_RV Pkcs11Session::encrypt_once(CK_OBJECT_HANDLE key, MutableBytes iv, Bytes associated,
                                  Bytes plain, MutableBytes sealed) {
  CK_GCM_PARAMS gcm = gcm_of(iv, associated);
  CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof gcm};
  const CK_RV code = (*module_)->C_EncryptInit(session_, &mechanism, key);
  if (code != CKR_OK) return code;
  CK_ULONG size = sealed.size();
  const CK_RV done =
      (*module_)->C_Encrypt(session_, bytes_for(plain), plain.size(), bytes_for(sealed), &size);
  if (done == CKR_OK && size != sealed.size()) return CKR_GENERAL_ERROR;
  return done;
}

CK_RV Pkcs11Session::decrypt_once(CK_OBJECT_HANDLE key, Bytes iv, Bytes associated, Bytes sealed,
                                  MutableBytes plain) {
  CK_GCM_PARAMS gcm = gcm_of(iv, associated);
  CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof gcm};
  const CK_RV code = (*module_)->C_DecryptInit(session_, &mechanism, key);
  if (code != CKR_OK) return code;
  // Some tokens ask for room for the tag as well.
  crypto::SecretBuffer room(sealed.size());
  CK_ULONG size = room.size();
  const CK_RV done = (*module_)->C_Decrypt(session_, bytes_for(sealed), sealed.size(),
                                           bytes_for(room.bytes()), &size);
  if (done != CKR_OK) return done;
  if (size != plain.size()) return CKR_ENCRYPTED_DATA_INVALID;
  std::ranges::copy(room.bytes().first(plain.size()), plain.begin());
  return CKR_OK;
}

Status Pkcs11Session::encrypt(CK_OBJECT_HANDLE key, MutableBytes iv, Bytes associated, Bytes plain,
                              MutableBytes sealed) {
  EFFACE_CHECK(iv.size() == gcm_iv_bytes && sealed.size() == plain.size() + gcm_tag_bytes);
  CK_RV code = encrypt_once(key, iv, associated, plain, sealed);
  if (code == CKR_MECHANISM_PARAM_INVALID || code == CKR_ARGUMENTS_BAD) {
    // A token that insists on its own takes zeros, and writes what it took over them.
    std::ranges::fill(iv, std::byte{0});
    code = encrypt_once(key, iv, associated, plain, sealed);
    if (code == CKR_OK && std::ranges::all_of(iv, [](std::byte b) { return b == std::byte{0}; }))
      return Error(Errc::unsupported, "the token does not say which nonce it took");
  }
  return check(code, "the token does not encrypt");
}

// A failure to decrypt that may be the token's, or that of the bytes.
bool Pkcs11Session::still_works(CK_OBJECT_HANDLE key) {
  std::array<std::byte, gcm_iv_bytes> iv{};
  std::array<std::byte, 1> plain{};
  std::array<std::byte, 1 + gcm_tag_bytes> sealed{};
  crypto::fill_random(iv);
  return encrypt(key, iv, {}, plain, sealed) && decrypt_once(key, iv, {}, sealed, plain) == CKR_OK;
}

Status Pkcs11Session::decrypt(CK_OBJECT_HANDLE key, Bytes iv, Bytes associated, Bytes sealed,
                              MutableBytes plain) {
  EFFACE_CHECK(iv.size() == gcm_iv_bytes && sealed.size() == plain.size() + gcm_tag_bytes);
  const CK_RV code = decrypt_once(key, iv, associated, sealed, plain);
  if (code == CKR_OK) return {};
  const bool says_so = code == CKR_ENCRYPTED_DATA_INVALID || code == CKR_ENCRYPTED_DATA_LEN_RANGE ||
                       code == CKR_DATA_INVALID;
  const bool may_mean_it = code == CKR_GENERAL_ERROR || code == CKR_FUNCTION_FAILED;
  if (says_so || (may_mean_it && still_works(key)))
    return Error(Errc::corruption, "a wrapped root key does not verify");
  return check(code, "the token does not decrypt");
}

}  // namespace efface::custody
