#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chappe/base/check.h"
#include "chappe/base/units.h"

namespace chappe::radio::sx126x {

/// What a radio does with its time: it listens, or it sends, or it is deaf for one of these
/// reasons.
enum class Activity : std::uint8_t {
  listening,
  transmitting,
  starting,    // not yet set up
  turning,     // between listening and sending, and back
  sensing,     // looks whether the channel is busy, and hears nothing else
  rewriting,   // its settings are written again, in case they were disturbed
  recovering,  // something was wrong, and is being put right
  lost,        // something is wrong: from the last sign that all was well
  off,         // powered down on purpose
};
inline constexpr std::size_t kActivityCount = static_cast<std::size_t>(Activity::off) + 1;

constexpr std::string_view to_string(Activity activity) {
  constexpr std::string_view kNames[kActivityCount] = {"listening",
                                                       "transmitting",
                                                       "starting",
                                                       "turning",
                                                       "sensing",
                                                       "rewriting",
                                                       "recovering",
                                                       "lost",
                                                       "off"};
  return kNames[static_cast<std::size_t>(activity)];
}

/// Where the time went. Listening, transmitting and deaf by cause are always the whole of it.
class TimeBook {
 public:
  constexpr TimeBook() = default;
  explicit TimeBook(Time now) : begun_(now), since_(now) {}

  void enter(Activity activity, Time now) {
    CHAPPE_DCHECK(now >= since_);
    spent_[index(now_)] += now - since_;
    now_ = activity;
    since_ = now;
  }

  /// The same, found out later: it has been so since `at`, or since the present activity began if
  /// that was later.
  void has_been(Activity activity, Time at) { enter(activity, at > since_ ? at : since_); }

  Activity activity() const { return now_; }
  Time since() const { return since_; }
  Duration spent(Activity activity, Time now) const {
    return spent_[index(activity)] + (activity == now_ ? now - since_ : Duration::zero());
  }
  Duration deaf(Time now) const {
    return elapsed(now) - spent(Activity::listening, now) - spent(Activity::transmitting, now);
  }
  Duration elapsed(Time now) const { return now - begun_; }

  /// Each cause once, and nothing twice: what is summed up is what has passed.
  bool balances(Time now) const {
    Duration sum{};
    for (std::size_t i = 0; i < kActivityCount; ++i) sum += spent(static_cast<Activity>(i), now);
    return sum == elapsed(now);
  }

 private:
  static constexpr std::size_t index(Activity activity) {
    return static_cast<std::size_t>(activity);
  }

  std::array<Duration, kActivityCount> spent_{};
  Time begun_{};
  Time since_{};
  Activity now_ = Activity::starting;
};

}  // namespace chappe::radio::sx126x
