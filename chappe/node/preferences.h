#pragma once

#include <cstdint>

#include "chappe/base/short_string.h"

namespace chappe::node {

// MeshCore src/helpers/CommonCLI.h at d9296435.
inline constexpr std::size_t kNameMax = 31;
inline constexpr std::size_t kPasswordMax = 15;
inline constexpr std::size_t kOwnerInfoMax = 119;

/// Which position own adverts carry.
enum class PositionPolicy : std::uint8_t {
  none = 0,
  share = 1,       // that of a receiver; without one, none is known and 0, 0 is sent
  configured = 2,  // the preference below, 0, 0 if there is none
};

/// The radio's parameters as an operator names them; what is set here counts from the next start.
struct RadioPreferences {
  double frequency_mhz = 869.618;
  double bandwidth_khz = 62.5;
  std::uint8_t spreading = 8;
  std::uint8_t coding = 5;
};

/// What an operator can change while the node runs, beyond what judging needs (mesh::Rules has
/// that). The units are the firmware's (protocol 14.1), so are the defaults, except that nothing is
/// sent unasked and nobody can log in with a password that everybody knows.
struct Preferences {
  ShortString<kNameMax> name = "chappe";
  ShortString<kOwnerInfoMax> owner_info;
  ShortString<kPasswordMax> admin_password;  // empty: nobody logs in as administrator
  ShortString<kPasswordMax> guest_password;
  double latitude = 0;   // degrees
  double longitude = 0;  // degrees
  PositionPolicy position = PositionPolicy::configured;

  std::uint16_t local_advert_minutes = 0;  // even; 0: off
  std::uint8_t flood_advert_hours = 0;     // 0: off
  std::uint8_t path_hash_mode = 0;         // own floods: bytes of a hash, less one
  bool read_only_allowed = false;          // of room servers; kept for tools that ask

  float airtime_factor = 1;                 // the share of time is 1 / (1 + factor)
  std::uint8_t multi_acks = 0;              // as set; judging uses at most mesh::kMultiAcksMax
  std::uint8_t interference_threshold = 0;  // decibels over the noise floor; 0: off
  bool cad = false;
  std::uint16_t agc_reset_seconds = 0;  // a multiple of 4; 0: never
  bool receive_gain = true;
  std::int8_t transmit_dbm = 20;
  RadioPreferences radio;

  /// When regions were last saved, in Unix seconds: askers who know it already get no answer.
  std::uint32_t modified_at = 0;
};

}  // namespace chappe::node
