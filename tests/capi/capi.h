// capi/capi.h -- a harness for tests in C: a claim is a function, and the first thing that is not
// as it should be ends the program.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efface/capi.h"

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

#define EXPECT_STATUS(expected, call)                                                          \
  do {                                                                                         \
    const efface_status got_ = (call);                                                         \
    if (got_ != (expected)) {                                                                  \
      fprintf(stderr, "%s:%d: %s, not %s: %s\n", __FILE__, __LINE__, efface_status_name(got_), \
              efface_status_name(expected), efface_last_note());                               \
      exit(1);                                                                                 \
    }                                                                                          \
  } while (0)
#define OK(call) EXPECT_STATUS(EFFACE_OK, call)

/* A store with a region "eu", a tenant "acme", purposes "orders" (a contract) and "news" (consent),
 * and alice. */
typedef struct world {
  char directory[512];
  efface_root_keys* root_keys;
  efface_store* store;
  efface_tenant* tenant;
  efface_subject* alice;
  efface_activity* orders;
  const efface_hooks* hooks;
} world;

void begin(world* w, const char* below);
void begin_with(world* w, const char* below, const efface_hooks* hooks);
void open_again(world* w);  /* After end_handles. */
void end_handles(world* w); /* Closes all. */
void end(world* w);         /* And removes the directory. */
int holds(efface_buffer* buffer, const char* text);

typedef struct claim {
  const char* name;
  void (*test)(const char* below);
} claim;
extern const claim hook_claims[];
extern const claim misuse_claims[];
extern const claim rights_claims[];
