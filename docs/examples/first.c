/* A person comes and goes, in C11. The part between begin and end is what efface/capi.h shows.
 *
 * first DIRECTORY: a directory that is there, and empty. */
#include <stdio.h>

#include "efface/capi.h"

#define MUST(call)                                                            \
  do {                                                                        \
    const efface_status status = (call);                                      \
    if (status != EFFACE_OK) {                                                \
      fprintf(stderr, "%s: %s\n", efface_status_name(status), efface_last_note()); \
      return 1;                                                               \
    }                                                                         \
  } while (0)

static int make_store(const char* home, efface_root_keys** root_keys, efface_store** store) {
  char path[4096];
  snprintf(path, sizeof path, "%s/root.key", home);
  efface_root_keys_options keys = EFFACE_SIZED(efface_root_keys_options);
  keys.path = efface_text(path);
  keys.flags = EFFACE_ACCEPT_L0; /* Whatever file system this runs on. */
  MUST(efface_root_keys_create(&keys, root_keys));

  efface_region_options eu = EFFACE_SIZED(efface_region_options);
  eu.name = efface_text("eu");
  eu.root_keys = *root_keys;
  const efface_region_options* const regions[] = {&eu};
  snprintf(path, sizeof path, "%s/people", home);
  efface_store_options options = EFFACE_SIZED(efface_store_options);
  options.directory = efface_text(path);
  options.regions = regions;
  options.region_count = 1;
  options.flags = EFFACE_ACCEPT_L0 | EFFACE_UNLOCKED_MEMORY;
  MUST(efface_store_create(&options, store));
  return 0;
}

static int declare(efface_store* store, efface_tenant** shop) {
  const efface_slice eu = efface_text("eu");
  MUST(efface_tenant_declare(store, efface_text("shop"), &eu, 1, efface_text("web"), shop));
  efface_purpose_terms terms = EFFACE_SIZED(efface_purpose_terms);
  terms.name = efface_text("orders");
  terms.basis = EFFACE_CONTRACT;
  MUST(efface_purpose_declare(*shop, &terms));
  return 0;
}

static int live_and_leave(efface_tenant* shop) {
  /* begin: capi.h */
  efface_subject* alice = NULL;
  efface_activity* selling = NULL;
  MUST(efface_subject_enrol(shop, efface_text("alice"), efface_text("eu"), &alice));
  MUST(efface_activity_of(shop, efface_text("orders"), &selling));
  MUST(efface_put(selling, alice, efface_text("order-1"), efface_text("tea"), NULL));

  efface_erasure done = EFFACE_SIZED(efface_erasure);
  MUST(efface_erase(shop, alice, &done)); /* alice is closed by it. */
  /* end: capi.h */
  MUST(efface_activity_close(selling));
  printf("%d erased\n", (int)done.erased);
  return done.erased == 1 && done.has_receipt ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  efface_root_keys* root_keys = NULL;
  efface_store* store = NULL;
  efface_tenant* shop = NULL;
  if (make_store(argv[1], &root_keys, &store) != 0 || declare(store, &shop) != 0 ||
      live_and_leave(shop) != 0)
    return 1;
  MUST(efface_tenant_close(shop));
  MUST(efface_store_close(store));
  MUST(efface_root_keys_close(root_keys));
  return 0;
}
