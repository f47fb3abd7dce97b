#include "custody/pkcs11_module.h"

#include <dlfcn.h>

#include <array>
#include <map>
#include <mutex>
#include <string>

#include "base/check.h"
#include "os/lock.h"

namespace efface::custody {

// As the process has it. Changed under modules_mutex.
struct Pkcs11Module::Loaded {
  CK_FUNCTION_LIST* functions = nullptr;
  std::size_t users = 0;
  std::uint64_t fork_generation = 0;
  bool initialised_here = false;
};

namespace {

std::mutex& modules_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

Result<CK_FUNCTION_LIST*> functions_of(const std::filesystem::path& path) {
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr)
    return Error(Errc::token_unavailable, "the PKCS#11 module cannot be loaded");
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr)
    return Error(Errc::token_unavailable, "the library is no PKCS#11 module");
  return functions;
}

CK_RV initialise(const CK_FUNCTION_LIST& functions) {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV code = functions.C_Initialize(&arguments);
  return code == CKR_CANT_LOCK ? functions.C_Initialize(nullptr) : code;
}

}  // namespace

Pkcs11Module::Loaded& Pkcs11Module::loaded(const std::filesystem::path& path) {
  static auto* const all = new std::map<std::string, Loaded, std::less<>>;
  return (*all)[path.string()];
}

Result<std::unique_ptr<const Pkcs11Module>> Pkcs11Module::load(const std::filesystem::path& path) {
  if (!path.is_absolute())
    return Error(Errc::invalid_argument, "name the PKCS#11 module by its whole path");
  const std::scoped_lock lock(modules_mutex());
  Loaded& module = loaded(path);
  if (module.fork_generation != os::fork_generation()) {  // The parent's users are not ours.
    module.users = 0;
    module.fork_generation = os::fork_generation();
  }
  if (module.functions == nullptr) {
    EFFACE_ASSIGN(module.functions, functions_of(path));
  }
  if (module.users == 0) {
    const CK_RV code = initialise(*module.functions);
    if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED)
      return error_of(code, "the PKCS#11 module does not start");
    module.initialised_here = code == CKR_OK;
  }
  std::unique_ptr<const Pkcs11Module> user(new Pkcs11Module(module));
  ++module.users;
  return user;
}

Pkcs11Module::Pkcs11Module(Loaded& loaded) noexcept
    : loaded_(loaded), functions_(loaded.functions), fork_generation_(loaded.fork_generation) {}

Pkcs11Module::~Pkcs11Module() {
  if (fork_generation_ != os::fork_generation()) return;
  const std::scoped_lock lock(modules_mutex());
  if (--loaded_.users == 0 && loaded_.initialised_here) functions_->C_Finalize(nullptr);
}

Error error_of(CK_RV code, Note note) noexcept {
  const int system_code = static_cast<int>(code);
  switch (code) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
      return Error(Errc::passphrase_wrong, "the token refuses the PIN", system_code);
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_TEMPLATE_INCONSISTENT:
    case CKR_TEMPLATE_INCOMPLETE:
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_KEY_SIZE_RANGE:
      return Error(Errc::unsupported, "the token cannot do what a root key store needs",
                   system_code);
    case CKR_DEVICE_MEMORY:
      return Error(Errc::no_space, "the token is full", system_code);
    case CKR_HOST_MEMORY:
      return Error(Errc::out_of_memory, "the PKCS#11 module has no memory", system_code);
    default:
      return Error(Errc::token_unavailable, note, system_code);
  }
}

bool is_lost(CK_RV code) noexcept {
  switch (code) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_OPERATION_ACTIVE:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
      return true;
    default:
      return false;
  }
}

bool is_padded(const CK_UTF8CHAR* field, std::size_t size, std::string_view text) noexcept {
  std::string_view all(reinterpret_cast<const char*>(field), size);
  if (!all.starts_with(text)) return false;
  return all.find_first_not_of(" \0", text.size(), 2) == std::string_view::npos;
}

bool makes_software(const CK_UTF8CHAR* manufacturer, std::size_t size) noexcept {
  const std::string_view name(reinterpret_cast<const char*>(manufacturer), size);
  for (const std::string_view maker :
       {"SoftHSM", "Mozilla", "Kryoptic", "GNOME Keyring", "PKCS#11 Kit", "OpenCryptoki Soft"})
    if (name.starts_with(maker)) return true;
  return false;
}

}  // namespace efface::custody
