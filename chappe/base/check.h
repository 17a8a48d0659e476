#pragma once

#include "chappe/base/panic.h"

/// An invariant, checked in every build. One condition per check, so that the line tells which.
#define CHAPPE_CHECK(condition)                                             \
  do {                                                                      \
    if (!(condition)) [[unlikely]] {                                        \
      ::chappe::panic("check failed: " #condition, ::chappe::Site::here()); \
    }                                                                       \
  } while (false)

/// An invariant that costs more than a comparison: checked in Debug builds.
#ifdef NDEBUG
#define CHAPPE_DCHECK(condition) static_cast<void>(0)
#else
#define CHAPPE_DCHECK(condition) CHAPPE_CHECK(condition)
#endif
