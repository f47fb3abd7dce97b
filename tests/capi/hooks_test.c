/* What a store tells whoever runs it. */
#include <errno.h>

#include "capi/capi.h"

/* What was told, as long as there is room. */
enum { told_max = 512, depth_max = 16 };
typedef struct told {
  size_t count;
  char names[told_max][48];
  efface_status errors[told_max];
  uint32_t depths[told_max];
  size_t begun;
  uint64_t open[depth_max]; /* Ids of the spans that have begun and not ended. */
  size_t depth;
  uint64_t epoch;
  world* caller; /* If it calls, and what it was answered. */
  efface_status answered;
  size_t called;
} told;

static void put_down(told* all, const char* name, efface_status error, uint32_t depth) {
  EXPECT(all->count < told_max && strlen(name) < sizeof all->names[0]);
  memcpy(all->names[all->count], name, strlen(name) + 1);
  all->errors[all->count] = error;
  all->depths[all->count++] = depth;
}

/* Where it stands; told_max: nowhere. */
static size_t place_of(const told* all, const char* name) {
  for (size_t i = 0; i < all->count; ++i)
    if (strcmp(all->names[i], name) == 0) return i;
  return told_max;
}

static int is_text(efface_slice slice, const char* text) {
  return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

static void log_it(void* user, const efface_log_entry* entry) {
  told* const all = user;
  EXPECT(entry->size == sizeof *entry);
  EXPECT(strlen(entry->says) > 0 && strstr(entry->says, "alice") == NULL);
  EXPECT(is_text(entry->region, strcmp(entry->name, "maintained") == 0 ? "" : "eu"));
  for (size_t i = 0; i < entry->number_count; ++i)
    if (strcmp(entry->numbers[i].what, "epoch") == 0) all->epoch = entry->numbers[i].value;
  put_down(all, entry->name, entry->error, entry->level);
}

static void tells_a_log_what_happens(const char* below) {
  static told all;
  efface_hooks hooks = EFFACE_SIZED(efface_hooks);
  hooks.user = &all;
  hooks.log = log_it;
  world w;
  begin_with(&w, below, &hooks);
  memset(&hooks, 0, sizeof hooks); /* It was read while the store was opened. */
  EXPECT(all.count == 1 && place_of(&all, "opened") == 0);
  EXPECT(all.depths[0] == EFFACE_LOG_INFO && all.errors[0] == EFFACE_OK && all.epoch == 1);
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  EXPECT(all.count == 1); /* That is ordinary. */
  OK(efface_store_maintain(w.store, 0, NULL));
  EXPECT(all.count == 2 && place_of(&all, "maintained") == 1);
  end(&w);
}

static void begin_it(void* user, const efface_span* span) {
  told* const all = user;
  EXPECT(span->size == sizeof *span && span->took_nanoseconds == 0 && all->depth < depth_max);
  EXPECT(span->depth == all->depth);
  EXPECT(span->parent == (all->depth == 0 ? 0 : all->open[all->depth - 1]));
  all->open[all->depth++] = span->id;
  ++all->begun;
}

static void end_it(void* user, const efface_span* span) {
  told* const all = user;
  EXPECT(all->depth > 0 && all->open[all->depth - 1] == span->id);
  --all->depth;
  EXPECT(span->began_nanoseconds > 0);
  EXPECT(span->region.size == 0 || is_text(span->region, "eu"));
  put_down(all, span->name, span->error, span->depth);
}

static void tells_a_trace_what_begins_and_ends(const char* below) {
  static told all;
  efface_hooks hooks = EFFACE_SIZED(efface_hooks);
  hooks.user = &all;
  hooks.span_begin = begin_it;
  hooks.span_end = end_it;
  world w;
  begin_with(&w, below, &hooks);
  all.count = all.begun = 0;
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  EXPECT(all.count > 1 && all.count == all.begun && all.depth == 0);
  EXPECT(place_of(&all, "Activity::put") == all.count - 1); /* Its phases have ended before it. */
  EXPECT(all.depths[all.count - 1] == 0 && all.depths[0] > 0);
  efface_subject* nobody = NULL;
  EXPECT_STATUS(EFFACE_SUBJECT_UNKNOWN,
                efface_subject_find(w.tenant, efface_text("nobody"), &nobody));
  const size_t at = place_of(&all, "Tenant::subject");
  EXPECT(at < all.count && all.errors[at] == EFFACE_SUBJECT_UNKNOWN);
  EXPECT(all.count == all.begun);
  end(&w);
}

/* Tries to enter the store that is at work, whatever locks are held just then. */
static void call_back(told* all) {
  errno = ERANGE;
  if (all->caller == NULL) return;
  world* const w = all->caller;
  efface_buffer* found = (efface_buffer*)(void*)all;
  ++all->called;
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_get(w->orders, w->alice, efface_text("a"), &found));
  EXPECT(found == NULL);
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT,
                efface_put(w->orders, w->alice, efface_text("a"), efface_text("other"), NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_erase(w->tenant, w->alice, NULL));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_store_close(w->store));
  EXPECT(strstr(efface_last_note(), "hook") != NULL);
}
static void call_from_log(void* user, const efface_log_entry* entry) {
  (void)entry;
  call_back(user);
}
static void call_from_span(void* user, const efface_span* span) {
  (void)span;
  call_back(user);
}

static void refuses_what_a_hook_calls(const char* below) {
  static told all;
  efface_hooks hooks = EFFACE_SIZED(efface_hooks);
  hooks.user = &all;
  hooks.log = call_from_log;
  hooks.span_begin = call_from_span;
  hooks.span_end = call_from_span;
  world w;
  begin_with(&w, below, &hooks);
  errno = EDOM;
  all.caller = &w;
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  OK(efface_store_maintain(w.store, 0, NULL));
  all.caller = NULL;
  EXPECT(all.called > 4);
  EXPECT(errno == EDOM);
  /* Nothing was done by it, and outside of the hooks all of it works. */
  efface_buffer* found = NULL;
  OK(efface_get(w.orders, w.alice, efface_text("a"), &found));
  EXPECT(holds(found, "value"));
  OK(efface_buffer_close(found));
  OK(efface_erase(w.tenant, w.alice, NULL));
  w.alice = NULL;
  end(&w);
}

const claim hook_claims[] = {
    {"TellsALogWhatHappens", tells_a_log_what_happens},
    {"TellsATraceWhatBeginsAndEnds", tells_a_trace_what_begins_and_ends},
    {"RefusesWhatAHookCalls", refuses_what_a_hook_calls},
    {NULL, NULL}};
