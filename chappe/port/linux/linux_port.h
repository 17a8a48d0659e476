#pragma once

#include <cstdint>

#include "chappe/base/units.h"
#include "chappe/sync/heartbeat.h"
#include "chappe/sync/port.h"
#include "chappe/sync/signal.h"

namespace chappe::port {

/// Linux: epoll for the sleep, a timer descriptor for its end, an eventfd for kicks from other
/// threads. The clock is CLOCK_BOOTTIME: it counts suspend and is never set.
///
/// An idle program makes no wake-up. The eventfd is edge-triggered and never read: each write is an
/// edge, and it is written at most once per sleep.
/// Context: wait() and the descriptors belong to the executor's thread; kick() to anybody.
class LinuxPort final : public sync::Port {
 public:
  /// Panics with the system's reason if the kernel gives no descriptors.
  LinuxPort();
  LinuxPort(const LinuxPort&) = delete;
  LinuxPort& operator=(const LinuxPort&) = delete;
  ~LinuxPort();

  Time now() noexcept override;
  /// The kernel's last tick: no look at the hardware.
  Time glance() noexcept override;
  void wait(Time deadline) noexcept override;
  void dispatch() noexcept override;
  void kick() noexcept override;

  /// What a watchdog looks at: working between two waits.
  sync::Heartbeat& heartbeat() { return heartbeat_; }
  /// An eventfd that is written when the executor comes back and the watchdog sleeps; -1: none.
  /// Counts as working from now on. Context: the executor's thread.
  void watch_with(int eventfd);

  std::uint64_t wait_count() const { return waits_; }

 private:
  friend class Descriptor;
  static constexpr int kBatch = 64;

  void come_back() noexcept;

  struct Event {
    void* source;
    std::uint32_t bits;
  };

  int epoll_;
  int kick_;
  int timer_;
  int watchdog_ = -1;
  sync::Heartbeat heartbeat_;
  Time timer_set_for_ = kNever;
  std::uint64_t waits_ = 0;
  // What the last wait brought. A descriptor that goes away meanwhile takes its entries with it.
  Event events_[kBatch];
  int event_count_ = 0;
};

/// Watches one file descriptor. Reading and writing are told apart: an error of one direction
/// leaves a waiter of the other alone, and so does readiness.
///
/// Edge-triggered: after a wake, read (or write) until the system says "would block".
/// The descriptor itself belongs to the caller and must outlive this.
class Descriptor {
 public:
  static constexpr std::uint32_t kReadable = 1;
  static constexpr std::uint32_t kWritable = 2;
  static constexpr std::uint32_t kHangUp = 4;  // the other side is gone; reading may still yield
  static constexpr std::uint32_t kError = 8;

  Descriptor(LinuxPort& port, sync::WakeList& wakes, int fd);
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int fd() const { return fd_; }
  /// False if the system would not watch it (no memory, too many watches, not that kind of file):
  /// nothing will ever be told of it, so whoever would wait must give up.
  bool watched() const { return watched_; }
  /// `co_await descriptor.reading().wait(kReadable | kHangUp)`, and for writing() kWritable,
  /// kHangUp, kError.
  sync::Flags& reading() { return reading_; }
  sync::Flags& writing() { return writing_; }

 private:
  friend class LinuxPort;
  LinuxPort& port_;
  const int fd_;
  sync::Flags reading_;
  sync::Flags writing_;
  const bool watched_;
};

}  // namespace chappe::port
