#pragma once

// Stands before the product's header of this name when the kernel is compiled for the explorer: a
// section is a lock, taken in one step. Its spinning is its own test's matter, not every test's.

#include <cstdint>
#include <string_view>

#include "chappe/base/site.h"
#include "chappe/explore/world.h"
#include "chappe/sync/lock_class.h"
#include "chappe/sync/shared_site.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

class Section {
 public:
  explicit constexpr Section(const LockClass& lock_class)
      : class_(lock_class), only_tells_(std::string_view(lock_class.name) == "workplace") {}
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  static bool inside() noexcept { return false; }
  static void check_outside(const char*, const char*, Site) {}

  class [[nodiscard]] Stay {
   public:
    Stay(Section& section, Site) noexcept : section_(section) {
      if (!section_.only_tells_) explore::World::current()->lock(section_.lock());
    }
    ~Stay() {
      if (!section_.only_tells_) explore::World::current()->unlock(section_.lock());
    }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

   private:
    Section& section_;
  };

 private:
  std::uint8_t lock() {
    explore::World& world = *explore::World::current();
    if (execution_ != world.execution()) {
      execution_ = world.execution();
      lock_ = world.declare_shared(class_.name, 0);
    }
    return lock_;
  }

  const LockClass& class_;
  const bool only_tells_;  // the list of workers is for dumps: no test wants its order
  std::uint32_t execution_ = 0;
  std::uint8_t lock_ = 0;
};

}  // namespace chappe::sync
