// tools/verbs.h -- the verbs, in groups. Each hangs its options into the command line and, when it
// is the one, sets what is to be done.
#pragma once
#include "tools/session.h"

namespace efface::cli {

void add_store_verbs(const Verbs& verbs);    // init, stat
void add_tenant_verbs(const Verbs& verbs);   // tenant add|list|offboard, tenant agreement set|show
void add_purpose_verbs(const Verbs& verbs);  // purpose add|list
void add_record_verbs(const Verbs& verbs);   // put, get, remove, list
void add_import_verb(const Verbs& verbs);
void add_consent_verbs(const Verbs& verbs);      // consent grant|withdraw|show, object
void add_suppression_verbs(const Verbs& verbs);  // restrict, lift, suppress, reinstate
void add_hold_verbs(const Verbs& verbs);         // hold add|release|show
void add_erase_verb(const Verbs& verbs);
void add_identity_verbs(const Verbs& verbs);   // identifier add|list, merge
void add_export_verbs(const Verbs& verbs);     // export person|tenant|open|read, keygen
void add_residency_verbs(const Verbs& verbs);  // transfer person, transfer rule add|list
void add_query_verbs(const Verbs& verbs, CLI::App& tenant);  // query, tenant processing
void add_root_verbs(const Verbs& verbs);      // root status|rotate|migrate|passphrase
void add_upkeep_verbs(const Verbs& verbs);    // maintain, retention show|plan|commit
void add_backup_verbs(const Verbs& verbs);    // backup make|verify, capsule make, mirror status
void add_ledger_verbs(const Verbs& verbs);    // ledger key|checkpoint|list|proof, receipt, restore
void add_incident_verbs(const Verbs& verbs);  // incident open|list|show|update|notify|close|...
void add_verify_verb(const Verbs& verbs);
void add_doctor_verbs(const Verbs& verbs);  // doctor, check
void add_forensics_verb(const Verbs& verbs);
void add_top_verb(const Verbs& verbs);
void add_pages_verbs(const Verbs& verbs);  // manual, completion: not shown

}  // namespace efface::cli
