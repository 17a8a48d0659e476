#include "chappe/play/recorded_board.h"

namespace chappe::play {

RecordedBoard::RecordedBoard(const RecordedNode& node, ReplayedRadio& radio)
    : surroundings_(node.surroundings), radio_(radio), transmit_dbm_(node.radio.tx_dbm) {}

void RecordedBoard::keep_preferences(const node::Preferences& preferences) {
  radio_.listen_like(ReplayedRadio::Listening::of(
      preferences.cad, preferences.interference_threshold, surroundings_.ambient_dbm));
}

}  // namespace chappe::play
