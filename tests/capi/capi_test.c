/* Records, as a C program reads and writes them; and the harness. */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include <errno.h>
#include <ftw.h>
#include <unistd.h>

#include "capi/capi.h"

static int remove_one(const char* path, const struct stat* about, int kind, struct FTW* where) {
  (void)about;
  (void)kind;
  (void)where;
  return remove(path);
}

static void path_of(const world* w, const char* name, char* out, size_t size) {
  const int n = snprintf(out, size, "%s/%s", w->directory, name);
  EXPECT(n > 0 && (size_t)n < size);
}

static void open_store(world* w, int make) {
  char key[600];
  char store[600];
  path_of(w, "root.key", key, sizeof key);
  path_of(w, "store", store, sizeof store);
  efface_root_keys_options keys = EFFACE_SIZED(efface_root_keys_options);
  keys.path = efface_text(key);
  keys.flags = EFFACE_ACCEPT_L0;
  OK((make ? efface_root_keys_create : efface_root_keys_open)(&keys, &w->root_keys));

  efface_region_options eu = EFFACE_SIZED(efface_region_options);
  eu.name = efface_text("eu");
  eu.root_keys = w->root_keys;
  const efface_region_options* const regions[] = {&eu};
  efface_store_options options = EFFACE_SIZED(efface_store_options);
  options.directory = efface_text(store);
  options.regions = regions;
  options.region_count = 1;
  options.flags = EFFACE_ACCEPT_L0 | EFFACE_UNLOCKED_MEMORY;
  options.hooks = w->hooks;
  OK((make ? efface_store_create : efface_store_open)(&options, &w->store));
}

void begin(world* w, const char* below) { begin_with(w, below, NULL); }

void begin_with(world* w, const char* below, const efface_hooks* hooks) {
  memset(w, 0, sizeof *w);
  w->hooks = hooks;
  const int n = snprintf(w->directory, sizeof w->directory, "%s/capi.XXXXXX", below);
  EXPECT(n > 0 && (size_t)n < sizeof w->directory);
  EXPECT(mkdtemp(w->directory) != NULL);
  open_store(w, 1);
  const efface_slice eu = efface_text("eu");
  OK(efface_tenant_declare(w->store, efface_text("acme"), &eu, 1, efface_text("test"), &w->tenant));
  efface_purpose_terms terms = EFFACE_SIZED(efface_purpose_terms);
  terms.name = efface_text("orders");
  terms.basis = EFFACE_CONTRACT;
  OK(efface_purpose_declare(w->tenant, &terms));
  terms.name = efface_text("news");
  terms.basis = EFFACE_CONSENT;
  OK(efface_purpose_declare(w->tenant, &terms));
  OK(efface_subject_enrol(w->tenant, efface_text("alice"), eu, &w->alice));
  OK(efface_activity_of(w->tenant, efface_text("orders"), &w->orders));
}

void open_again(world* w) {
  open_store(w, 0);
  OK(efface_tenant_find(w->store, efface_text("acme"), efface_text("test"), &w->tenant));
  OK(efface_subject_find(w->tenant, efface_text("alice"), &w->alice));
  OK(efface_activity_of(w->tenant, efface_text("orders"), &w->orders));
}

void end_handles(world* w) {
  OK(efface_activity_close(w->orders));
  OK(efface_subject_close(w->alice));
  OK(efface_tenant_close(w->tenant));
  OK(efface_store_close(w->store));
  OK(efface_root_keys_close(w->root_keys));
  w->orders = NULL;
  w->alice = NULL;
  w->tenant = NULL;
  w->store = NULL;
  w->root_keys = NULL;
}

void end(world* w) {
  end_handles(w);
  EXPECT(nftw(w->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

int holds(efface_buffer* buffer, const char* text) {
  const efface_slice bytes = efface_buffer_bytes(buffer);
  return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static void keeps_and_gives_back_records(const char* below) {
  world w;
  begin(&w, below);
  efface_buffer* found = NULL;
  OK(efface_get(w.orders, w.alice, efface_text("a"), &found));
  EXPECT(found == NULL);
  efface_put_options options = EFFACE_SIZED(efface_put_options);
  options.origin = efface_text("a form");
  options.flags = EFFACE_AUTOMATED_DECISION;
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), &options));
  OK(efface_put(w.orders, w.alice, efface_text("empty"), efface_bytes(NULL, 0), NULL));
  OK(efface_get(w.orders, w.alice, efface_text("a"), &found));
  EXPECT(holds(found, "value"));
  OK(efface_buffer_close(found));
  OK(efface_get(w.orders, w.alice, efface_text("empty"), &found));
  EXPECT(found != NULL && holds(found, ""));
  OK(efface_buffer_close(found));
  options.flags = EFFACE_RELAXED;
  OK(efface_put(w.orders, w.alice, efface_text("relaxed"), efface_text("later"), &options));
  OK(efface_get(w.orders, w.alice, efface_text("relaxed"), &found));
  EXPECT(holds(found, "later"));
  OK(efface_buffer_close(found));
  OK(efface_store_sync(w.store));
  uint32_t was_there = 7;
  OK(efface_remove(w.orders, w.alice, efface_text("a"), EFFACE_SHRED_NOW, &was_there));
  EXPECT(was_there == 1);
  OK(efface_remove(w.orders, w.alice, efface_text("a"), 0, &was_there));
  EXPECT(was_there == 0);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_put(w.orders, w.alice, efface_text(""), efface_text("x"), NULL));
  end(&w);
}

static int32_t count_to_two(void* user, efface_slice name) {
  int* const seen = user;
  EXPECT(name.size == 1);
  EXPECT(*(const char*)name.data == (*seen == 0 ? 'a' : 'b'));
  return ++*seen < 2;
}

static void lists_names_until_it_is_told_to_stop(const char* below) {
  world w;
  begin(&w, below);
  OK(efface_put(w.orders, w.alice, efface_text("c"), efface_text("3"), NULL));
  OK(efface_put(w.orders, w.alice, efface_text("b"), efface_text("2"), NULL));
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("1"), NULL));
  int seen = 0;
  OK(efface_list(w.orders, w.alice, efface_text(""), count_to_two, &seen));
  EXPECT(seen == 2);
  seen = 1;
  OK(efface_list(w.orders, w.alice, efface_text("b"), count_to_two, &seen));
  EXPECT(seen == 2);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_list(w.orders, w.alice, efface_text(""), NULL, NULL));
  end(&w);
}

static void maintains_and_counts(const char* below) {
  world w;
  begin(&w, below);
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("1"), NULL));
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("2"), NULL));
  efface_region_stats stats = EFFACE_SIZED(efface_region_stats);
  OK(efface_store_region_stats(w.store, efface_text("eu"), &stats));
  EXPECT(stats.open == 1 && stats.epoch >= 1 && stats.residue_records == 1);
  EXPECT(stats.records == 3); /* The record, her id, the scope's summary. */
  EXPECT_STATUS(EFFACE_REGION_UNKNOWN,
                efface_store_region_stats(w.store, efface_text("us"), &stats));
  efface_maintenance done = EFFACE_SIZED(efface_maintenance);
  OK(efface_store_maintain(w.store, 0, &done));
  EXPECT(done.scopes_rekeyed == 1);
  OK(efface_store_region_stats(w.store, efface_text("eu"), &stats));
  EXPECT(stats.residue_records == 0);
  OK(efface_store_maintain(w.store, 24, NULL));
  end(&w);
}

static void opens_a_store_again(const char* below) {
  world w;
  begin(&w, below);
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  end_handles(&w);
  open_again(&w);
  efface_buffer* found = NULL;
  OK(efface_get(w.orders, w.alice, efface_text("a"), &found));
  EXPECT(holds(found, "value"));
  OK(efface_buffer_close(found));
  end(&w);
}

static void leaves_errno_alone(const char* below) {
  world w;
  begin(&w, below);
  errno = EDOM;
  efface_root_keys* none = NULL;
  efface_root_keys_options options = EFFACE_SIZED(efface_root_keys_options);
  options.path = efface_text("/nowhere/root.key");
  EXPECT(efface_root_keys_open(&options, &none) != EFFACE_OK);
  EXPECT(none == NULL && errno == EDOM);
  EXPECT(strlen(efface_last_note()) > 0);
  EXPECT(strstr(efface_last_note(), "nowhere") == NULL);
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  EXPECT(errno == EDOM);
  end(&w);
}

static const claim record_claims[] = {
    {"KeepsAndGivesBackRecords", keeps_and_gives_back_records},
    {"ListsNamesUntilItIsToldToStop", lists_names_until_it_is_told_to_stop},
    {"MaintainsAndCounts", maintains_and_counts},
    {"OpensAStoreAgain", opens_a_store_again},
    {"LeavesErrnoAlone", leaves_errno_alone},
    {NULL, NULL}};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const claim* const all[] = {record_claims, rights_claims, hook_claims, misuse_claims};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
    for (const claim* one = all[i]; one->name != NULL; ++one)
      if (strcmp(one->name, argv[1]) == 0) {
        one->test(argv[2]);
        return 0;
      }
  fprintf(stderr, "no such claim\n");
  return 1;
}
