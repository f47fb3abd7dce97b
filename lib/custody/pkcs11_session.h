// custody/pkcs11_session.h -- one session with one token, logged in, and the objects that it sees.
//
// Lifetime  open() finds the token anew: by its label and serial, whatever slot it is in by now.
// Threads   One at a time.
// Errors    As efface/pkcs11_root_key_store.h. lost() says that the last failure may be mended by a
//           new session.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "crypto/secret.h"
#include "custody/pkcs11_module.h"
#include "efface/root_key_store.h"

namespace efface::custody {

using Objects = std::vector<CK_OBJECT_HANDLE>;

struct TokenName {
  std::string label;   // Empty: any.
  std::string serial;  // Likewise.
};

// Attributes of a template. What they point to outlives the call that they are for.
class Template {
 public:
  Template& add(CK_ATTRIBUTE_TYPE type, Bytes value);
  Template& add(CK_ATTRIBUTE_TYPE type, bool value);
  Template& add_class(const CK_OBJECT_CLASS& value);
  Template& add_number(CK_ATTRIBUTE_TYPE type, const CK_ULONG& value);
  CK_ATTRIBUTE* data() noexcept { return attributes_.data(); }
  CK_ULONG size() const noexcept { return attributes_.size(); }

 private:
  std::vector<CK_ATTRIBUTE> attributes_;
};

class Pkcs11Session {
 public:
  static Result<std::unique_ptr<Pkcs11Session>> open(const std::filesystem::path& module,
                                                     const TokenName& token, Bytes pin);
  Pkcs11Session(const Pkcs11Session&) = delete;
  Pkcs11Session& operator=(const Pkcs11Session&) = delete;
  ~Pkcs11Session();

  Assurance assurance() const noexcept { return assurance_; }
  bool lost() const noexcept { return lost_; }
  // The same token, another session: what this one remembers of objects goes.
  Status renew();

  Result<Objects> find(Template wanted);
  Result<std::vector<std::byte>> read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
  // Whether the token refuses to show it: as sensitive, or as an object that is not there.
  bool refuses_to_show(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
  Result<CK_OBJECT_HANDLE> create(Template object);
  Status destroy(CK_OBJECT_HANDLE object);
  // AES-256. A template that asks for too much answers unsupported.
  Result<CK_OBJECT_HANDLE> generate_key(Template key);

  // AES-256-GCM, tag of 16 bytes after the ciphertext. iv: what it is to be; afterwards, what the
  // token took.
  Status encrypt(CK_OBJECT_HANDLE key, MutableBytes iv, Bytes associated, Bytes plain,
                 MutableBytes sealed);
  // Errors: corruption where it does not verify.
  Status decrypt(CK_OBJECT_HANDLE key, Bytes iv, Bytes associated, Bytes sealed,
                 MutableBytes plain);

 private:
  Pkcs11Session(std::unique_ptr<const Pkcs11Module> module, CK_SLOT_ID slot) noexcept;
  Status check_mechanisms() const;
  Status log_in(Bytes pin);
  Status check(CK_RV code, Note note);
  CK_RV encrypt_once(CK_OBJECT_HANDLE key, MutableBytes iv, Bytes associated, Bytes plain,
                     MutableBytes sealed);
  CK_RV decrypt_once(CK_OBJECT_HANDLE key, Bytes iv, Bytes associated, Bytes sealed,
                     MutableBytes plain);
  bool still_works(CK_OBJECT_HANDLE key);

  std::unique_ptr<const Pkcs11Module> module_;
  CK_SLOT_ID slot_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  Assurance assurance_;
  bool lost_ = false;
  std::uint64_t fork_generation_;
};

}  // namespace efface::custody
