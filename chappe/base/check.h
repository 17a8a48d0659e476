#pragma once

#include "chappe/base/panic.h"

namespace chappe {

[[noreturn, gnu::cold, gnu::noinline]] inline void check_failed(const char* what, Site site) {
  panic(what, site, {.code = PanicCode::check});
}

}  // namespace chappe

/// An invariant, checked in every build. One condition per check, so that the line tells which.
#define CHAPPE_CHECK(condition)                                                    \
  do {                                                                             \
    if (!(condition)) [[unlikely]] {                                               \
      ::chappe::check_failed("check failed: " #condition, ::chappe::Site::here()); \
    }                                                                              \
  } while (false)

/// An invariant that costs more than a comparison: checked in Debug builds.
#ifdef NDEBUG
#define CHAPPE_DCHECK(condition) static_cast<void>(0)
#else
#define CHAPPE_DCHECK(condition) CHAPPE_CHECK(condition)
#endif
