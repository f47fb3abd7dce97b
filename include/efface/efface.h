// efface/efface.h -- everything. Begin with efface/store.h; docs/tutorial.md has the whole program.
//
// Example
//   const Purpose orders = shop.declare_purpose({"orders", LegalBasis::contract}).value();
//   const Activity selling = shop.activity(orders).value();
//
//   Subject alice = shop.enrol(SubjectId("alice"), eu).value();
//   if (!selling.put(alice, RecordName("order-1"), as_bytes("tea"))) return 1;
#pragma once
#include "efface/activity.h"
#include "efface/backup.h"
#include "efface/bytes.h"
#include "efface/capsule.h"
#include "efface/composite_root_key_store.h"
#include "efface/doctor.h"
#include "efface/file_root_key_store.h"
#include "efface/forensics.h"
#include "efface/harden.h"
#include "efface/incident.h"
#include "efface/limits.h"
#include "efface/observe.h"
#include "efface/pkcs11_root_key_store.h"
#include "efface/portability.h"
#include "efface/progress.h"
#include "efface/receipt.h"
#include "efface/record.h"
#include "efface/replicated_root_key_store.h"
#include "efface/restore.h"
#include "efface/result.h"
#include "efface/rights.h"
#include "efface/root_key_store.h"
#include "efface/sealer.h"
#include "efface/stats.h"
#include "efface/store.h"
#include "efface/subject.h"
#include "efface/tenant.h"
#include "efface/tpm_root_key_store.h"
#include "efface/types.h"
