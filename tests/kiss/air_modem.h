#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/base/random.h"
#include "chappe/client/kiss_modem.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/air.h"

namespace chappe::test {

/// A board with the modem's firmware, at a station of an invented air: the peer for a radio that is
/// a modem. Its habits are those of the recorded sessions; its faults are at hand.
class AirModem final : public client::KissHost, private sim::Antenna {
 public:
  AirModem(async::Executor& executor, sim::Air& air, const radio::Modulation& modulation)
      : executor_(executor), air_(air), modulation_(modulation), poll_(*this) {}
  ~AirModem() {
    if (station_) air_.leave(*station_);
  }

  /// As a board that was just switched on.
  void power_up() { modem_.emplace(*this, mesh::identity_of(mesh::Seed{7})); }

  sim::StationId station() {
    if (!station_) station_ = air_.join(*this, modulation_);
    return *station_;
  }

  void receive(Bytes bytes) {
    if (is_mute || !modem_) return;
    modem_->receive(bytes, executor_.now());
    flush();
  }

  // --- Its host's side ---------------------------------------------------------------------------
  bool transmit(Bytes frame) override {
    air_.radiate(station(), frame);
    return true;
  }
  bool is_channel_busy() override {
    // While it sends itself it cannot know: this one is a pessimist.
    return air_.is_radiating(station()) ||
           air_.is_occupied(station(), executor_.now(), executor_.now());
  }
  Duration airtime(std::size_t bytes) const override {
    return radio::time_on_air(modulation_, bytes);
  }
  bool set_channel(const radio::kiss::Tuning& channel) override {
    set_channel_to = channel;
    return takes_channels;
  }
  std::string_view name() const override { return "peer"; }
  client::KissCounts counts() const override { return {}; }
  void fill_random(std::span<std::uint8_t> bytes) override { random_.fill(bytes); }

  std::function<void(std::string&)> line;  // takes what the modem says
  std::optional<radio::kiss::Tuning> set_channel_to;
  bool is_mute = false;  // answers nothing, as when it hangs
  bool takes_channels = true;
  bool loses_next_end = false;  // of a transmission
  bool fails_next_end = false;

 private:
  struct PollTimer : async::Timer {
    explicit PollTimer(AirModem& owner) : Timer(owner.executor_, &fired), modem(owner) {}
    static void fired(Timer& timer, const async::TimerContext& context) {
      auto& self = static_cast<PollTimer&>(timer).modem;
      self.modem_->poll(context.now());
      self.flush();
    }
    AirModem& modem;
  };

  bool on_frame(const radio::Frame& frame) noexcept override {
    if (!modem_ || is_mute) return false;
    modem_->heard(frame.bytes, frame.snr, frame.rssi);
    flush();
    return true;
  }
  void on_radiated(Time, Duration) noexcept override {
    if (!modem_ || std::exchange(loses_next_end, false)) return;
    modem_->transmitted(!std::exchange(fails_next_end, false));
    flush();
  }
  void flush() {
    if (modem_->due() == kNever) {
      poll_.cancel();
    } else {
      poll_.arm(modem_->due());
    }
    if (is_mute) modem_->output().clear();
    if (line && !modem_->output().empty()) line(modem_->output());
  }

  async::Executor& executor_;
  sim::Air& air_;
  const radio::Modulation modulation_;
  SeededRandom random_{1};
  std::optional<client::KissModem> modem_;
  std::optional<sim::StationId> station_;
  PollTimer poll_;
};

}  // namespace chappe::test
