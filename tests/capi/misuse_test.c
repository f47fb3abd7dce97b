/* What no caller should do, and what it is answered. */
#include <stddef.h>

#include "capi/capi.h"

static void refuses_null(const char* below) {
  world w;
  begin(&w, below);
  const efface_slice text = efface_text("a");
  efface_buffer* buffer = NULL;
  efface_store* store = NULL;
  efface_tenant* tenant = NULL;
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_open(NULL, &store));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_root_keys_open(NULL, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_put(NULL, w.alice, text, text, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_put(w.orders, NULL, text, text, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_get(w.orders, w.alice, text, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_get(NULL, NULL, text, &buffer));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_tenant_find(NULL, text, text, &tenant));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_erase_ids(w.tenant, NULL, 3, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_erase(w.tenant, NULL, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_maintain(NULL, 0, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_sync(NULL));
  EXPECT(store == NULL && tenant == NULL && buffer == NULL);
  EXPECT(efface_buffer_bytes(NULL).data == NULL && efface_buffer_bytes(NULL).size == 0);
  OK(efface_buffer_close(NULL));
  end(&w);
}

static void refuses_handles_that_are_closed(const char* below) {
  world w;
  begin(&w, below);
  efface_buffer* buffer = NULL;
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  OK(efface_get(w.orders, w.alice, efface_text("a"), &buffer));
  OK(efface_buffer_close(buffer));
  EXPECT(efface_buffer_bytes(buffer).data == NULL);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_buffer_close(buffer));
  efface_subject* const closed = w.alice;
  OK(efface_subject_close(w.alice));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_subject_close(closed));
  /* Her slot is used again, and the old handle stays closed. */
  OK(efface_subject_find(w.tenant, efface_text("alice"), &w.alice));
  EXPECT(w.alice != closed);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_put(w.orders, closed, efface_text("a"), efface_text("x"), NULL));
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("x"), NULL));
  end(&w);
}

static void refuses_handles_of_another_kind(const char* below) {
  world w;
  begin(&w, below);
  efface_tenant* tenant = (efface_tenant*)(void*)w.store;
  efface_activity* activity = NULL;
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_activity_of(tenant, efface_text("orders"), &activity));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_tenant_close(tenant));
  char nothing[64] = {0};
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_close((efface_store*)(void*)nothing));
  end(&w);
}

static void refuses_structures_of_another_size(const char* below) {
  world w;
  begin(&w, below);
  efface_put_options options = EFFACE_SIZED(efface_put_options);
  const size_t sizes[] = {0, 1, sizeof options - 1, (size_t)1 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    options.size = sizes[i];
    EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                  efface_put(w.orders, w.alice, efface_text("a"), efface_text("x"), &options));
  }
  efface_erasure done;
  memset(&done, 0, sizeof done);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_erase_ids(w.tenant, NULL, 0, &done));
  const efface_slice broken = efface_bytes(NULL, 1);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_put(w.orders, w.alice, broken, efface_text("x"), NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_put(w.orders, w.alice, efface_text("a"), broken, NULL));
  end(&w);
}

static void refuses_what_a_later_version_may_know(const char* below) {
  world w;
  begin(&w, below);
  struct {
    efface_put_options now;
    uint64_t later;
  } options;
  memset(&options, 0, sizeof options);
  options.now.size = sizeof options;
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("x"), &options.now));
  options.later = 1;
  EXPECT_STATUS(EFFACE_UNSUPPORTED,
                efface_put(w.orders, w.alice, efface_text("a"), efface_text("x"), &options.now));
  options.later = 0;
  options.now.flags = UINT32_C(1) << 31;
  EXPECT_STATUS(EFFACE_UNSUPPORTED,
                efface_put(w.orders, w.alice, efface_text("a"), efface_text("x"), &options.now));
  EXPECT_STATUS(EFFACE_UNSUPPORTED, efface_remove(w.orders, w.alice, efface_text("a"), 2, NULL));
  end(&w);
}

static void takes_structures_of_an_earlier_version(const char* below) {
  world w;
  begin(&w, below);
  efface_store_options options = EFFACE_SIZED(efface_store_options);
  efface_store* store = NULL;
  options.directory = efface_text("/nowhere/at/all");
  options.size = offsetof(efface_store_options, hooks);
  memset(&options.hooks, 0xff, sizeof options.hooks); /* Whatever lies behind it. */
  EXPECT_STATUS(EFFACE_STORE_MISSING, efface_store_open(&options, &store));
  options.size += 1;
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_open(&options, &store));
  options.size = offsetof(efface_store_options, processing_region);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_open(&options, &store));
  options.size = sizeof options;
  efface_hooks hooks = EFFACE_SIZED(efface_hooks);
  options.hooks = &hooks;
  EXPECT_STATUS(EFFACE_STORE_MISSING, efface_store_open(&options, &store));
  hooks.size = 0;
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_open(&options, &store));
  end(&w);
}

static void keeps_what_handles_need_alive(const char* below) {
  world w;
  begin(&w, below);
  OK(efface_root_keys_close(w.root_keys));
  OK(efface_store_close(w.store));
  OK(efface_tenant_close(w.tenant));
  w.root_keys = NULL;
  w.store = NULL;
  w.tenant = NULL;
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  efface_buffer* found = NULL;
  OK(efface_get(w.orders, w.alice, efface_text("a"), &found));
  end_handles(&w);
  EXPECT(holds(found, "value"));
  OK(efface_buffer_close(found));
  open_again(&w); /* Nothing holds the store any more. */
  end(&w);
}

static void names_every_code(const char* below) {
  (void)below;
  EXPECT(strcmp(efface_status_name(EFFACE_OK), "ok") == 0);
  EXPECT(strcmp(efface_status_name(EFFACE_SEAL_UNKNOWN), "seal_unknown") == 0);
  EXPECT(strcmp(efface_status_name(9999), "unknown") == 0);
  EXPECT(strcmp(efface_status_name(-1), "unknown") == 0);
}

const claim misuse_claims[] = {
    {"RefusesNull", refuses_null},
    {"RefusesHandlesThatAreClosed", refuses_handles_that_are_closed},
    {"RefusesHandlesOfAnotherKind", refuses_handles_of_another_kind},
    {"RefusesStructuresOfAnotherSize", refuses_structures_of_another_size},
    {"RefusesWhatALaterVersionMayKnow", refuses_what_a_later_version_may_know},
    {"TakesStructuresOfAnEarlierVersion", takes_structures_of_an_earlier_version},
    {"KeepsWhatHandlesNeedAlive", keeps_what_handles_need_alive},
    {"NamesEveryCode", names_every_code},
    {NULL, NULL}};
