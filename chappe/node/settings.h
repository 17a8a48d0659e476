#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/mesh/rules.h"
#include "chappe/mesh/seen_table.h"
#include "chappe/tx/transmitter.h"

namespace chappe::node {

enum class Mode : std::uint8_t {
  forward,  // a repeater
  monitor,  // listens, judges and reports; repeats nothing
  no_tx,    // as monitor, and sends nothing of its own either
};

/// What a node is told at its start. Times are spans, counted from when a frame is submitted.
struct Settings {
  Mode mode = Mode::forward;
  /// Everything judging needs but the own key and the estimates, which the node fills in.
  mesh::Rules rules;
  tx::Policy policy;
  /// Later than this a relay helps nobody: by then the mesh has other copies, or has forgotten it.
  Duration relay_expiry = seconds(60);
  Duration local_expiry = minutes(5);
  std::size_t seen_capacity = mesh::kSeenMax;

  /// What recorded sessions of the reference firmware assume.
  static Settings reference() {
    Settings settings;
    settings.relay_expiry = Duration::max();
    settings.local_expiry = Duration::max();
    settings.seen_capacity = mesh::kSeenReference;
    return settings;
  }
};

}  // namespace chappe::node
