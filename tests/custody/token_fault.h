// What the stand-ins in front of a token and of a TPM are told: to break off in the middle, or to
// say what is not so. Each stand-in is a library of its own, loaded as the real one would be, and
// exports one of these as efface_test_fault.
#pragma once

namespace efface::test {

struct TokenFault {
  // Changes (objects made or destroyed, indices defined, written or undefined) until it breaks off;
  // below zero: never.
  int changes_left = -1;
  bool after_the_change = false;  // It is done, and the answer is lost.
  bool broken = false;            // Nothing is answered any more.

  // Calls of any kind until one is not done and answers this code instead, once; below zero: never.
  int calls_left = -1;
  unsigned long code = 0;

  // Of a PKCS#11 token alone:
  bool keeps_what_it_destroys = false;  // And says that it did not.
  bool says_it_is_hardware = false;
  bool has_no_gcm = false;
  bool insists_on_its_own_iv = false;
  bool shows_keys = false;
  bool loses_the_next_session = false;  // Once.
  unsigned long token_flags_set = 0;
  unsigned long token_flags_cleared = 0;
  unsigned long mechanism_flags_cleared = 0;
  unsigned long attribute_bytes = 0;  // So many every attribute has, it says.

  // Whether this call is the one.
  bool fails_call() noexcept { return calls_left >= 0 && calls_left-- == 0; }

  // Whether this change may go on.
  bool begin_change() noexcept {
    if (broken || changes_left < 0) return !broken;
    if (changes_left > 0) {
      --changes_left;
      return true;
    }
    broken = true;
    return after_the_change;
  }
};

extern "C" using TokenFaultOf = TokenFault * ();

}  // namespace efface::test
