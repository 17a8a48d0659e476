#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chappe::client {

/// Where a submission of a client waits: what goes ahead of everything has room of its own, so
/// that it is never refused because of what waits behind it.
enum class Lane : std::uint8_t {
  urgent,  // priority 0
  other,
};
inline constexpr std::size_t kLanes = 2;
constexpr Lane lane_of(std::uint8_t priority) {
  return priority == 0 ? Lane::urgent : Lane::other;
}
constexpr std::string_view to_string(Lane lane) {
  return lane == Lane::urgent ? "urgent" : "other";
}

/// Submissions of one client under way, in each lane.
inline constexpr std::size_t kSubmissionsPerLane = 4;

}  // namespace chappe::client
