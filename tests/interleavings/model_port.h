#pragma once

#include "chappe/base/units.h"
#include "chappe/explore/world.h"
#include "chappe/sync/parker.h"
#include "chappe/sync/port.h"
#include "chappe/sync/word.h"

namespace chappe::explore {

/// Time in a test: a word that somebody moves on. Whoever reads it may read an old time, but sees
/// what happened before the time that it reads: a store does not stay hidden for a whole period.
class ModelClock {
 public:
  void advance_to(std::int64_t us) { us_.store(us, sync::Order::release); }
  std::int64_t read() const { return us_.load(sync::Order::acquire); }

 private:
  sync::Word<std::int64_t> us_{0};
};

/// An executor's outside world in an exploration: a kick leaves a token, and a wait takes one. A
/// timer that is due is a kick, too: whoever advances the clock gives it.
class ModelPort final : public sync::Port {
 public:
  explicit ModelPort(ModelClock* clock = nullptr) : clock_(clock) {}

  Time now() noexcept override { return clock_ == nullptr ? Time{} : at_us(clock_->read()); }
  void wait(Time deadline) noexcept override {
    if (deadline != kNever && now() >= deadline) return;
    parker_.park();
  }
  void kick() noexcept override {
    ++kicks_;
    parker_.unpark();
  }
  int kicks() const { return kicks_; }

 private:
  ModelClock* const clock_;
  sync::Parker parker_;
  int kicks_ = 0;  // between two steps: one of whoever kicks
};

}  // namespace chappe::explore
