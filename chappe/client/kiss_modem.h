#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/identity.h"
#include "chappe/radio/frame.h"
#include "chappe/radio/kiss/dialect.h"
#include "chappe/radio/kiss/framing.h"

namespace chappe::client {

/// What a KISS modem says of the frames that it had.
struct KissCounts {
  std::uint32_t received = 0;
  std::uint32_t sent = 0;
  std::uint32_t errors = 0;
};

/// What stands behind a KISS modem: a radio and a board, or a whole repeater. Called from within
/// KissModem's own functions; nothing may wait. What is not there answers "not available".
class KissHost {
 public:
  /// Takes a frame to be sent now; KissModem::transmitted() must follow. False: it never will be.
  [[nodiscard]] virtual bool transmit(Bytes frame) = 0;
  virtual bool is_channel_busy() = 0;
  virtual Duration airtime(std::size_t bytes) const = 0;
  /// What the channel is before a program has set one.
  virtual radio::kiss::Tuning channel() const { return {}; }
  /// False: this channel cannot be had.
  virtual bool set_channel(const radio::kiss::Tuning& channel) = 0;

  virtual std::uint8_t transmit_dbm() const { return 0; }
  virtual std::optional<std::int8_t> rssi_dbm() const { return std::nullopt; }
  virtual std::optional<std::int16_t> noise_floor_dbm() const { return std::nullopt; }
  virtual std::optional<std::uint16_t> battery_mv() const { return std::nullopt; }
  virtual std::optional<std::int16_t> temperature_tenths() const { return std::nullopt; }
  virtual std::string_view name() const = 0;
  virtual KissCounts counts() const = 0;
  virtual void fill_random(std::span<std::uint8_t> bytes) = 0;

 protected:
  ~KissHost() = default;
};

/// A KISS modem as MeshCore's firmware is one (protocol section 17), for one program: bytes and
/// frames in, bytes out. It waits for a clear channel, persistence and delay like the firmware,
/// holds one frame at a time, and answers every request.
///
/// Context: one executor. The caller brings the time: poll() is due at due().
class KissModem {
 public:
  /// `identity` signs and decrypts for whoever is on the line, so it is nobody else's.
  KissModem(KissHost& host, const mesh::Identity& identity) : host_(host), identity_(identity) {}
  KissModem(const KissModem&) = delete;
  KissModem& operator=(const KissModem&) = delete;

  /// What the program sent. Cutting it in pieces makes no difference.
  void receive(Bytes line, Time now);
  /// What the radio heard.
  void heard(Bytes frame, Decibels snr, Dbm rssi);
  /// What became of the frame that the host took.
  void transmitted(bool sent);

  Time due() const { return due_; }
  void poll(Time now);

  bool is_sending() const { return stage_ == Stage::on_air; }
  /// For the program; the caller takes away what it has written.
  std::string& output() { return output_; }

 private:
  // The firmware's own values after a start.
  struct Settings {
    std::uint8_t transmit_delay = 50;
    std::uint8_t persistence = 63;
    std::uint8_t slot_time = 10;
    bool full_duplex = false;
    bool signal_report = true;
    std::optional<radio::kiss::Tuning> channel;
    std::optional<std::uint8_t> transmit_dbm;
  };
  enum class Stage : std::uint8_t {
    idle,
    waits_for_channel,
    waits_for_slot,
    delays,
    on_air,
  };

  void handle(Bytes frame, Time now);
  void take_data(Bytes frame, Time now);
  void set(radio::kiss::Command command, std::uint8_t value);
  void answer(radio::kiss::Request request, Bytes arguments);
  void set_channel(Bytes arguments);
  void verify(Bytes arguments);
  void encrypt(Bytes arguments);
  void decrypt(Bytes arguments);
  void exchange_keys(Bytes arguments);
  void fill_random(Bytes arguments);

  void put(Bytes frame);
  void reply(radio::kiss::Request request, Bytes bytes);
  void done();
  void fail(radio::kiss::ErrorCode code);
  void wait(Stage stage, Time until);

  KissHost& host_;
  const mesh::Identity identity_;
  radio::kiss::Decoder decoder_;
  Settings settings_;
  std::string output_;

  Stage stage_ = Stage::idle;
  radio::FrameBytes pending_;
  Time gives_up_ = kNever;  // waiting for a clear channel
  Time due_ = kNever;
};

}  // namespace chappe::client
