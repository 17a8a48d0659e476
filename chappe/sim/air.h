#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/base/list.h"
#include "chappe/base/random.h"
#include "chappe/radio/frame.h"
#include "chappe/radio/modulation.h"
#include "chappe/sim/fate.h"

namespace chappe::sim {

/// A place in one air. Counts from 0 in the order of joining.
enum class StationId : std::uint16_t {};

/// How one station hears another.
struct Link {
  Decibels snr;
  Dbm rssi;
};

/// A link of this quality over the thermal noise of 62.5 kHz: what is weaker than the noise shows
/// the noise as its RSSI.
constexpr Link link_of_snr(double snr_db) {
  constexpr double kNoiseDbm = -120;
  const auto quarters = [](double value) { return static_cast<std::int16_t>(value * 4); };
  return {Decibels{quarters(snr_db)}, Dbm{quarters(kNoiseDbm + (snr_db > 0 ? snr_db : 0))}};
}

/// The least SNR at which a frame is received (SX1261/2 datasheet 1.2, table 6-1).
constexpr Decibels snr_min(std::uint8_t spreading) {
  return Decibels{static_cast<std::int16_t>(-10 * (spreading - 4))};  // -2.5 dB for each step
}

/// Who stands at a station. Called from a timer: it may signal and must not wait.
class Antenna {
 public:
  /// A frame came through whole. False: there was no room for it.
  virtual bool on_frame(const radio::Frame& frame) noexcept = 0;
  /// A frame that it could receive has begun. Most radios notice nothing before its end.
  virtual void on_arriving(const Link& /*link*/, Time /*from*/, Time /*to*/) noexcept {}
  /// The last symbol of its own frame is out.
  virtual void on_radiated(Time keyed, Duration airtime) noexcept = 0;

 protected:
  ~Antenna() = default;
};

/// One frame on the air.
struct Radiation {
  StationId station{};
  Time from{};
  Time to{};
  Bytes frame;  // valid during the call only
};

/// Somebody who is told what nobody in the air can know: everything. Its destructor ends it.
class AirListener : public ListNode {
 public:
  /// At the first symbol.
  virtual void on_keyed(const Radiation& radiation) noexcept = 0;
  /// After the last symbol, once for every other station.
  virtual void on_fate(const Radiation& radiation, StationId at, Fate fate) noexcept = 0;

 protected:
  ~AirListener() = default;
};

enum class Threshold : std::uint8_t {
  hard,  // every frame from snr_min() on, none below
  soft,  // a logistic curve fitted to measurements of the SX126x (Semtech AN1200.48)
};

struct Physics {
  /// By how much a frame must be stronger than another one of its spreading factor to survive it:
  /// 6 dB, as in LoRaSim and Meshtasticator.
  Decibels capture{24};
  /// First symbols of a preamble that may be disturbed: nothing is decided before the receiver has
  /// locked. Bor et al. (2016) measured that the last five of a preamble suffice.
  std::uint16_t expendable_symbols = 0;
  Threshold threshold = Threshold::hard;
};

/// The air between some stations, in the executor's time, virtual or real.
///
/// A frame occupies it for its exact time on air. Whoever sends hears nothing that overlaps. Of two
/// frames of one channel and spreading factor that overlap at a receiver, the one stronger by the
/// capture margin survives, else none; other spreading factors do not disturb. All is decided when
/// a frame is keyed. One that is cut short is received by nobody, and has disturbed whom it met.
///
/// Context: one executor's tasks and timers. Memory: all of it in the constructor.
class Air {
 public:
  /// `random` is drawn from only by a soft threshold.
  Air(async::Executor& executor,
      std::size_t stations_max,
      const Physics& physics = {},
      Random* random = nullptr);
  Air(const Air&) = delete;
  Air& operator=(const Air&) = delete;

  /// A new station that hears nobody yet. Panics if there is no place left.
  StationId join(Antenna& antenna, const radio::Modulation& modulation);
  /// The antenna is not called any more. What it was sending goes on to its end.
  void leave(StationId station);

  /// For frames keyed from now on. Nothing: `to` does not hear `from` and is not disturbed either.
  void set_link(StationId from, StationId to, std::optional<Link> link);
  /// Both directions.
  void connect(StationId a, StationId b, Link link) {
    set_link(a, b, link);
    set_link(b, a, link);
  }

  /// Keys a frame. Requires that the station's last one has ended: on_radiated() has told so.
  void radiate(StationId from, Bytes frame);
  bool is_radiating(StationId station) const { return on_air(station).armed(); }

  /// The sender falls silent in the middle of its frame: on_radiated() does not follow.
  void cut(StationId station);

  /// The station sends and listens like this from now on. `kind`: what else tells frames apart
  /// (sync word, inverted IQ); 0 is MeshCore's. Requires that it is not sending. A frame that is
  /// under way and no longer fits is out of its range; one that would fit now is not received.
  void tune(StationId station, const radio::Modulation& modulation, std::uint16_t kind = 0);

  /// Whether one signal that `at` can receive was there during all of [from, to], which has not
  /// ended before now. Blind to its own.
  bool is_occupied(StationId at, Time from, Time to) const;

  /// The strongest signal at `at` during any part of [from, to], which has not ended before now;
  /// nothing but noise: nothing. Of every spreading factor, but blind to its own.
  std::optional<Dbm> strongest(StationId at, Time from, Time to) const;

  void listen(AirListener& listener) { listeners_.push_back(listener); }

  std::size_t station_count() const { return joined_; }
  const Fates& fates(StationId station) const { return place(station).fates; }
  std::uint64_t radiated_count() const { return radiated_; }
  /// By this station, of frames that were keyed.
  Duration airtime(StationId station) const { return place(station).airtime; }

 private:
  // How a frame arrives at one station: the link as it was when the frame was keyed.
  struct Reception {
    Fate fate = Fate::out_of_range;  // as far as it is known
    std::optional<Link> link;
  };
  struct OnAir : async::Timer {
    OnAir(Air& air, StationId station, std::size_t stations);
    static void ended(Timer& timer, const async::TimerContext& context);
    bool disturbs(const OnAir& other) const { return to > other.decides && other.to > decides; }
    void worsen(std::size_t at, Fate fate) {
      if (fate < receptions[at].fate) receptions[at].fate = fate;
    }

    Air& air;
    const StationId station;
    radio::FrameBytes frame;
    Time from{};
    Time decides{};  // from here on a disturbance counts
    Time to{};
    std::vector<Reception> receptions;  // by station
  };
  struct Place {
    Antenna* antenna = nullptr;
    radio::Modulation modulation;
    std::uint16_t kind = 0;
    Fates fates;
    Duration airtime{};
    std::unique_ptr<OnAir> on_air;  // one radio, one frame at a time
  };

  static std::size_t index(StationId station) { return static_cast<std::size_t>(station); }
  const Place& place(StationId station) const { return places_[index(station)]; }
  OnAir& on_air(StationId station) const { return *place(station).on_air; }
  const std::optional<Link>& link(std::size_t from, std::size_t to) const {
    return links_[from * places_.size() + to];
  }
  bool same_channel(std::size_t a, std::size_t b) const;
  Reception undisturbed(std::size_t from, std::size_t to);
  void meet(OnAir& older, OnAir& newer);
  enum class End { whole, cut };
  void end(OnAir& on_air, End how);

  async::Executor& executor_;
  const Physics physics_;
  Random* const random_;
  std::vector<Place> places_;
  std::vector<std::optional<Link>> links_;
  std::size_t joined_ = 0;
  std::uint64_t radiated_ = 0;
  List<AirListener> listeners_;
};

}  // namespace chappe::sim
