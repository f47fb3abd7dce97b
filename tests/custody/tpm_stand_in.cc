// A TCTI in front of another one, named after it in the configuration, that breaks off where
// token_fault.h says.
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#include <algorithm>
#include <array>

#include "custody/token_fault.h"

namespace {

using efface::test::TokenFault;

TokenFault fault;

// The answer of a TPM that refuses a command.
constexpr size_t refusal_bytes = 10;
bool refuses = false;

struct Context {
  TSS2_TCTI_CONTEXT_COMMON_V1 head;
  TSS2_TCTI_CONTEXT* real;
};
constexpr UINT64 magic = 0x656666616365;

Context* of(TSS2_TCTI_CONTEXT* context) { return reinterpret_cast<Context*>(context); }

bool is_a_change(const uint8_t* command, size_t size) {
  if (size < 10) return false;
  UINT32 code = 0;
  for (size_t i = 6; i < 10; ++i) code = code << 8 | command[i];
  return code == TPM2_CC_NV_DefineSpace || code == TPM2_CC_NV_UndefineSpace ||
         code == TPM2_CC_NV_Write;
}

TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  TSS2_TCTI_CONTEXT* const real = of(context)->real;
  if (fault.broken) return TSS2_TCTI_RC_IO_ERROR;
  refuses = fault.fails_call();
  if (refuses) return fault.code != 0 ? TSS2_RC_SUCCESS : TSS2_RC{TSS2_TCTI_RC_IO_ERROR};
  if (!is_a_change(command, size)) return Tss2_Tcti_Transmit(real, size, command);
  if (!fault.begin_change()) return TSS2_TCTI_RC_IO_ERROR;
  const TSS2_RC code = Tss2_Tcti_Transmit(real, size, command);
  if (!fault.broken) return code;
  std::array<uint8_t, 4096> lost{};
  size_t lost_size = lost.size();
  Tss2_Tcti_Receive(real, &lost_size, lost.data(), TSS2_TCTI_TIMEOUT_BLOCK);
  return TSS2_TCTI_RC_IO_ERROR;
}

TSS2_RC receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response, int32_t timeout) {
  if (fault.broken) return TSS2_TCTI_RC_IO_ERROR;
  if (refuses) {
    const auto code = static_cast<UINT32>(fault.code);
    const std::array<uint8_t, refusal_bytes> refusal{TPM2_ST_NO_SESSIONS >> 8,
                                                     TPM2_ST_NO_SESSIONS & 0xff,
                                                     0,
                                                     0,
                                                     0,
                                                     refusal_bytes,
                                                     static_cast<uint8_t>(code >> 24),
                                                     static_cast<uint8_t>(code >> 16),
                                                     static_cast<uint8_t>(code >> 8),
                                                     static_cast<uint8_t>(code)};
    *size = refusal_bytes;
    if (response == nullptr) return TSS2_RC_SUCCESS;  // Only how much there is.
    std::copy(refusal.begin(), refusal.end(), response);
    refuses = false;
    return TSS2_RC_SUCCESS;
  }
  return Tss2_Tcti_Receive(of(context)->real, size, response, timeout);
}

void finalize(TSS2_TCTI_CONTEXT* context) { Tss2_TctiLdr_Finalize(&of(context)->real); }

TSS2_RC cancel(TSS2_TCTI_CONTEXT*) { return TSS2_TCTI_RC_NOT_IMPLEMENTED; }
TSS2_RC poll_handles(TSS2_TCTI_CONTEXT*, TSS2_TCTI_POLL_HANDLE*, size_t*) {
  return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}
TSS2_RC set_locality(TSS2_TCTI_CONTEXT*, uint8_t) { return TSS2_TCTI_RC_NOT_IMPLEMENTED; }

TSS2_RC initialise(TSS2_TCTI_CONTEXT* context, size_t* size, const char* configuration) {
  if (context == nullptr) {
    *size = sizeof(Context);
    return TSS2_RC_SUCCESS;
  }
  if (fault.broken) return TSS2_TCTI_RC_IO_ERROR;
  Context* const ours = of(context);
  ours->head = {magic, 1, transmit, receive, finalize, cancel, poll_handles, set_locality};
  ours->real = nullptr;
  return Tss2_TctiLdr_Initialize(configuration, &ours->real);
}

const TSS2_TCTI_INFO info_of_ours = {1, "stand-in", "for tests", "another TCTI", initialise};

}  // namespace

extern "C" {
__attribute__((visibility("default"))) TokenFault* efface_test_fault() { return &fault; }
__attribute__((visibility("default"))) const TSS2_TCTI_INFO* Tss2_Tcti_Info() {
  return &info_of_ours;
}
}
