// The shortest whole life of a record: a store, a person, a value, and their end.
#include <cstdio>
#include <filesystem>
#include <utility>

#include "efface/efface.h"

namespace fs = std::filesystem;

namespace {

efface::Status live_and_forget(const fs::path& directory) {
  auto root_keys = efface::FileRootKeyStore::create(
      {.path = directory / "root.key", .accept_l0 = true});  // Any file system will do here.
  if (!root_keys) return root_keys.error();
  auto store =
      efface::Store::create({.directory = directory / "store",
                             .regions = {{.name = "eu-west", .root_keys = root_keys->get()}},
                             .require_locked_memory = false,
                             .accept_l0 = true});
  if (!store) return store.error();
  const auto region = store->region("eu-west");
  const auto tenant = store->declare_tenant("acme", {{*region}}, efface::Actor("example"));
  if (!tenant) return tenant.error();
  const auto purpose = tenant->declare_purpose({.name = "support"});
  if (!purpose) return purpose.error();
  const auto support = tenant->activity(*purpose);
  const efface::SubjectId ada("ada@example.org");
  if (auto put = support->put(ada, *region, efface::RecordName("note"), efface::as_bytes("hello"));
      !put)
    return put;
  auto subject = tenant->subject(ada);
  if (!subject) return subject.error();
  const auto note = support->get(*subject, efface::RecordName("note"));
  if (!note || !*note || efface::as_text((*note)->bytes()) != "hello")
    return efface::Error(efface::Errc::corruption, "what was put is not what was got");
  if (auto erased = tenant->erase(std::move(*subject)); !erased) return erased.error();
  if (tenant->subject(ada).has_value())
    return efface::Error(efface::Errc::conflict, "the erased is still known");
  return {};
}

}  // namespace

int main(int, char** argv) {
  const fs::path directory(argv[1]);
  fs::remove_all(directory);
  fs::create_directory(directory);
  fs::permissions(directory, fs::perms::owner_all);
  const auto done = live_and_forget(directory);
  fs::remove_all(directory);
  std::puts(done ? "ok" : efface::name(done.error().code()));
  return done ? 0 : 1;
}
