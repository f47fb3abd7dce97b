// Run by valgrind: compares secrets, or the tags of two names, that are marked undefined. A branch
// or an index that depends on one is an error of memcheck, and so the end of the run.
#include <valgrind/memcheck.h>

#include <array>
#include <cstring>
#include <string_view>

#include "crypto/aead.h"
#include "crypto/secret.h"
#include "keyring/row.h"

namespace {

using namespace efface;

// What comes of a comparison may be known: that is its purpose.
bool known(bool outcome) {
  VALGRIND_MAKE_MEM_DEFINED(&outcome, sizeof outcome);
  return outcome;
}

void mark_secret(MutableBytes bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }

int compares(std::string_view how) {
  auto one = crypto::SecretKey::random();
  auto other = one.clone();
  mark_secret(one.bytes());
  mark_secret(other.bytes());
  if (how == "tags") {
    keyring::Tag tag;
    std::memcpy(tag.data(), other.bytes().data(), tag.size());
    return known(keyring::RowView(one.bytes().data()).has_tag(tag)) ? 0 : 1;
  }
  if (how == "equal") return known(crypto::equal(one.bytes(), other.bytes())) ? 0 : 1;
  volatile std::size_t size = one.bytes().size();  // Not to be computed by the compiler.
  return std::memcmp(one.bytes().data(), other.bytes().data(), size) == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 || RUNNING_ON_VALGRIND == 0 || !crypto::initialise()) return 2;
  return compares(arguments[1]);
}
