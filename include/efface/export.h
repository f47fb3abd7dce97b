// efface/export.h -- what is visible outside the library; everything else is hidden.
#pragma once

#define EFFACE_EXPORT __attribute__((visibility("default")))

// The result borrows from the annotated parameter; clang warns when it would dangle.
#if defined(__clang__)
#define EFFACE_BORROWED [[clang::lifetimebound]]
#else
#define EFFACE_BORROWED
#endif
