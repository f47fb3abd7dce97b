/* Consent, erasure, suppression, and bytes that are kept elsewhere. */
#include "capi/capi.h"

static void erases_with_a_receipt(const char* below) {
  world w;
  begin(&w, below);
  OK(efface_put(w.orders, w.alice, efface_text("a"), efface_text("value"), NULL));
  efface_subject* other = NULL;
  OK(efface_subject_find(w.tenant, efface_text("alice"), &other));
  efface_erasure done = EFFACE_SIZED(efface_erasure);
  OK(efface_erase(w.tenant, w.alice, &done));
  EXPECT(done.erased == 1 && done.has_receipt == 1 && strcmp(done.region, "eu") == 0);
  efface_buffer* receipt = NULL;
  OK(efface_receipt(w.tenant, &done, &receipt));
  EXPECT(efface_buffer_bytes(receipt).size > 100);
  OK(efface_buffer_close(receipt));
  efface_buffer* found = NULL;
  EXPECT_STATUS(EFFACE_SUBJECT_ERASED, efface_get(w.orders, other, efface_text("a"), &found));
  EXPECT(found == NULL);
  EXPECT_STATUS(EFFACE_SUBJECT_ERASED, efface_erase(w.tenant, other, &done));
  EXPECT_STATUS(EFFACE_INVALID_ARGUMENT, efface_erase(w.tenant, other, &done)); /* Used up. */
  w.alice = NULL;
  EXPECT_STATUS(EFFACE_SUBJECT_UNKNOWN,
                efface_subject_find(w.tenant, efface_text("alice"), &w.alice));
  const efface_slice ids[] = {efface_text("alice"), efface_text("bob")};
  OK(efface_subject_enrol(w.tenant, ids[1], efface_text("eu"), &other));
  OK(efface_subject_close(other));
  OK(efface_erase_ids(w.tenant, ids, 2, &done));
  EXPECT(done.erased == 1 && done.unknown == 1);
  end(&w);
}

static void destroys_what_was_collected_on_consent(const char* below) {
  world w;
  begin(&w, below);
  const efface_slice purpose = efface_text("news");
  efface_activity* news = NULL;
  OK(efface_activity_of(w.tenant, purpose, &news));
  EXPECT_STATUS(EFFACE_CONSENT_MISSING,
                efface_put(news, w.alice, efface_text("a"), efface_text("value"), NULL));
  OK(efface_grant(w.tenant, w.alice, purpose, efface_text("v1"), efface_text("web")));
  OK(efface_put(news, w.alice, efface_text("a"), efface_text("value"), NULL));
  efface_erasure done = EFFACE_SIZED(efface_erasure);
  OK(efface_withdraw(w.tenant, w.alice, purpose, &done));
  EXPECT(done.erased == 1 && done.has_receipt == 1);
  OK(efface_grant(w.tenant, w.alice, purpose, efface_text("v1"), efface_text("web")));
  efface_buffer* found = NULL;
  OK(efface_get(news, w.alice, efface_text("a"), &found));
  EXPECT(found == NULL);
  EXPECT_STATUS(EFFACE_BASIS_DIFFERS,
                efface_withdraw(w.tenant, w.alice, efface_text("orders"), NULL));
  OK(efface_activity_close(news));
  end(&w);
}

static void suppresses_and_reinstates(const char* below) {
  world w;
  begin(&w, below);
  efface_erasure done = EFFACE_SIZED(efface_erasure);
  OK(efface_suppress(w.tenant, efface_text("alice"), &done));
  EXPECT(done.erased == 1);
  efface_subject* again = NULL;
  EXPECT_STATUS(EFFACE_SUPPRESSED,
                efface_subject_enrol(w.tenant, efface_text("alice"), efface_text("eu"), &again));
  OK(efface_reinstate(w.tenant, efface_text("alice"), efface_text("she asked for it")));
  OK(efface_subject_enrol(w.tenant, efface_text("alice"), efface_text("eu"), &again));
  OK(efface_subject_close(again));
  end(&w);
}

static void seals_for_storage_elsewhere(const char* below) {
  world w;
  begin(&w, below);
  efface_sealer* sealer = NULL;
  OK(efface_sealer_of(w.tenant, efface_text("orders"), &sealer));
  const efface_slice context = efface_text("orders.note/42");
  efface_buffer* sealed = NULL;
  OK(efface_seal(sealer, w.alice, context, efface_text("value"), 0, &sealed));
  const efface_slice bytes = efface_buffer_bytes(sealed);
  EXPECT(bytes.size == strlen("value") + 72);
  efface_buffer* opened = NULL;
  OK(efface_open_sealed(sealer, w.alice, context, bytes, &opened));
  EXPECT(holds(opened, "value"));
  OK(efface_buffer_close(opened));
  EXPECT_STATUS(EFFACE_CORRUPTION,
                efface_open_sealed(sealer, w.alice, efface_text("elsewhere"), bytes, &opened));
  efface_erasure done = EFFACE_SIZED(efface_erasure);
  OK(efface_discard_sealed(sealer, w.alice, &done));
  EXPECT(done.erased == 1);
  EXPECT_STATUS(EFFACE_SEAL_UNKNOWN, efface_open_sealed(sealer, w.alice, context, bytes, &opened));
  EXPECT(opened == NULL);
  OK(efface_buffer_close(sealed));
  OK(efface_seal(sealer, w.alice, context, efface_text("again"), 1, &sealed));
  OK(efface_erase(w.tenant, w.alice, NULL));
  w.alice = NULL;
  OK(efface_subject_enrol(w.tenant, efface_text("alice"), efface_text("eu"), &w.alice));
  EXPECT_STATUS(EFFACE_SEAL_UNKNOWN,
                efface_open_sealed(sealer, w.alice, context, efface_buffer_bytes(sealed), &opened));
  OK(efface_buffer_close(sealed));
  OK(efface_sealer_close(sealer));
  end(&w);
}

const claim rights_claims[] = {
    {"ErasesWithAReceipt", erases_with_a_receipt},
    {"DestroysWhatWasCollectedOnConsent", destroys_what_was_collected_on_consent},
    {"SuppressesAndReinstates", suppresses_and_reinstates},
    {"SealsForStorageElsewhere", seals_for_storage_elsewhere},
    {NULL, NULL}};
