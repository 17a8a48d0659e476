#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/sx126x/driver.h"
#include "chappe/sim/air.h"
#include "chappe/sim/air_log.h"
#include "chappe/sim/sx1262_chip.h"

namespace chappe::radio::sx126x {

// Somebody who sends, and counts what of ours was heard.
struct Stranger final : sim::Antenna {
  bool on_frame(const Frame& frame) noexcept override {
    heard.emplace_back(frame.bytes.view().begin(), frame.bytes.view().end());
    return true;
  }
  void on_radiated(Time, Duration) noexcept override {}
  std::vector<std::vector<std::uint8_t>> heard;
};

/// A driver, a chip, and a stranger in range of it.
class ChipWorld {
  auto is_ours() const {
    return [this](const sim::AirLog::Entry& entry) { return entry.station == chip_.station(); };
  }

 public:
  explicit ChipWorld(const Board& board = {},
                     const sim::ChipBoard& around = {},
                     const Modulation& modulation = {})
      : chip_(executor_, air_, around), driver_(executor_, executor_, chip_, board, modulation) {
    air_.tune(stranger_at_, modulation);
    air_.connect(chip_.station(), stranger_at_, sim::link_of_snr(5));
    air_.listen(log_);
  }

  /// Started, listening, old enough that every preamble was seen, and between two ticks.
  ChipWorld& begun() {
    driver_.start();
    run_for(milliseconds(4100));
    return *this;
  }

  async::Executor& executor() { return executor_; }
  Radio& radio() { return driver_; }
  Driver& driver() { return driver_; }
  sim::Sx1262Chip& chip() { return chip_; }
  sim::Air& air() { return air_; }
  Stranger& stranger() { return stranger_; }
  Time now() { return executor_.now(); }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }
  void stranger_sends(Bytes frame) { air_.radiate(stranger_at_, frame); }
  bool stranger_is_sending() const { return air_.is_radiating(stranger_at_); }
  std::size_t radiated_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(log_.entries(), is_ours()));
  }
  FrameBytes last_radiated() const {
    const auto& entries = log_.entries();
    return FrameBytes(std::find_if(entries.rbegin(), entries.rend(), is_ours())->frame);
  }
  Duration radiated_airtime() const { return air_.airtime(chip_.station()); }
  bool listens() { return chip_.listens_to(driver_.modulation()); }
  DriverCounters counters() { return driver_.report().counters; }

 private:
  port::VirtualPort port_;
  async::Executor executor_{port_};
  sim::Air air_{executor_, 2};
  sim::AirLog log_;
  sim::Sx1262Chip chip_;
  Stranger stranger_;
  sim::StationId stranger_at_ = air_.join(stranger_, Modulation{});
  Driver driver_;
};

}  // namespace chappe::radio::sx126x
