// An entry of the ledger: refused, or exactly what would be written of it.
#include <cstdint>

#include "base/check.h"
#include "input.h"
#include "ledger/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  fuzz::Input input(data, size);
  const auto bytes = fuzz::owned(input.rest());
  const auto entry = ledger::decode(bytes.bytes());
  if (!entry) return 0;
  EFFACE_CHECK(fuzz::same(ledger::encode(*entry), bytes.bytes()));
  fuzz::touch(as_bytes(std::string_view(ledger::name(entry->kind))));
  fuzz::touch(as_bytes(entry->actor));
  fuzz::touch(as_bytes(entry->detail));
  fuzz::touch(entry->sealed);
  return 0;
}
