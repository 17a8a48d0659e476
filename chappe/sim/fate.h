#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chappe::sim {

/// What became of one frame at one station that did not send it: exactly one of these. Where two
/// apply, the earlier one in this list is told: it alone would have sufficed.
enum class Fate : std::uint8_t {
  out_of_range,  // no link, or another channel, or the station came when the frame was under way
  weak,          // below what the spreading factor needs
  half_duplex,   // the station was sending itself
  collided,      // another frame, not weaker by the capture margin
  cut,           // its sender fell silent before its end
  overrun,       // it arrived, and the radio had no room for it or did not listen
  heard,
};
inline constexpr std::size_t kFateCount = static_cast<std::size_t>(Fate::heard) + 1;

constexpr std::string_view to_string(Fate fate) {
  constexpr std::string_view kNames[kFateCount] = {
      "out_of_range", "weak", "half_duplex", "collided", "cut", "overrun", "heard"};
  return kNames[static_cast<std::size_t>(fate)];
}

/// A station's book of what others sent: the sum is the number of their frames that ended while the
/// station was there.
struct Fates {
  std::array<std::uint64_t, kFateCount> counts{};

  std::uint64_t& operator[](Fate fate) { return counts[static_cast<std::size_t>(fate)]; }
  std::uint64_t operator[](Fate fate) const { return counts[static_cast<std::size_t>(fate)]; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts) sum += count;
    return sum;
  }
};

}  // namespace chappe::sim
