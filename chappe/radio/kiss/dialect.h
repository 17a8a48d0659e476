#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/bytes.h"
#include "chappe/radio/kiss/framing.h"

/// What MeshCore's modem understands and answers inside KISS frames (protocol section 17). Numbers
/// are little-endian. docs/formats/kiss.md has the layouts.
namespace chappe::radio::kiss {

/// The low half of a frame's first byte; the high half is the port, and there is only port 0.
enum class Command : std::uint8_t {
  data = 0x00,
  transmit_delay = 0x01,  // in steps of 10 ms, as all times
  persistence = 0x02,
  slot_time = 0x03,
  transmit_tail = 0x04,
  full_duplex = 0x05,
  hardware = 0x06,
};
/// A whole first byte: "leave KISS mode". There is no other mode, so it says nothing.
inline constexpr std::uint8_t kReturn = 0xff;

/// The second byte of a hardware frame from the program.
enum class Request : std::uint8_t {
  identity = 0x01,
  random = 0x02,
  verify = 0x03,
  sign = 0x04,
  encrypt = 0x05,
  decrypt = 0x06,
  key_exchange = 0x07,
  hash = 0x08,
  set_radio = 0x09,
  set_power = 0x0a,
  radio = 0x0b,
  power = 0x0c,
  rssi = 0x0d,
  channel_busy = 0x0e,
  airtime = 0x0f,
  noise_floor = 0x10,
  version = 0x11,
  statistics = 0x12,
  battery = 0x13,
  temperature = 0x14,
  sensors = 0x15,
  name = 0x16,
  ping = 0x17,
  reboot = 0x18,
  set_signal_report = 0x19,
  signal_report = 0x1a,
};

/// The second byte of a hardware frame from the modem: an answer, or one of these.
inline constexpr std::uint8_t kAnswer = 0x80;  // added to the request's
inline constexpr std::uint8_t kDone = 0xf0;
inline constexpr std::uint8_t kError = 0xf1;
inline constexpr std::uint8_t kTransmitDone = 0xf8;   // 1: sent, 0: failed
inline constexpr std::uint8_t kReceiveReport = 0xf9;  // follows each received frame

constexpr std::uint8_t answer_to(Request request) {
  return static_cast<std::uint8_t>(kAnswer + static_cast<std::uint8_t>(request));
}

/// The byte behind kError.
enum class ErrorCode : std::uint8_t {
  length = 1,
  parameter = 2,
  not_available = 3,
  mac = 4,
  unknown = 5,
  encryption = 6,
  busy = 7,
};

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint8_t kRandomMax = 64;

/// The channel in `set_radio` and in the answer to `radio`.
struct Tuning {
  static constexpr std::size_t kBytes = 10;

  std::uint32_t frequency_hz = 0;
  std::uint32_t bandwidth_hz = 0;
  std::uint8_t spreading = 0;
  std::uint8_t coding = 0;  // the denominator

  /// Requires kBytes.
  static constexpr Tuning read(Bytes bytes) {
    return {le32(bytes), le32(bytes.subspan(4)), bytes[8], bytes[9]};
  }
  template <std::size_t Capacity>
  constexpr void write(ByteBuffer<Capacity>& out) const {
    out.append_le32(frequency_hz);
    out.append_le32(bandwidth_hz);
    out.append(spreading);
    out.append(coding);
  }

  friend constexpr bool operator==(const Tuning&, const Tuning&) = default;
};

/// The beginning of a frame, in a buffer that suits it.
template <class Buffer = FrameBuffer>
constexpr Buffer begin(Command command) {
  Buffer frame;
  frame.append(static_cast<std::uint8_t>(command));
  return frame;
}
template <class Buffer = FrameBuffer>
constexpr Buffer begin(Request request) {
  Buffer frame = begin<Buffer>(Command::hardware);
  frame.append(static_cast<std::uint8_t>(request));
  return frame;
}

}  // namespace chappe::radio::kiss
