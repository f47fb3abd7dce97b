// rights/transfer.h -- moving a person to another region of her tenant [44-49].
//
//   1  at the source she is marked as moving: nothing of her is written, withdrawn or erased;
//   2  her rows, file and records are sealed anew at the target, where she is marked as incoming:
//      nobody sees her there;
//   3  she is erased at the source: from here on she is at the target;
//   4  the mark at the target goes.
//
// Whatever is interrupted, she is whole in one region: as long as the source has her, what is at
// the target is no one; once it has not, the target has all of her. Who looks her up next mends
// what a crash left.
//
// Errors  legal_hold, transfer_pending, region_not_permitted, region_not_open, subject_erased.
#pragma once
#include "rights/file.h"

namespace efface::rights {

Result<Erasure> transfer(const Acting& acting, const Person& person,
                         const access::TenantRegion& target, TransferBasis basis,
                         const ReceiptOptions& receipt = {});

}  // namespace efface::rights
