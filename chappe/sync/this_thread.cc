#include "chappe/sync/this_thread.h"

namespace chappe::sync {

const void* this_thread() noexcept {
  static constinit thread_local const char mark = 0;
  return &mark;
}

}  // namespace chappe::sync
