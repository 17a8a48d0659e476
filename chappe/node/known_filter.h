#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/mesh/identity.h"
#include "chappe/mesh/rules.h"
#include "chappe/mesh/seen_table.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/radio.h"
#include "chappe/sync/shared_state.h"

namespace chappe::node {

/// Direct delivery: looks at a frame in the radio's own context, and lets only what the node does
/// not know cross to it. Most of what a repeater hears are copies of what it has.
///
/// It drops exactly what judging would drop as a duplicate before it looks at anything else: floods
/// whose hash is in the seen table. Whatever else may be decided about a packet is the node's, and
/// so is the table; this reads a copy of it, a word for each hash. A place of the copy may be taken
/// by another hash: then a known packet crosses, and is judged as ever.
///
/// Context: is_new() the radio's executor; the rest the node's. Memory: in place, 17 KiB.
class KnownFilter final : public radio::FrameFilter, public mesh::SeenMirror {
 public:
  /// What it dropped so far.
  struct Dropped {
    std::uint64_t frames = 0;
    std::uint64_t airtime_ms = 0;  // by the reference's estimate
  };

  explicit KnownFilter(const mesh::PublicKey& own) : own_(own) {}

  bool is_new(const radio::Frame& frame) noexcept override;

  void on_seen(mesh::PacketHash hash) noexcept override;
  void on_forgotten(mesh::PacketHash hash) noexcept override;

  /// What a frame of each length lasts.
  void set_estimates(const radio::EstimateTable& estimates_ms);
  Dropped dropped() const;

 private:
  // Twice what the table holds, so that few places are shared.
  static constexpr std::size_t kPlaces = 2 * mesh::kSeenMax;
  static std::size_t place_of(mesh::PacketHash hash) { return hash.word % kPlaces; }

  static constexpr sync::SharedState kHashState{
      .name = "KnownFilter::hash",
      .purpose = "a packet that is in the seen table, or 0",
      .writers = sync::Who::task,
      .readers = sync::Who::task,
      .protection = "the node alone writes; each word says all there is to say",
      .orders = sync::Orders::relaxed};
  static constexpr sync::SharedState kEstimateState{
      .name = "KnownFilter::estimate_ms",
      .purpose = "what a frame of this length lasts",
      .writers = sync::Who::task,
      .readers = sync::Who::task,
      .protection = "the node alone writes, when the radio is tuned",
      .orders = sync::Orders::relaxed};
  static constexpr sync::SharedState kDroppedState{
      .name = "KnownFilter::dropped",
      .purpose = "frames that went no further, and their airtime",
      .writers = sync::Who::task,
      .readers = sync::Who::any,
      .protection = "the radio's task alone writes; counters that only grow",
      .orders = sync::Orders::relaxed};

  struct Hash {
    sync::SharedWord<std::uint64_t, kHashState> word{0};
  };
  struct Estimate {
    sync::SharedWord<std::uint32_t, kEstimateState> ms{0};
  };

  const mesh::PublicKey own_;
  std::array<Hash, kPlaces> known_;
  std::array<Estimate, 256> estimates_;
  sync::SharedWord<std::uint64_t, kDroppedState> frames_{0};
  sync::SharedWord<std::uint64_t, kDroppedState> airtime_ms_{0};
};

}  // namespace chappe::node
