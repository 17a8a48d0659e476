#pragma once

#include <cstdint>

#include "chappe/base/site.h"
#include "chappe/sync/lock_class.h"
#include "chappe/sync/shared_site.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// Keeps this core's interrupts away while it lives. Defined by the port; on Linux there are none,
/// and a POSIX signal handler is no context for a section (it may have interrupted one).
class IrqMask {
 public:
  IrqMask() noexcept;
  ~IrqMask();
  IrqMask(const IrqMask&) = delete;
  IrqMask& operator=(const IrqMask&) = delete;

 private:
  [[maybe_unused]] std::uint32_t before_ = 0;  // what the port masked already
};

/// Called by who finds a section taken, with how often it has tried. Defined by the port: gives the
/// holder, which is on another core or was descheduled, time to leave.
void spin_pause(std::uint32_t tries) noexcept;

/// A short stretch of code that one context at a time is in: the mechanism under Guarded<T>.
///
/// Never nests: a context that is in one section may enter no other, nor lock, so that leaving is
/// always a few instructions away. Whoever waits for longer than patience lasts panics and says who
/// is in it. Context: any.
class Section {
 public:
  explicit constexpr Section(const LockClass& lock_class) : class_(lock_class) {}
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  /// True while the calling context is in some section.
  static bool inside() noexcept { return inside_ != nullptr; }
  /// Panics if it is, naming both: what it is about to do cannot be done there.
  static void check_outside(const char* what, const char* name, Site site) {
    if (inside_ != nullptr) [[unlikely]]
      fail_inside(what, name, site);
  }

  class [[nodiscard]] Stay {
   public:
    Stay(Section& section, Site site) noexcept : section_(section) { section_.enter(site); }
    ~Stay() { section_.leave(); }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

   private:
    const IrqMask mask_;
    Section& section_;
  };

 private:
  // Tries before whoever waits gives up on the holder; about two seconds on Linux.
  static constexpr std::uint32_t kPatience = 2'200;

  [[noreturn]] static void fail_inside(const char* what, const char* name, Site site);
  void enter(Site site) noexcept;
  void leave() noexcept;

  static constinit thread_local const Section* inside_;  // one per context

  const LockClass& class_;
  static constexpr SharedState kTakenState{
      .name = "Section::taken",
      .purpose = "whether somebody is in it",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "one word: who turns it from free to taken is in",
      .orders = Orders::acquire | Orders::release | Orders::relaxed};
  SharedWord<std::uint32_t, kTakenState> taken_{0};
  SharedSite site_;  // of who is in it
};

}  // namespace chappe::sync
