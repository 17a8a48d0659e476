#pragma once

#include <utility>

#include "chappe/async/async_mutex.h"

namespace chappe::radio {

/// The transmit lock of one radio. A half-duplex radio does one thing at a time: whoever keys it,
/// retunes it, listens on purpose, calibrates or resets it has to show this first, on SPI and on a
/// serial modem alike. Waiting reception needs no Right.
///
/// It goes back by its destructor, on every path. Never hold it across a deferral, a back-off, a
/// disk write or a retry.
class [[nodiscard]] Right {
 public:
  Right(Right&&) = default;

 private:
  friend class RightLock;
  explicit Right(async::AsyncMutex::Guard guard) : guard_(std::move(guard)) {}
  async::AsyncMutex::Guard guard_;
};

/// Where the Right of one radio comes from: first come, first served.
class RightLock {
 public:
  class [[nodiscard]] Taking : public async::AsyncMutex::Lock {
   public:
    using Lock::Lock;
    Right await_resume() { return Right(Lock::await_resume()); }
  };

  /// `const Right right = co_await lock.take();` Context: task. Cancelled, nothing is taken.
  Taking take(Site site = Site::here()) { return Taking(mutex_, site); }
  bool is_held() const { return mutex_.is_held(); }
  const sync::Agent* owner() const { return mutex_.owner(); }

 private:
  // A frame of SF12 in the narrowest band lasts for seconds; a lost interrupt ends in the driver's own
  // deadline, long before the limit.
  // Protects: one radio: its line, its mode, what it sends
  // Contexts: tasks
  static constexpr sync::LockClass kClass{"radio right", 100, seconds(30), minutes(5)};
  async::AsyncMutex mutex_{kClass};
};

}  // namespace chappe::radio
