#include "chappe/client/kiss_modem.h"

#include <algorithm>

#include "chappe/mesh/envelope.h"

namespace chappe::client {
namespace {

using radio::kiss::Command;
using radio::kiss::ErrorCode;
using radio::kiss::FrameBuffer;
using radio::kiss::Request;

// The firmware looks whenever its loop comes round, which is about this often.
constexpr Duration kLook = milliseconds(1);

constexpr Duration tens_of_ms(std::uint8_t steps) {
  return steps * milliseconds(10);
}

// A level or a ratio as the one signed byte there is for it.
std::uint8_t as_byte(int value) {
  return static_cast<std::uint8_t>(static_cast<std::int8_t>(std::clamp(value, -128, 127)));
}

// Cuts `Key`'s bytes off the front. Requires that they are there.
template <class Key>
Key take_key(Bytes& bytes) {
  Key key;
  std::copy_n(bytes.begin(), key.size(), key.begin());
  bytes = bytes.subspan(key.size());
  return key;
}

}  // namespace

// --- From the program ----------------------------------------------------------------------------

void KissModem::receive(Bytes line, Time now) {
  for (const std::uint8_t byte : line) {
    const Bytes frame = decoder_.push(byte);
    if (!frame.empty()) handle(frame, now);
  }
}

void KissModem::handle(Bytes frame, Time now) {
  const std::uint8_t type = frame[0];
  if (type == radio::kiss::kReturn || type >> 4 != 0) return;  // another modem's port
  const Bytes rest = frame.subspan(1);
  const auto command = static_cast<Command>(type);
  if (command == Command::data) return take_data(rest, now);
  if (command == Command::hardware) {
    if (!rest.empty()) answer(static_cast<Request>(rest[0]), rest.subspan(1));
    return;
  }
  if (!rest.empty()) set(command, rest[0]);
}

void KissModem::set(Command command, std::uint8_t value) {
  switch (command) {
    case Command::transmit_delay:
      settings_.transmit_delay = value;
      return;
    case Command::persistence:
      settings_.persistence = value;
      return;
    case Command::slot_time:
      settings_.slot_time = value;
      return;
    case Command::full_duplex:
      settings_.full_duplex = value != 0;
      return;
    case Command::transmit_tail:  // a LoRa frame has none
    case Command::data:
    case Command::hardware:
      return;
  }
}

void KissModem::answer(Request request, Bytes arguments) {
  const auto optional16 = [&](std::optional<std::int32_t> word) {
    if (!word) return fail(ErrorCode::not_available);
    ByteBuffer<2> bytes;
    bytes.append_le16(static_cast<std::uint16_t>(*word));
    reply(request, bytes);
  };
  ByteBuffer<32> bytes;
  switch (request) {
    case Request::identity:
      return reply(request, identity_.pub);
    case Request::random:
      return fill_random(arguments);
    case Request::verify:
      return verify(arguments);
    case Request::sign:
      if (arguments.empty()) return fail(ErrorCode::length);
      return reply(request, mesh::crypto::sign(identity_.prv, identity_.pub, arguments));
    case Request::encrypt:
      return encrypt(arguments);
    case Request::decrypt:
      return decrypt(arguments);
    case Request::key_exchange:
      return exchange_keys(arguments);
    case Request::hash:
      if (arguments.empty()) return fail(ErrorCode::length);
      return reply(request, mesh::crypto::sha256(arguments));
    case Request::set_radio:
      return set_channel(arguments);
    case Request::set_power:
      if (arguments.empty()) return fail(ErrorCode::length);
      settings_.transmit_dbm = arguments[0];
      return done();
    case Request::radio:
      settings_.channel.value_or(host_.channel()).write(bytes);
      return reply(request, bytes);
    case Request::power:
      bytes.append(settings_.transmit_dbm.value_or(host_.transmit_dbm()));
      return reply(request, bytes);
    case Request::rssi: {
      const auto rssi = host_.rssi_dbm();
      if (!rssi) return fail(ErrorCode::not_available);
      bytes.append(static_cast<std::uint8_t>(*rssi));
      return reply(request, bytes);
    }
    case Request::channel_busy:
      bytes.append(host_.is_channel_busy() ? std::uint8_t{1} : std::uint8_t{0});
      return reply(request, bytes);
    case Request::airtime:
      if (arguments.empty()) return fail(ErrorCode::length);
      bytes.append_le32(static_cast<std::uint32_t>(in_ms(host_.airtime(arguments[0]))));
      return reply(request, bytes);
    case Request::noise_floor:
      return optional16(host_.noise_floor_dbm());
    case Request::version:
      bytes.append(radio::kiss::kVersion);
      bytes.append(std::uint8_t{0});
      return reply(request, bytes);
    case Request::statistics: {
      const KissCounts counts = host_.counts();
      bytes.append_le32(counts.received);
      bytes.append_le32(counts.sent);
      bytes.append_le32(counts.errors);
      return reply(request, bytes);
    }
    case Request::battery:
      return optional16(host_.battery_mv());
    case Request::temperature:
      return optional16(host_.temperature_tenths());
    case Request::sensors:
      if (arguments.empty()) return fail(ErrorCode::length);
      return reply(request, {});  // there are none
    case Request::name: {
      const std::string_view name = host_.name();
      return reply(request, Bytes(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()));
    }
    case Request::ping:
      return reply(request, {});
    case Request::reboot:
      done();
      settings_ = {};
      // What is on the air goes to its end, as it would; the firmware's frame is lost with it.
      if (stage_ != Stage::on_air) wait(Stage::idle, kNever);
      return;
    case Request::set_signal_report:
    case Request::signal_report:
      if (request == Request::set_signal_report) {
        if (arguments.empty()) return fail(ErrorCode::length);
        settings_.signal_report = arguments[0] != 0;
      }
      // Both have the second one's answer.
      bytes.append(settings_.signal_report ? std::uint8_t{1} : std::uint8_t{0});
      return reply(Request::signal_report, bytes);
  }
  fail(ErrorCode::unknown);
}

void KissModem::set_channel(Bytes arguments) {
  if (arguments.size() < radio::kiss::Tuning::kBytes) return fail(ErrorCode::length);
  const auto channel = radio::kiss::Tuning::read(arguments);
  if (!host_.set_channel(channel)) return fail(ErrorCode::parameter);
  settings_.channel = channel;
  done();
}

void KissModem::fill_random(Bytes arguments) {
  if (arguments.empty()) return fail(ErrorCode::length);
  const std::uint8_t count = arguments[0];
  if (count == 0 || count > radio::kiss::kRandomMax) return fail(ErrorCode::parameter);
  std::array<std::uint8_t, radio::kiss::kRandomMax> bytes;
  const auto wanted = std::span(bytes).first(count);
  host_.fill_random(wanted);
  reply(Request::random, wanted);
}

void KissModem::verify(Bytes arguments) {
  if (arguments.size() < sizeof(mesh::PublicKey) + sizeof(mesh::Signature) + 1) {
    return fail(ErrorCode::length);
  }
  const auto signer = take_key<mesh::PublicKey>(arguments);
  const auto signature = take_key<mesh::Signature>(arguments);
  const std::uint8_t valid = mesh::crypto::verify(signer, signature, arguments) ? 1 : 0;
  reply(Request::verify, Bytes(&valid, 1));
}

void KissModem::encrypt(Bytes arguments) {
  if (arguments.size() < sizeof(mesh::SharedSecret) + 1) return fail(ErrorCode::length);
  const auto secret = take_key<mesh::SharedSecret>(arguments);
  if (arguments.size() > mesh::kPlainMax) return fail(ErrorCode::encryption);  // fits no packet
  reply(Request::encrypt, mesh::seal(secret, arguments));
}

void KissModem::decrypt(Bytes arguments) {
  if (arguments.size() < sizeof(mesh::SharedSecret) + 3) return fail(ErrorCode::length);
  const auto secret = take_key<mesh::SharedSecret>(arguments);
  const auto plain = mesh::open(secret, arguments);
  if (!plain) return fail(ErrorCode::mac);
  reply(Request::decrypt, *plain);
}

void KissModem::exchange_keys(Bytes arguments) {
  if (arguments.size() < sizeof(mesh::PublicKey)) return fail(ErrorCode::length);
  const auto secret =
      mesh::crypto::shared_secret(identity_.prv, take_key<mesh::PublicKey>(arguments));
  if (!secret) return fail(ErrorCode::parameter);
  reply(Request::key_exchange, *secret);
}

// --- To the program ------------------------------------------------------------------------------

void KissModem::put(Bytes frame) {
  const auto line = radio::kiss::encode(frame);
  output_.append(reinterpret_cast<const char*>(line.data()), line.size());
}

void KissModem::reply(Request request, Bytes bytes) {
  FrameBuffer frame = radio::kiss::begin(Command::hardware);
  frame.append(radio::kiss::answer_to(request));
  frame.append(bytes);
  put(frame);
}

void KissModem::done() {
  FrameBuffer frame = radio::kiss::begin(Command::hardware);
  frame.append(radio::kiss::kDone);
  put(frame);
}

void KissModem::fail(ErrorCode code) {
  FrameBuffer frame = radio::kiss::begin(Command::hardware);
  frame.append(radio::kiss::kError);
  frame.append(static_cast<std::uint8_t>(code));
  put(frame);
}

void KissModem::heard(Bytes frame, Decibels snr, Dbm rssi) {
  FrameBuffer data = radio::kiss::begin(Command::data);
  data.append(frame);
  put(data);
  if (!settings_.signal_report) return;
  FrameBuffer report = radio::kiss::begin(Command::hardware);
  report.append(radio::kiss::kReceiveReport);
  report.append(as_byte(snr.quarters));
  report.append(as_byte(rssi.quarters / 4));
  put(report);
}

// --- To the radio --------------------------------------------------------------------------------

void KissModem::wait(Stage stage, Time until) {
  stage_ = stage;
  due_ = until;
}

void KissModem::take_data(Bytes frame, Time now) {
  if (frame.empty() || frame.size() > radio::kFrameMax) return;  // as the firmware: not a word
  if (stage_ != Stage::idle) return fail(ErrorCode::busy);
  pending_ = radio::FrameBytes(frame);
  gives_up_ = now + host_.airtime(radio::kFrameMax) * 3 / 2;
  wait(settings_.full_duplex ? Stage::delays : Stage::waits_for_channel,
       settings_.full_duplex ? now + tens_of_ms(settings_.transmit_delay) : now);
  poll(now);
}

void KissModem::poll(Time now) {
  if (now < due_) return;
  if (stage_ == Stage::waits_for_slot) stage_ = Stage::waits_for_channel;
  if (stage_ == Stage::waits_for_channel) {
    const bool patient = now < gives_up_;
    if (patient && host_.is_channel_busy()) return wait(Stage::waits_for_channel, now + kLook);
    std::uint8_t chance = 0;
    if (patient) host_.fill_random({&chance, 1});
    if (chance > settings_.persistence) {
      return wait(Stage::waits_for_slot, now + tens_of_ms(settings_.slot_time));
    }
    wait(Stage::delays, now + tens_of_ms(settings_.transmit_delay));
  }
  if (stage_ == Stage::delays && due_ <= now) {
    wait(Stage::on_air, kNever);
    if (!host_.transmit(pending_)) transmitted(false);
  }
}

void KissModem::transmitted(bool sent) {
  if (stage_ != Stage::on_air) return;  // of a life before
  wait(Stage::idle, kNever);
  FrameBuffer frame = radio::kiss::begin(Command::hardware);
  frame.append(radio::kiss::kTransmitDone);
  frame.append(sent ? std::uint8_t{1} : std::uint8_t{0});
  put(frame);
}

}  // namespace chappe::client
