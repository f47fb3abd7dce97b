// storage/verify.h -- is every page of a data.mdb what LMDB takes for granted?
//
// LMDB has no checksums and follows what the pages say: about 7 % of randomly damaged files make it
// crash. This walk reads the file without LMDB, from the newest meta page down, and refuses
// anything that LMDB would trust and that is not so: page numbers, flags, bounds, node offsets and
// sizes, key order and key sizes, depth, overflow runs, pages reached twice, the free list and its
// overlap with pages in use, entry and page counts. It reads with pread only, maps nothing, and
// cannot crash on any bytes. Of the older meta page it checks what LMDB reads of it: its tree is
// never followed, and after an I/O error LMDB itself leaves the roots of the failed transaction
// there.
//
// Both metas must be there and belong to consecutive transactions, so a torn one is refused unless
// it is the older and torn where LMDB never looks. (LMDB writes 120 bytes within one sector: only a
// device that tears sectors can tear them.) Pages neither in use nor free are allowed: they are
// only lost.
//
// Threads verify_metas may run beside a writer of another process; verify_structure needs a file
// that
//         nobody writes.
// Errors  corruption; io; out_of_memory. Cost: one read of the pages in use, a bit per page.
// Source  LMDB 0.9.24 mdb.c (MDB_meta, MDB_page, MDB_node, MDB_db; data version 1).
#pragma once
#include "efface/result.h"
#include "os/file.h"

namespace efface::storage {

// The metas, and that the file has room for the pages they count: what an ordinary open checks. A
// file cut short by less than its free pages passes. Cost: two pages.
Status verify_metas(const os::File& data);

// Everything. Implies verify_metas.
Status verify_structure(const os::File& data);

}  // namespace efface::storage
