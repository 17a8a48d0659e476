#pragma once

#include <cstdint>
#include <string_view>

#include "chappe/mesh/identity.h"
#include "chappe/mesh/region.h"
#include "chappe/node/access_list.h"
#include "chappe/node/preferences.h"
#include "chappe/radio/modulation.h"

namespace chappe::node {

enum class Halt : std::uint8_t { restart, power_off };

/// Where the local console prints what is longer than a reply. Context: during the call only.
class Printer {
 public:
  virtual void print(std::string_view words) = 0;

 protected:
  ~Printer() = default;
};

/// The machine a node runs on, as its console sees it: what replies quote, and what it alone can
/// do. The defaults are a board that has nothing special, and forgets everything. Context: the
/// node's executor; nothing may wait.
class Board {
 public:
  // --- Quoted ------------------------------------------------------------------------------------
  virtual std::string_view name() const = 0;
  virtual std::string_view firmware_version() const = 0;  // "v1.17.1"
  virtual std::string_view build_date() const = 0;        // "14 Aug 2026"
  virtual std::uint16_t battery_mv() const { return 0; }
  virtual std::int16_t noise_floor_dbm() const { return 0; }
  /// Frames with a wrong checksum, since the last clear_receive_errors().
  virtual std::uint32_t receive_errors() const { return 0; }
  virtual void clear_receive_errors() {}

  // --- Done --------------------------------------------------------------------------------------
  /// Whether this radio could and may send like this.
  virtual bool allows(const radio::Modulation&) const { return false; }
  /// Whether it can become so while the node runs; else parameters count from the next start.
  virtual bool can_tune() const { return true; }
  /// The radio shall be like this from now on. Only what was allowed is asked for, and only of one
  /// that can.
  virtual void tune(const radio::Modulation&) {}
  virtual void set_transmit_dbm(std::int8_t) {}
  /// False if the receiver's gain is not to be chosen.
  virtual bool set_receive_gain(bool) { return false; }
  virtual bool has_receive_gain() const { return false; }

  /// Preferences have changed: to be kept, soon, and those that are the radio's to be applied (cad,
  /// interference threshold, gain reset).
  virtual void keep_preferences(const Preferences&) {}
  /// False if they could not be kept.
  virtual bool keep_regions(const mesh::RegionTable&) { return true; }
  /// Who may do what has changed, other than by guests.
  virtual void keep_access(const AccessList&) {}
  /// The identity to start with next time. False if it could not be kept.
  virtual bool keep_identity(const mesh::Identity&) { return true; }
  /// Forgets all that is kept. False if that is impossible.
  virtual bool erase() { return false; }

  /// The log of packets, for people (protocol 15).
  virtual void set_packet_log(bool /*on*/) {}
  virtual void erase_packet_log() {}
  virtual void print_packet_log(Printer&) {}

  /// The owner stops the node once the current command is done.
  virtual void halt(Halt) {}

 protected:
  ~Board() = default;
};

}  // namespace chappe::node
