#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "chappe/node/board.h"
#include "chappe/play/replayed_radio.h"
#include "chappe/play/scenario.h"

namespace chappe::play {

/// The machine of a recorded node: replies quote what the reference found around it, and what it is
/// told to do to its radio happens to the replayed one. What it is told to keep, it forgets: no
/// recording goes on after a restart.
class RecordedBoard final : public node::Board, public node::Printer {
 public:
  RecordedBoard(const RecordedNode& node, ReplayedRadio& radio);

  std::string_view name() const override { return surroundings_.board; }
  std::string_view firmware_version() const override { return surroundings_.firmware; }
  std::string_view build_date() const override { return surroundings_.build_date; }
  std::uint16_t battery_mv() const override {
    return static_cast<std::uint16_t>(surroundings_.batt_mv);
  }
  std::int16_t noise_floor_dbm() const override {
    return static_cast<std::int16_t>(surroundings_.ambient_dbm);
  }
  bool allows(const radio::Modulation&) const override { return true; }
  void tune(const radio::Modulation& modulation) override { radio_.tune(modulation); }
  void set_transmit_dbm(std::int8_t dbm) override { transmit_dbm_ = dbm; }
  bool has_receive_gain() const override { return surroundings_.receive_gain; }
  bool set_receive_gain(bool) override { return surroundings_.receive_gain; }
  void keep_preferences(const node::Preferences& preferences) override;
  bool erase() override { return true; }
  void halt(node::Halt how) override { halted_ = how; }
  void print(std::string_view words) override { printed_ += words; }

  int transmit_dbm() const { return transmit_dbm_; }
  std::optional<node::Halt> halted() const { return halted_; }
  /// What was printed since the last call.
  std::string take_printed() { return std::exchange(printed_, {}); }

 private:
  const RecordedSurroundings& surroundings_;
  ReplayedRadio& radio_;
  int transmit_dbm_;
  std::optional<node::Halt> halted_;
  std::string printed_;
};

}  // namespace chappe::play
