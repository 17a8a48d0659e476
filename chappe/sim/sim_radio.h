#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/base/ring.h"
#include "chappe/flow/credits.h"
#include "chappe/flow/inflight.h"
#include "chappe/radio/radio.h"
#include "chappe/sim/air.h"

namespace chappe::sim {

/// A radio in an invented air, with the habits of an SX126x: one transmit buffer, listening at
/// rest, channel activity detection.
///
/// The air holds a frame from keying to its last symbol, whatever becomes of the task that sent it:
/// then, and once only, the credit comes back. A confirmation that never comes is noticed by a
/// supervisor, which does what a driver's reset would: the transmission ends as unsure.
/// Context: one executor's tasks. Memory: in place.
class SimRadio final : public radio::Radio, private Antenna {
 public:
  /// Thermal noise of 62.5 kHz in a good receiver: what link_of_snr() counts from.
  static constexpr Dbm kNoiseFloor{-120 * 4};

  /// Frames heard and not yet taken. The SX126x has room for one; a driver that empties it at each
  /// interrupt is as quick as this.
  static constexpr std::size_t kHeardMax = 8;

  SimRadio(async::Executor& executor, Air& air, const radio::Modulation& modulation = {});
  SimRadio(const SimRadio&) = delete;
  SimRadio& operator=(const SimRadio&) = delete;
  /// No task may be using it.
  ~SimRadio();

  const radio::Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  bool take(radio::Frame& frame) override;

  /// Channel activity detection: lasts some symbols, and misses who begins or ends meanwhile. What
  /// is being received goes on.
  async::Task<radio::Channel> listen(const radio::Right& right) override;

  async::Task<std::optional<Dbm>> sense(const radio::Right& right, Duration span) override;
  std::optional<Dbm> noise_floor() const override { return kNoiseFloor; }
  std::optional<Duration> radiated() const override { return air_.airtime(station_); }

  async::Task<Result<radio::Transmitted, radio::TransmitFailure>> transmit(
      const radio::Right& right, Bytes frame, flow::Credit credit) override;

  StationId station() const { return station_; }
  /// What became of what others sent.
  const Fates& fates() const { return air_.fates(station_); }
  flow::Inflight::Snapshot in_flight() const { return inflight_.read(); }
  std::uint64_t wedge_count() const { return inflight_.wedge_count(); }

  /// The next transmission is radiated and its end is never reported, as when an interrupt is lost.
  void lose_next_confirmation() { loses_next_ = true; }

 private:
  using Outcome = Result<radio::Transmitted, radio::TransmitFailure>;

  bool on_frame(const radio::Frame& frame) noexcept override;
  void on_radiated(Time keyed, Duration airtime) noexcept override;
  void settle(const Outcome& outcome);

  async::Executor& executor_;
  Air& air_;
  const radio::Modulation modulation_;
  const StationId station_;
  flow::Credits credits_;
  flow::Inflight inflight_;
  sync::Signal heard_;
  async::Completion<Outcome> sent_;
  async::Completion<Outcome>::Ticket ticket_;
  std::uint8_t lane_ = 0;  // of the credit that is with the air
  bool loses_next_ = false;
  Ring<radio::Frame, kHeardMax> inbox_;
  async::TaskSlot<1024> supervisor_;
};

}  // namespace chappe::sim
