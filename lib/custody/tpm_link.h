// custody/tpm_link.h -- a connection to one TPM 2.0, with a session that encrypts what it carries,
// and the NV indices behind it.
//
// Threads   One at a time.
// Errors    As efface/tpm_root_key_store.h. lost() says that a new connection may mend the last
//           failure.
// Source    TCG TPM 2.0 Library, parts 1 and 3. The session is salted with an ephemeral key of the
//           TPM (null hierarchy): it keeps listeners on the bus out, not one who answers for the
//           TPM.
#pragma once
#include <tss2/tss2_esys.h>

#include <memory>
#include <optional>
#include <string>

#include "crypto/secret.h"
#include "efface/root_key_store.h"

namespace efface::custody {

struct TpmAuth {
  Bytes index;  // Of the indices.
  Bytes owner;  // Of the owner hierarchy.
};
inline constexpr std::size_t tpm_auth_bytes_max = 32;  // A digest of the index's name algorithm.

class TpmLink {
 public:
  using Index = TPM2_HANDLE;
  struct Area {
    std::size_t size_bytes;
    bool written;
  };

  static Result<std::unique_ptr<TpmLink>> open(const std::string& tcti, const TpmAuth& auth);
  TpmLink(const TpmLink&) = delete;
  TpmLink& operator=(const TpmLink&) = delete;
  ~TpmLink();

  Assurance assurance() const noexcept { return assurance_; }
  bool lost() const noexcept { return lost_; }

  // Nothing where no index of this number is defined.
  Result<std::optional<Area>> look(Index index);
  Status define(Index index, std::size_t size_bytes);
  Status write(Index index, std::size_t offset, Bytes bytes);
  Status read(Index index, std::size_t offset, MutableBytes out);
  // And then the TPM is asked, in two ways, whether it knows the index.
  Status undefine(Index index);

 private:
  TpmLink(const TpmAuth& auth);
  Status start(const std::string& tcti);
  Status start_session();
  TSS2_RC try_session(ESYS_TR salt_key);
  void flush_left(UINT32 first_handle) noexcept;
  Status set_auth(ESYS_TR object, Bytes auth);
  Result<bool> is_defined(Index index);
  Result<ESYS_TR> open_area(Index index);
  Status use_session_for(TPMA_SESSION what);
  void overwrite_buffers() noexcept;
  Status check(TSS2_RC code, Note note);

  crypto::SecretBuffer index_auth_;
  crypto::SecretBuffer owner_auth_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR session_ = ESYS_TR_NONE;
  Assurance assurance_;
  bool lost_ = false;
  std::uint64_t fork_generation_;
};

}  // namespace efface::custody
