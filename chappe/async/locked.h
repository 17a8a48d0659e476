#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "chappe/async/async_mutex.h"

namespace chappe::async {

/// A T and its lock in one: nobody reaches the T without holding it.
///
///   const auto bus = co_await sensors.lock();
///   bus->select(3);
///
/// Everything else is as for AsyncMutex.
template <class T>
class Locked {
 public:
  template <class... Args>
  explicit constexpr Locked(const sync::LockClass& lock_class, Args&&... args)
      : mutex_(lock_class), value_(std::forward<Args>(args)...) {}

  /// The lock and the way to the T, for as long as it lives.
  class [[nodiscard]] Access {
   public:
    Access(Access&&) = default;
    T& operator*() const { return *value_; }
    T* operator->() const { return value_; }

   private:
    friend class Locked;
    Access(AsyncMutex::Guard guard, T& value) : guard_(std::move(guard)), value_(&value) {}
    AsyncMutex::Guard guard_;
    T* value_;
  };

  class [[nodiscard]] Lock : public AsyncMutex::Lock {
   public:
    Lock(Locked& locked, Site site)
        : AsyncMutex::Lock(locked.mutex_, site), value_(locked.value_) {}
    Access await_resume() { return Access(AsyncMutex::Lock::await_resume(), value_); }

   private:
    T& value_;
  };

  template <class Do>
  class [[nodiscard]] With : public AsyncMutex::Lock {
   public:
    static_assert(
        !requires(std::invoke_result_t<Do&, T&> result) { result.await_ready(); },
        "what with() runs cannot wait; take the lock by lock() to hold it across an await");
    With(Locked& locked, Do change, Site site)
        : AsyncMutex::Lock(locked.mutex_, site),
          value_(locked.value_),
          change_(std::move(change)) {}
    auto await_resume() {
      const AsyncMutex::Guard guard = AsyncMutex::Lock::await_resume();
      return change_(value_);
    }

   private:
    T& value_;
    Do change_;
  };

  [[nodiscard]] Lock lock(Site site = Site::here()) { return Lock(*this, site); }
  /// Runs `change` on the T; see AsyncMutex::with.
  template <class Do>
  [[nodiscard]] With<Do> with(Do change, Site site = Site::here()) {
    return With<Do>(*this, std::move(change), site);
  }
  [[nodiscard]] std::optional<Access> try_lock(Site site = Site::here()) noexcept {
    return access(mutex_.try_lock(site));
  }
  [[nodiscard]] std::optional<Access> try_lock(const TimerContext& context,
                                               Site site = Site::here()) noexcept {
    return access(mutex_.try_lock(context, site));
  }
  bool is_held() const { return mutex_.is_held(); }

 private:
  std::optional<Access> access(std::optional<AsyncMutex::Guard> guard) {
    if (!guard) return std::nullopt;
    return Access(*std::move(guard), value_);
  }

  AsyncMutex mutex_;
  T value_;
};

}  // namespace chappe::async
