// Writes a golden store: make_golden_store DIR makes DIR/store and DIR/root.key.
#include <cstdio>

#include "efface/efface.h"
#include "golden/expected.h"

using namespace efface;

namespace {

int make(const std::filesystem::path& directory) {
  FileRootKeyStoreOptions file;
  file.path = directory / "root.key";
  file.accept_l0 = true;
  const auto root_keys = FileRootKeyStore::create(file).value();
  OpenOptions options;
  options.directory = directory / "store";
  options.regions = {{"eu", root_keys.get(), {}}};
  options.accept_l0 = true;
  const Store store = Store::create(options).value();
  const Region regions[] = {store.region("eu").value()};
  const Tenant tenant = store.declare_tenant("acme", regions, Actor("golden")).value();
  static_cast<void>(tenant.declare_purpose({"orders"}).value());
  PurposeTerms support;
  support.name = "support";
  support.basis = LegalBasis::legitimate_interest;
  support.compress = false;
  static_cast<void>(tenant.declare_purpose(support).value());
  for (const test::GoldenRecord& record : test::golden_records()) {
    const Activity activity = tenant.activity(tenant.purpose(record.purpose).value()).value();
    const Status put = activity.put(SubjectId(record.person), regions[0], RecordName(record.name),
                                    as_bytes(record.value));
    if (!put) return 1;
  }
  for (std::size_t i = 0; i < test::golden_people().size(); i += test::golden_erased_each) {
    const SubjectId ids[] = {SubjectId(test::golden_people()[i])};
    if (!tenant.erase(ids)) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("make_golden_store DIR: an existing, empty directory of mode 0700\n", stderr);
    return 2;
  }
  return make(argv[1]);
}
