#pragma once

#include <cstdint>

#include "chappe/async/executor.h"
#include "chappe/base/pairing_heap.h"
#include "chappe/base/units.h"
#include "chappe/sync/port.h"

namespace chappe::port {

/// A world without threads in which time jumps: to the next deadline, or to the next simulated
/// interrupt. The same inputs give the same run, byte for byte.
class VirtualPort final : public sync::Port {
 public:
  explicit VirtualPort(Time start = Time{}) : now_(start) {}

  Time now() noexcept override { return now_; }
  void wait(Time deadline) noexcept override;
  void kick() noexcept override {
    ++kicks_;
    kicked_ = true;
  }

  /// Something outside the program that happens at a time of its own: its handler runs while the
  /// executor sleeps and may only signal, like an interrupt's.
  class Interrupt : public HeapNode {
   public:
    using Handler = void (*)(Interrupt&);
    explicit Interrupt(Handler handler) : handler_(handler) {}

   private:
    friend class VirtualPort;
    Handler handler_;
    Time at_{};
    std::uint64_t order_ = 0;
    struct Earlier {
      bool operator()(const Interrupt& a, const Interrupt& b) const {
        return a.at_ != b.at_ ? a.at_ < b.at_ : a.order_ < b.order_;
      }
    };
  };
  void raise_at(Interrupt& interrupt, Time at);
  void withdraw(Interrupt& interrupt);

  /// Runs `executor` until nothing is left to do, or virtual time would pass `until`; then the
  /// clock stands at `until`, or at the last thing that happened if nothing is left and `until` is
  /// kNever.
  void run(async::Executor& executor, Time until = kNever);

  /// The machine was suspended for so long: the clock has counted on, and nothing ran.
  void skip(Duration span) { now_ += span; }

  std::uint64_t kick_count() const { return kicks_; }
  std::uint64_t wait_count() const { return waits_; }

 private:
  PairingHeap<Interrupt, Interrupt::Earlier> interrupts_;
  Time now_;
  Time horizon_ = kNever;
  std::uint64_t raised_ = 0;
  std::uint64_t kicks_ = 0;
  std::uint64_t waits_ = 0;
  bool kicked_ = false;
  bool exhausted_ = false;
};

}  // namespace chappe::port
