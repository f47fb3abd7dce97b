// custody/pkcs11_module.h -- a PKCS#11 library, loaded into this process, and what its codes mean.
//
// Lifetime  C_Initialize concerns the whole process, so users are counted. The last one of a module
//           that we have initialised finalises it; the library itself stays loaded, since some of
//           them do not survive being unloaded.
// Threads   load and the end of a user are thread-safe; the module is asked to lock for itself.
// Errors    token_unavailable: no such library, or it does not start.
#pragma once
#include <p11-kit/pkcs11.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include "efface/result.h"

namespace efface::custody {

class Pkcs11Module {
 public:
  static Result<std::unique_ptr<const Pkcs11Module>> load(const std::filesystem::path& path);
  Pkcs11Module(const Pkcs11Module&) = delete;
  Pkcs11Module& operator=(const Pkcs11Module&) = delete;
  ~Pkcs11Module();

  const CK_FUNCTION_LIST* operator->() const noexcept { return functions_; }

 private:
  struct Loaded;
  explicit Pkcs11Module(Loaded& loaded) noexcept;
  static Loaded& loaded(const std::filesystem::path& path);
  Loaded& loaded_;
  const CK_FUNCTION_LIST* functions_;
  std::uint64_t fork_generation_;
};

// What a code of a call other than decryption means to our caller.
Error error_of(CK_RV code, Note note) noexcept;
// Whether a new session may help.
bool is_lost(CK_RV code) noexcept;
// Fields of PKCS#11 are padded with blanks.
bool is_padded(const CK_UTF8CHAR* field, std::size_t size, std::string_view text) noexcept;
// Whether this maker's tokens are known to be files of the host.
bool makes_software(const CK_UTF8CHAR* manufacturer, std::size_t size) noexcept;

}  // namespace efface::custody
