#include <cstdio>

#include <efface/efface.h>

int main() {
  using namespace efface;
  FileRootKeyStoreOptions keys;
  keys.path = "eu.key";
  keys.accept_l0 = true;  // On whatever file system this is: for a trial.
  const auto root_keys = FileRootKeyStore::create(keys).value();

  OpenOptions options;
  options.directory = "people";
  options.regions = {{"eu", root_keys.get(), {}}};
  options.accept_l0 = true;
  options.require_locked_memory = false;  // For a trial, too.
  const Store store = Store::create(options).value();
  const Region eu = store.region("eu").value();
  const Tenant shop = store.declare_tenant("shop", {&eu, 1}, Actor("tutorial")).value();
  const Purpose orders = shop.declare_purpose({"orders", LegalBasis::contract}).value();
  const Activity selling = shop.activity(orders).value();

  Subject alice = shop.enrol(SubjectId("alice"), eu).value();
  if (!selling.put(alice, RecordName("order-1"), as_bytes("tea"))) return 1;
  const auto order = selling.get(alice, RecordName("order-1")).value();
  std::printf("alice ordered %s\n", std::string(as_text(order->bytes())).c_str());

  const Subject later = shop.subject(SubjectId("alice")).value();
  const Erasure erasure = shop.erase(std::move(alice)).value();
  const auto gone = selling.get(later, RecordName("order-1"));
  std::printf("%llu erased, and now: %s\n", static_cast<unsigned long long>(erasure.erased),
              name(gone.error().code()));
  return 0;
}
