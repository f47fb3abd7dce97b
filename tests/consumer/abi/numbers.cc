// The numbers of the C interface stand in enumerations that no function of it names. Here one does,
// so that they are in the description of its binary interface: one of each.
#include "efface/capi.h"

extern "C" EFFACE_EXPORT void efface_numbers(decltype(EFFACE_OK), decltype(EFFACE_SHARED),
                                             decltype(EFFACE_LOG_INFO), decltype(EFFACE_CONSENT),
                                             decltype(EFFACE_NO_COMPRESSION),
                                             decltype(EFFACE_RECTIFIES),
                                             decltype(EFFACE_SHRED_NOW)) {}
