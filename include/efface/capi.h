// efface/capi.h -- efface for C11, and through it for other languages. docs/examples/efface.py is
// how it looks from Python.
//
// Shape    Handles are opaque, and numbers behind the pointer: every function looks them up. So one
//          that is null, closed or of another kind answers EFFACE_INVALID_ARGUMENT, and one that is
//          closed by another thread stays alive to the end of a call that has begun. Whatever a
//          function gives out is closed by the caller; the order does not matter: a store stays
//          open as long as anything that was obtained from it.
// Options  Structures begin with their own size, which the caller sets (EFFACE_SIZED). New members
//          come last, and zero is the default: one of an earlier version of this header is accepted
//          as what it was. A larger one than this library knows is accepted when the rest is zero,
//          and else answers EFFACE_UNSUPPORTED, as an unknown flag does.
// Errors   0, or the number of an efface::Errc (efface/result.h says what each means); nothing is
//          thrown, errno is left as it was. After an error no handle was given out: the out
//          parameter, where there is one, is null. Neither code nor note carries personal data.
// Bytes    Pointer and size, borrowed for the call. Text is UTF-8 without an end; names, labels and
//          ids are as in the C++ headers. Null with a size other than 0: EFFACE_INVALID_ARGUMENT.
// Threads  All of it may be called from any thread at any time. A callback runs on the caller's
//          thread; it may call any function here (but one of efface_hooks may not), and must not
//          leave by throwing or by longjmp.
// ABI      What is here stays: numbers, names, the members' order. Before 1.0 it is one with the
//          minor version.
//
// Example
//   efface_subject* alice = NULL;
//   efface_activity* selling = NULL;
//   MUST(efface_subject_enrol(shop, efface_text("alice"), efface_text("eu"), &alice));
//   MUST(efface_activity_of(shop, efface_text("orders"), &selling));
//   MUST(efface_put(selling, alice, efface_text("order-1"), efface_text("tea"), NULL));
//
//   efface_erasure done = EFFACE_SIZED(efface_erasure);
//   MUST(efface_erase(shop, alice, &done)); /* alice is closed by it. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "efface/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t efface_status;
enum {
  EFFACE_OK = 0,
  EFFACE_INVALID_ARGUMENT = 1,
  EFFACE_TOO_LARGE = 2,
  EFFACE_EXISTS = 3,
  EFFACE_CONFLICT = 4,
  EFFACE_STORE_MISSING = 10,
  EFFACE_TENANT_UNKNOWN = 11,
  EFFACE_REGION_UNKNOWN = 12,
  EFFACE_PURPOSE_UNKNOWN = 13,
  EFFACE_SUBJECT_UNKNOWN = 14,
  EFFACE_SUBJECT_ERASED = 20,
  EFFACE_REGION_MISMATCH = 21,
  EFFACE_REGION_NOT_PERMITTED = 22,
  EFFACE_REGION_NOT_OPEN = 23,
  EFFACE_PURPOSE_NOT_PERMITTED = 24,
  EFFACE_EXPIRED = 25,
  EFFACE_CONSENT_MISSING = 26,
  EFFACE_SUPPRESSED = 27,
  EFFACE_RESTRICTED = 28,
  EFFACE_OBJECTED = 29,
  EFFACE_BUSY = 30,
  EFFACE_KEYRING_STALE = 31,
  EFFACE_ROOT_KEY_MISSING = 32,
  EFFACE_ROOT_KEY_MISMATCH = 33,
  EFFACE_PASSPHRASE_WRONG = 34,
  EFFACE_ASSURANCE_TOO_LOW = 35,
  EFFACE_UNSAFE_PATH = 36,
  EFFACE_UNSAFE_FILESYSTEM = 37,
  EFFACE_FORMAT_OLD = 38,
  EFFACE_FORMAT_NEW = 39,
  EFFACE_MEMORY_NOT_LOCKED = 40,
  EFFACE_TOKEN_UNAVAILABLE = 41,
  EFFACE_UNSUPPORTED = 42,
  EFFACE_RATE_LIMITED = 43,
  EFFACE_LEDGER_MISMATCH = 44,
  EFFACE_RECORDS_STALE = 45,
  EFFACE_CORRUPTION = 50,
  EFFACE_FULL = 51,
  EFFACE_NO_SPACE = 52,
  EFFACE_IO = 53,
  EFFACE_OUTCOME_UNKNOWN = 54,
  EFFACE_CLOSED = 55,
  EFFACE_FORKED = 56,
  EFFACE_OUT_OF_MEMORY = 57,
  EFFACE_ERASE_PENDING = 58,
  EFFACE_LEGAL_HOLD = 60,
  EFFACE_TRANSFER_NOT_PERMITTED = 61,
  EFFACE_TRANSFER_PENDING = 62,
  EFFACE_BASIS_DIFFERS = 63,
  EFFACE_AGREEMENT_MISSING = 64,
  EFFACE_HOLD_UNKNOWN = 65,
  EFFACE_RECEIPT_UNKNOWN = 66,
  EFFACE_INCIDENT_UNKNOWN = 67,
  EFFACE_SEAL_UNKNOWN = 68
};

/* "subject_unknown", or "ok"; of an unknown number "unknown". Never null. */
EFFACE_EXPORT const char* efface_status_name(efface_status status);
/* Of the last call on this thread that failed: why, in a sentence, and the system's code (errno,
 * LMDB's, or 0). Never null; lives for ever. */
EFFACE_EXPORT const char* efface_last_note(void);
EFFACE_EXPORT int32_t efface_last_system_code(void);

typedef struct efface_slice {
  const void* data;
  size_t size;
} efface_slice;

static inline efface_slice efface_bytes(const void* data, size_t size) {
  efface_slice slice;
  slice.data = data;
  slice.size = size;
  return slice;
}
static inline efface_slice efface_text(const char* text) {
  return efface_bytes(text, strlen(text));
}

/* Begins an options structure, or what is to be answered: zero, but for its size.
 *   efface_put_options options = EFFACE_SIZED(efface_put_options); */
#define EFFACE_SIZED(type) {.size = sizeof(type)}

typedef struct efface_root_keys efface_root_keys;
typedef struct efface_store efface_store;
typedef struct efface_tenant efface_tenant;
typedef struct efface_activity efface_activity;
typedef struct efface_sealer efface_sealer;
typedef struct efface_subject efface_subject;
typedef struct efface_buffer efface_buffer;

/* Bytes that were given out. They are valid until it is closed, and wiped then. Of no buffer: null
 * and 0. */
EFFACE_EXPORT efface_slice efface_buffer_bytes(efface_buffer* buffer);

/* Null is no error. */
EFFACE_EXPORT efface_status efface_root_keys_close(efface_root_keys* root_keys);
EFFACE_EXPORT efface_status efface_store_close(efface_store* store);
EFFACE_EXPORT efface_status efface_tenant_close(efface_tenant* tenant);
EFFACE_EXPORT efface_status efface_activity_close(efface_activity* activity);
EFFACE_EXPORT efface_status efface_sealer_close(efface_sealer* sealer);
EFFACE_EXPORT efface_status efface_subject_close(efface_subject* subject);
EFFACE_EXPORT efface_status efface_buffer_close(efface_buffer* buffer);

/* ---- the store ---- */

enum {
  EFFACE_ACCEPT_L0 = 1,         /* Root keys on a file system that copies on write. */
  EFFACE_SHARED = 2,            /* Other processes open the same, each with this. */
  EFFACE_VERIFY_STRUCTURE = 4,  /* Walk every page before it is used. */
  EFFACE_UNLOCKED_MEMORY = 8,   /* Go on where the system locks no memory for keys. */
  EFFACE_REQUIRE_AGREEMENT = 16 /* Refuse tenants without a processing agreement. */
};

typedef struct efface_root_keys_options { /* Of a root key file: efface/file_root_key_store.h. */
  size_t size;
  efface_slice path;
  efface_slice passphrase; /* Empty: none. */
  uint32_t flags;          /* EFFACE_ACCEPT_L0, EFFACE_SHARED. */
} efface_root_keys_options;
EFFACE_EXPORT efface_status efface_root_keys_create(const efface_root_keys_options* options,
                                                    efface_root_keys** out);
EFFACE_EXPORT efface_status efface_root_keys_open(const efface_root_keys_options* options,
                                                  efface_root_keys** out);

/* What a store tells whoever runs it: efface/observe.h, where what is told is listed, and can carry
 * no personal data. */
enum { EFFACE_LOG_INFO = 1, EFFACE_LOG_WARNING = 2, EFFACE_LOG_ERROR = 3 };
typedef struct efface_log_number { /* Stays as it is. */
  const char* what;                /* "epoch", "bytes" ... */
  uint64_t value;
} efface_log_number;
typedef struct efface_log_entry {
  size_t size;          /* What lies beyond it, this library does not know. So of a span. */
  uint32_t event;       /* The number of an efface::LogEvent. */
  uint32_t level;       /* EFFACE_LOG_WARNING ... */
  const char* name;     /* Of the event: "erase_pending". */
  const char* says;     /* In one sentence. */
  efface_slice region;  /* Empty, not null: of the store as a whole. */
  const char* database; /* "keyring" or "records", where it is about one of them; or "". */
  const efface_log_number* numbers;
  size_t number_count;
  efface_status error; /* EFFACE_OK: none. */
  int32_t system_code; /* Of the error. */
} efface_log_entry;
typedef struct efface_span {
  size_t size;
  const char* name;           /* "Tenant::erase", as C++ has it, or a phase: "root_keys.rotate". */
  efface_slice region;        /* Of a phase. */
  uint64_t id;                /* From 1; of no other span of this process. */
  uint64_t parent;            /* The span that it is within, on the same thread; 0: none. */
  uint32_t depth;             /* Of how many it is within. */
  uint32_t thread;            /* A small number that stands for it. */
  uint64_t began_nanoseconds; /* Of the steady clock. */
  uint64_t took_nanoseconds;  /* At the end. */
  efface_status error;        /* At the end: what was answered. */
  int32_t system_code;
} efface_span;

/* Each may be null. Each is called on the thread whose call it is about, on several at once, until
 * the store and whatever was obtained from it are closed; what it is told is valid until it
 * returns. log is called with no lock held, when the call that it is about has ended; the others as
 * it happens, with whatever locks are held just then: they should only put down what they are told.
 * A function here that one of them calls answers EFFACE_INVALID_ARGUMENT, and does nothing. One
 * that throws ends the process. errno is put back. */
typedef struct efface_hooks {
  size_t size;
  void* user; /* Given to each. */
  void (*log)(void* user, const efface_log_entry* entry);
  void (*span_begin)(void* user, const efface_span* span);
  void (*span_end)(void* user, const efface_span* span);
} efface_hooks;

typedef struct efface_region_options {
  size_t size;
  efface_slice name;
  efface_root_keys* root_keys; /* Null: the region is not open here. */
  efface_slice directory;      /* Empty: below the store's. */
  efface_slice ledger_copy;    /* Empty: in the region's directory. */
} efface_region_options;
typedef struct efface_store_options {
  size_t size;
  efface_slice directory;
  const efface_region_options* const* regions;
  size_t region_count;
  uint32_t flags;
  efface_slice processing_region; /* Empty: wherever the data is. */
  const efface_hooks* hooks;      /* Null: nobody is told. Read while the store is opened. */
} efface_store_options;
EFFACE_EXPORT efface_status efface_store_create(const efface_store_options* options,
                                                efface_store** out);
EFFACE_EXPORT efface_status efface_store_open(const efface_store_options* options,
                                              efface_store** out);

typedef struct efface_maintenance {
  size_t size;
  uint64_t records_removed;
  uint64_t buckets_expired;
  uint64_t scopes_rekeyed;
  uint64_t holds_ended;
  uint32_t expiry_waits; /* 1: too many days are over to destroy them without being asked. */
} efface_maintenance;
/* Run it daily. residue_hours: how old residue may become; 0: none. done may be null. */
EFFACE_EXPORT efface_status efface_store_maintain(efface_store* store, uint32_t residue_hours,
                                                  efface_maintenance* done);
/* Commits what was acknowledged ahead of its commit (EFFACE_RELAXED). */
EFFACE_EXPORT efface_status efface_store_sync(efface_store* store);

typedef struct efface_region_stats {
  size_t size;
  uint64_t epoch;
  uint64_t records;
  uint64_t residue_records;
  uint64_t residue_bytes;
  uint64_t reclaim_entries;
  uint64_t people_held;
  uint64_t keyring_file_bytes;
  uint64_t records_file_bytes;
  uint32_t open;
  uint32_t erase_pending;
} efface_region_stats;
EFFACE_EXPORT efface_status efface_store_region_stats(efface_store* store, efface_slice region,
                                                      efface_region_stats* out);

/* ---- tenants, purposes, people ---- */

EFFACE_EXPORT efface_status efface_tenant_declare(efface_store* store, efface_slice name,
                                                  const efface_slice* regions, size_t region_count,
                                                  efface_slice actor, efface_tenant** out);
EFFACE_EXPORT efface_status efface_tenant_find(efface_store* store, efface_slice name,
                                               efface_slice actor, efface_tenant** out);

enum { /* GDPR article 6(1). */
       EFFACE_CONSENT = 1,
       EFFACE_CONTRACT = 2,
       EFFACE_LEGAL_OBLIGATION = 3,
       EFFACE_VITAL_INTEREST = 4,
       EFFACE_PUBLIC_TASK = 5,
       EFFACE_LEGITIMATE_INTEREST = 6
};
enum { EFFACE_NO_COMPRESSION = 1 };
typedef struct efface_purpose_terms {
  size_t size;
  efface_slice name;
  uint32_t basis;
  uint32_t retention_days; /* 0: for ever. */
  uint32_t flags;          /* EFFACE_NO_COMPRESSION. */
} efface_purpose_terms;
EFFACE_EXPORT efface_status efface_purpose_declare(efface_tenant* tenant,
                                                   const efface_purpose_terms* terms);

EFFACE_EXPORT efface_status efface_subject_enrol(efface_tenant* tenant, efface_slice id,
                                                 efface_slice region, efface_subject** out);
EFFACE_EXPORT efface_status efface_subject_find(efface_tenant* tenant, efface_slice id,
                                                efface_subject** out);

/* ---- records: efface/activity.h ---- */

EFFACE_EXPORT efface_status efface_activity_of(efface_tenant* tenant, efface_slice purpose,
                                               efface_activity** out);

/* EFFACE_RELAXED: acknowledged ahead of its commit (Durability in efface/activity.h), and durable
 * once efface_store_sync has answered EFFACE_OK. */
enum { EFFACE_AUTOMATED_DECISION = 1, EFFACE_RECTIFIES = 2, EFFACE_RELAXED = 4 };
typedef struct efface_put_options {
  size_t size;
  uint32_t retention_days; /* 0: the purpose's. */
  uint32_t flags;
  efface_slice origin;
} efface_put_options;
/* options may be null. Durable when it answers, unless it is relaxed. */
EFFACE_EXPORT efface_status efface_put(efface_activity* activity, efface_subject* subject,
                                       efface_slice name, efface_slice value,
                                       const efface_put_options* options);
/* No such record: EFFACE_OK, and *out is null. */
EFFACE_EXPORT efface_status efface_get(efface_activity* activity, efface_subject* subject,
                                       efface_slice name, efface_buffer** out);
enum { EFFACE_SHRED_NOW = 1 };
/* was_there may be null. */
EFFACE_EXPORT efface_status efface_remove(efface_activity* activity, efface_subject* subject,
                                          efface_slice name, uint32_t flags, uint32_t* was_there);
/* The names of the purpose's records, in order, until each answers 0. */
EFFACE_EXPORT efface_status efface_list(efface_activity* activity, efface_subject* subject,
                                        efface_slice prefix,
                                        int32_t (*each)(void* user, efface_slice name), void* user);

/* ---- rights: efface/tenant.h ---- */

EFFACE_EXPORT efface_status efface_grant(efface_tenant* tenant, efface_subject* subject,
                                         efface_slice purpose, efface_slice text_version,
                                         efface_slice channel);

typedef struct efface_erasure {
  size_t size;
  uint64_t erased;
  uint64_t unknown;
  uint64_t held;
  uint64_t shared;
  /* Where its receipt stands: efface_receipt. has_receipt 0: nothing was destroyed. */
  uint64_t entry;
  uint32_t has_receipt;
  char region[68];  /* Ends with a zero. */
  uint8_t salt[32]; /* Shows whom the receipt is about; stored nowhere. */
} efface_erasure;
/* done may be null in all of these. */
EFFACE_EXPORT efface_status efface_withdraw(efface_tenant* tenant, efface_subject* subject,
                                            efface_slice purpose, efface_erasure* done);
/* The handle is closed, whatever the answer, unless it was none. */
EFFACE_EXPORT efface_status efface_erase(efface_tenant* tenant, efface_subject* subject,
                                         efface_erasure* done);
EFFACE_EXPORT efface_status efface_erase_ids(efface_tenant* tenant, const efface_slice* ids,
                                             size_t id_count, efface_erasure* done);
EFFACE_EXPORT efface_status efface_suppress(efface_tenant* tenant, efface_slice id,
                                            efface_erasure* done);
EFFACE_EXPORT efface_status efface_reinstate(efface_tenant* tenant, efface_slice id,
                                             efface_slice reason);
/* The signed text (docs/receipts.md), as far as it has come by now. */
EFFACE_EXPORT efface_status efface_receipt(efface_tenant* tenant, const efface_erasure* of,
                                           efface_buffer** out);

/* ---- bytes that are kept elsewhere: efface/sealer.h ---- */

EFFACE_EXPORT efface_status efface_sealer_of(efface_tenant* tenant, efface_slice purpose,
                                             efface_sealer** out);
/* retention_days 0: the purpose's. */
EFFACE_EXPORT efface_status efface_seal(efface_sealer* sealer, efface_subject* subject,
                                        efface_slice context, efface_slice plain,
                                        uint32_t retention_days, efface_buffer** out);
EFFACE_EXPORT efface_status efface_open_sealed(efface_sealer* sealer, efface_subject* subject,
                                               efface_slice context, efface_slice sealed,
                                               efface_buffer** out);
EFFACE_EXPORT efface_status efface_discard_sealed(efface_sealer* sealer, efface_subject* subject,
                                                  efface_erasure* done);

#ifdef __cplusplus
}
#endif
