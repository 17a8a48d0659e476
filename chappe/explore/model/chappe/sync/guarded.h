#pragma once

// Stands before the product's header of this name when the kernel is compiled for the explorer. One
// that outlives an execution begins the next one anew.

#include <functional>
#include <type_traits>
#include <utility>

#include "chappe/sync/section.h"

namespace chappe::sync {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit constexpr Guarded(const LockClass& lock_class, Args&&... args)
      : section_(lock_class), first_(std::forward<Args>(args)...), value_(first_) {}

  template <class Do>
  auto with(Do&& run, Site site = Site::here()) noexcept -> std::invoke_result_t<Do, T&> {
    const Section::Stay stay(section_, site);
    const std::uint32_t execution = explore::World::current()->execution();
    if (std::exchange(execution_, execution) != execution) value_ = first_;
    return std::forward<Do>(run)(value_);
  }

 private:
  Section section_;
  const T first_;
  T value_;
  std::uint32_t execution_ = 0;
};

}  // namespace chappe::sync
