#pragma once

#include <type_traits>
#include <utility>

#include "chappe/sync/section.h"

namespace chappe::sync {

/// A T that any context may touch for a moment: interrupt, thread, timer, task.
///
///   constexpr sync::LockClass kStatistics{"statistics", 0};
///   sync::Guarded<Statistics> statistics{kStatistics};
///   statistics.with([](Statistics& all) { ++all.frames; });
///
/// There is no other way to the T. What runs inside must be short, cannot wait (a coroutine does
/// not compile), and enters no other section and no lock (a panic). A rank means nothing here.
template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit constexpr Guarded(const LockClass& lock_class, Args&&... args)
      : section_(lock_class), value_(std::forward<Args>(args)...) {}

  template <class Do>
  auto with(Do&& run, Site site = Site::here()) noexcept -> std::invoke_result_t<Do, T&> {
    using Result = std::invoke_result_t<Do, T&>;
    static_assert(
        !requires(Result result) { result.await_ready(); }, "what runs in a section cannot wait");
    static_assert(!std::is_reference_v<Result> && !std::is_pointer_v<Result>,
                  "what a section guards does not leave it");
    const Section::Stay stay(section_, site);
    return std::forward<Do>(run)(value_);
  }

 private:
  Section section_;
  T value_;
};

}  // namespace chappe::sync
