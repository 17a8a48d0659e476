#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace chappe {

/// Microseconds everywhere: LoRa symbols of every legal bandwidth last a whole number of them.
using Duration = std::chrono::duration<std::int64_t, std::micro>;

/// The node's own clock: counts from boot, never steps, goes on during suspend. Never wall time.
struct Clock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};
using Time = Clock::time_point;

inline constexpr Time kNever = Time::max();

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t in_us(Duration span) {
  return span.count();
}
constexpr std::int64_t in_us(Time at) {
  return at.time_since_epoch().count();
}
constexpr std::int64_t in_ms(Duration span) {
  return span.count() / 1000;
}
constexpr Time at_us(std::int64_t us) {
  return Time(Duration(us));
}
constexpr Time at_ms(std::int64_t ms) {
  return Time(Duration(ms * 1000));
}

/// `at + span`, and kNever where that would be beyond the end of time: a span may be "for ever".
constexpr Time time_after(Time at, Duration span) {
  return span > Duration::zero() && at > kNever - span ? kNever : at + span;
}

struct Hertz {
  std::uint32_t count = 0;
  friend constexpr auto operator<=>(Hertz, Hertz) = default;
};

/// A ratio, in the SX126x's own SNR step of a quarter decibel: exact.
struct Decibels {
  std::int16_t quarters = 0;
  friend constexpr auto operator<=>(Decibels, Decibels) = default;
};

/// A level against 1 mW, in quarters of a decibel.
struct Dbm {
  std::int16_t quarters = 0;
  friend constexpr auto operator<=>(Dbm, Dbm) = default;
};

constexpr Decibels operator-(Dbm a, Dbm b) {
  return Decibels{static_cast<std::int16_t>(a.quarters - b.quarters)};
}
// There is no Dbm + Dbm: this type exists to stop that bug.

}  // namespace chappe
