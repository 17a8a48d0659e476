#pragma once

#include <cstdint>
#include <optional>

#include "chappe/async/executor.h"
#include "chappe/base/units.h"
#include "chappe/radio/modulation.h"
#include "chappe/tx/law.h"

namespace chappe::tx {

/// The reference firmware's airtime law, a token bucket in whole milliseconds (protocol 10.4): for
/// replaying recorded sessions, never for the air.
///
/// Why it is not the default: a full bucket is spent at once and refilled while it is spent, so
/// that the worst hour at "10 %" holds 720 s of sending, twice the limit, and a restart fills it
/// again.
///
/// The share of time is 1 / (1 + factor). The bucket holds that share of an hour, starts full, and
/// a transmission may begin while it holds half of the longest frame, whatever the frame. The
/// reference refills whenever it looks, once a millisecond while something is due, and loses the
/// fraction of a millisecond each time; so the moments of looking are part of the state.
///
/// Context: the executor. One transmission at a time: one radio, one transmitter.
class Bucket final : public Law {
 public:
  Bucket(async::Executor& executor, const radio::Modulation& modulation, float factor);

  /// A factor below 0 or no number at all counts as 0: no limit.
  void set_factor(float factor);
  void set_modulation(const radio::Modulation& modulation);

  /// What is left, as of the reference's last look at it: it is refilled when somebody looks, which
  /// is now while something is due.
  std::int64_t tx_budget_ms() const;

  Time earliest(Duration airtime, Time at) const override;
  std::optional<Reservation> reserve(Duration airtime, Time now) override;
  std::uint32_t spent_ppm(Time now) const override;

 private:
  struct State {
    std::int64_t budget_ms = 0;
    std::int64_t refilled_ms = 0;  // when
    std::int64_t silent_ms = -1;   // a transmission begins later than this
    bool looking = false;          // something is due: looked at every millisecond since
  };
  struct Transmission {
    std::int64_t start_ms = 0;
    std::int64_t airtime_ms = 0;
  };

  void commit(std::uint64_t id, Time keyed, Duration airtime) override;
  void cancel(std::uint64_t id) override;

  std::int64_t capacity_ms() const;
  std::int64_t earned_ms(std::int64_t span_ms) const;
  void refill(State& state, std::int64_t now_ms) const;
  void look(State& state, std::int64_t now_ms) const;
  void end(State& state, const Transmission& sent) const;
  State settled() const;

  async::Executor& executor_;
  float share_ = 1;
  std::int64_t step_ms_ = 1;     // the shortest span that earns a whole millisecond
  std::int64_t reserve_ms_ = 0;  // half of the longest frame
  // Looking changes it, as in the reference; earliest() is how a transmitter looks.
  mutable State state_;
  std::optional<Transmission> sending_;
};

}  // namespace chappe::tx
