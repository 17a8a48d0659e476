#include "chappe/sim/sx1262_chip.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"
#include "chappe/radio/airtime.h"

namespace chappe::sim {
namespace {

using radio::sx126x::BusStatus;

// SX1261/2 datasheet 1.2, table 13-29.
constexpr std::uint16_t kTxDone = 0x0001;
constexpr std::uint16_t kRxDone = 0x0002;
constexpr std::uint16_t kPreambleDetected = 0x0004;
constexpr std::uint16_t kHeaderValid = 0x0010;
constexpr std::uint16_t kHeaderErr = 0x0020;
constexpr std::uint16_t kCrcErr = 0x0040;
constexpr std::uint16_t kCadDone = 0x0080;
constexpr std::uint16_t kCadDetected = 0x0100;
constexpr std::uint16_t kTimeout = 0x0200;

constexpr std::uint16_t kErrorXoscStart = 0x0020;
constexpr std::uint16_t kErrorImage = 0x0010;

// Table 8-2 and 9.2; what the data sheet does not say for plain writes is taken long.
constexpr Duration kBoot = microseconds(3500);
constexpr Duration kCalibration = microseconds(3500);
constexpr Duration kWarmWake = microseconds(340);
constexpr Duration kWrite = microseconds(20);
constexpr Duration kFsToRx = microseconds(41);
// meshtastic/firmware 11774: writes soon after an image calibration are lost, though BUSY is low.
constexpr Duration kImageSettles = milliseconds(10);

constexpr int kLockSymbols = 6;
constexpr Duration kLateEdge = milliseconds(30);
constexpr Duration kLateDone = milliseconds(400);
constexpr Duration kStorm = milliseconds(5);
constexpr std::uint32_t kForEver = 0xffffff;

constexpr std::array<Duration, 8> kRamps = {microseconds(10),
                                            microseconds(20),
                                            microseconds(40),
                                            microseconds(80),
                                            microseconds(200),
                                            microseconds(800),
                                            microseconds(1700),
                                            microseconds(3400)};

std::uint32_t number(Bytes bytes) {
  std::uint32_t sum = 0;
  for (const std::uint8_t byte : bytes) sum = sum << 8 | byte;
  return sum;
}

constexpr Duration steps(std::uint32_t count) {
  return Duration((std::int64_t{count} * 15'625 + 999) / 1000);
}

std::uint32_t nominal_bandwidth(std::uint8_t code) {
  switch (code) {
    case 0x00:
      return 7'810;
    case 0x08:
      return 10'420;
    case 0x01:
      return 15'630;
    case 0x09:
      return 20'830;
    case 0x02:
      return 31'250;
    case 0x0a:
      return 41'670;
    case 0x03:
      return 62'500;
    case 0x04:
      return 125'000;
    case 0x05:
      return 250'000;
    case 0x06:
      return 500'000;
    default:
      return 0;
  }
}

// Bytes of each command: of a write all of them, of a read up to the first one it returns. 0: there
// is no such command. `more`: any number may follow.
struct Shape {
  std::uint8_t length = 0;
  bool more = false;
};
Shape shape_of(std::uint8_t opcode) {
  switch (opcode) {
    case 0x84:
    case 0x80:
    case 0x9f:
    case 0x96:
    case 0x89:
    case 0x93:
    case 0x9d:
    case 0x8a:
    case 0xa0:
      return {2, false};
    case 0xc1:
    case 0xc5:
    case 0xd1:
    case 0xd2:
      return {1, false};
    case 0x83:
    case 0x82:
      return {4, false};
    case 0x94:
      return {7, false};
    case 0x98:
      return {3, false};
    case 0x95:
      return {5, false};
    case 0x0d:
      return {4, true};
    case 0x1d:
      return {5, true};
    case 0x0e:
      return {3, true};
    case 0x1e:
      return {4, true};
    case 0x08:
      return {9, false};
    case 0x12:
      return {4, true};
    case 0x02:
      return {3, false};
    case 0x97:
      return {5, false};
    case 0x86:
      return {5, false};
    case 0x11:
      return {3, true};
    case 0x8e:
      return {3, false};
    case 0x8b:
      return {5, false};
    case 0x8c:
      return {7, false};
    case 0x88:
      return {8, false};
    case 0x8f:
      return {3, false};
    case 0xc0:
      return {2, true};
    case 0x15:
      return {3, true};
    case 0x13:
      return {4, true};
    case 0x14:
      return {5, true};
    case 0x17:
      return {4, true};
    case 0x07:
      return {3, false};
    case 0x10:
      return {8, true};
    case 0x00:
      return {1, true};
    default:
      return {};
  }
}

bool is_read(std::uint8_t opcode) {
  switch (opcode) {
    case 0x1d:
    case 0x1e:
    case 0x12:
    case 0x11:
    case 0xc0:
    case 0x15:
    case 0x13:
    case 0x14:
    case 0x17:
    case 0x10:
    case 0x00:
      return true;
    default:
      return false;
  }
}

template <std::size_t N>
void keep(Bytes params, std::array<std::uint8_t, N>& to) {
  CHAPPE_CHECK(params.size() == N);
  for (std::size_t i = 0; i < N; ++i) to[i] = params[i];
}

}  // namespace

Sx1262Chip::Sx1262Chip(async::Executor& executor, Air& air, const ChipBoard& board)
    : executor_(executor), air_(air), board_(board), station_(air.join(*this, {})) {
  power_on_reset();
}

Sx1262Chip::~Sx1262Chip() {
  air_.leave(station_);
}

// --- Supply, reset, modes ------------------------------------------------------------------------

void Sx1262Chip::power_on_reset() {
  if (is_keyed()) air_.cut(station_);
  keying_.cancel();
  timer_.cancel();
  cad_.cancel();
  late_done_.cancel();
  set_mode(Mode::starting);
  registers_.fill(0);
  registers_[0x0736] = 0x0d;
  registers_[0x0740] = 0x14;
  registers_[0x0741] = 0x24;
  registers_[0x0889] = 0x01;
  registers_[0x08ac] = 0x94;
  registers_[0x08b5] = 0x04;
  registers_[0x08d8] = 0xc8;
  registers_[0x08e7] = 0x18;
  registers_[0x0911] = registers_[0x0912] = 0x05;
  registers_[0x0920] = 0x01;
  constexpr std::string_view kVersion = "SX1261 V2D 2D02";
  std::ranges::copy(kVersion, registers_.begin() + 0x0320);
  buffer_.fill(0);
  irq_ = irq_mask_ = dio1_mask_ = 0;
  errors_ = board_.has_tcxo ? kErrorXoscStart : 0;
  command_status_ = 1;
  packet_type_set_ = tcxo_set_ = dio2_switch_ = modulation_set_ = packet_params_set_ = false;
  tcxo_delay_ = ramp_ = {};
  frf_ = 0;
  modulation_params_ = {};
  packet_params_ = {};
  pa_config_ = {};
  power_ = 0;
  fallback_ = 0x20;
  tx_base_ = rx_base_ = rx_write_ = rx_start_ = rx_length_ = 0;
  image_low_ = 0xe1;
  image_high_ = 0xe9;
  update_dio1();
  busy_until_ = executor_.now() + kBoot;
  restart_.arm(busy_until_);
}

// BUSY falls: after a start, or after the supply has come back.
void Sx1262Chip::start_again() {
  if (!powered_) return;
  if (mode_ == Mode::off) {
    power_on_reset();
    if (reset_held_) restart_.cancel();
    return;
  }
  if (mode_ == Mode::starting) set_mode(Mode::standby_rc);
}

void Sx1262Chip::set_reset(bool held) noexcept {
  if (reset_held_ == held) return;
  reset_held_ = held;
  if (mode_ == Mode::off) return;
  power_on_reset();
  if (held) restart_.cancel();
}

bool Sx1262Chip::set_power(bool on) noexcept {
  if (!board_.has_power_line) return false;
  if (powered_ == on) return true;
  powered_ = on;
  power_on_reset();
  if (!on) {
    restart_.cancel();
    set_mode(Mode::off);
  }
  return true;
}

void Sx1262Chip::set_mode(Mode mode) {
  if (mode_ == Mode::rx && rx_since_ != kNever) {
    if (executor_.now() > rx_since_) rx_total_ += executor_.now() - rx_since_;
    rx_since_ = kNever;
    preamble_.cancel();
    header_.cancel();
  }
  mode_ = mode;
}

Duration Sx1262Chip::receive_time() {
  if (rx_since_ == kNever || executor_.now() < rx_since_) return rx_total_;
  return rx_total_ + (executor_.now() - rx_since_);
}

void Sx1262Chip::enter_standby(Mode mode) {
  timer_.cancel();
  keying_.cancel();
  cad_.cancel();
  if (is_keyed()) air_.cut(station_);
  set_mode(mode);
}

void Sx1262Chip::fall_back() {
  timer_.cancel();
  set_mode(fallback_ == 0x40   ? Mode::fs
           : fallback_ == 0x30 ? Mode::standby_xosc
                               : Mode::standby_rc);
}

// True if the 32 MHz clock can run.
bool Sx1262Chip::start_oscillator() {
  if (board_.has_tcxo == tcxo_set_) return true;
  errors_ |= kErrorXoscStart;
  fail();
  return false;
}

// Where the clock has to start first.
Duration Sx1262Chip::oscillator_delay() const {
  const bool stands = mode_ == Mode::standby_rc || mode_ == Mode::sleep;
  return stands && tcxo_set_ ? tcxo_delay_ : Duration::zero();
}

void Sx1262Chip::busy_for(Duration span) {
  busy_until_ = std::max(busy_until_, executor_.now() + span);
}

bool Sx1262Chip::busy() noexcept {
  if (struck(ChipFault::busy_stuck)) return true;
  if (mode_ == Mode::off) return false;
  return mode_ == Mode::sleep || reset_held_ || executor_.now() < busy_until_;
}

async::Task<bool> Sx1262Chip::wait_ready(Time deadline) {
  while (busy()) {
    const Time now = executor_.now();
    if (now >= deadline) co_return false;
    Time until = std::min(deadline, now + milliseconds(1));
    if (!struck(ChipFault::busy_stuck) && busy_until_ > now) until = std::min(until, busy_until_);
    co_await async::sleep_until(executor_, until);
  }
  co_return true;
}

// --- SPI -----------------------------------------------------------------------------------------

async::Task<BusStatus> Sx1262Chip::transfer(std::span<std::uint8_t> bytes) {
  const bool was_busy = busy();
  const std::uint64_t number_of_this = transactions_++;
  for (const FaultPlan& plan : plans_) {
    if (plan.transaction == number_of_this) strike(plan);
  }
  CHAPPE_CHECK(!bytes.empty() && bytes.size() <= 258);
  if (struck(ChipFault::spi_unheard)) co_return BusStatus::failed;

  const Time began = executor_.now();
  const Duration lasts(static_cast<std::int64_t>(bytes.size() * 8 * 1'000'000 / board_.spi_hz));
  co_await async::sleep_for(executor_, lasts);

  std::vector<std::uint8_t> out(bytes.begin(), bytes.end());
  const auto flip = [&](std::span<std::uint8_t> line) {
    const std::size_t bit = *flip_ % (8 * line.size());
    line[bit / 8] = static_cast<std::uint8_t>(line[bit / 8] ^ 1 << bit % 8);
    flip_.reset();
  };
  if (flip_ && struck(ChipFault::spi_flip_out)) flip(out);

  const bool deaf = mode_ == Mode::off || reset_held_ || struck(ChipFault::silent) ||
                    struck(ChipFault::busy_stuck);
  std::ranges::fill(bytes, std::uint8_t{0});
  if (was_busy && mode_ == Mode::sleep) {
    // The falling edge of NSS wakes it; what follows is not heard.
    set_mode(Mode::starting);
    busy_until_ = executor_.now() + kWarmWake;
    restart_.arm(busy_until_);
  } else if (was_busy) {
    complain("NSS fell while BUSY was high");
  } else if (!deaf) {
    answer(out, bytes);
    if (flip_ && struck(ChipFault::spi_flip_in)) flip(bytes);
    execute(out);
  }
  if (keeps_trace_) trace_.push_back({began, out, {bytes.begin(), bytes.end()}});
  if (struck(ChipFault::spi_reported)) co_return BusStatus::failed;
  co_return BusStatus::ok;
}

std::uint8_t Sx1262Chip::status() const {
  std::uint8_t mode = 0;
  switch (mode_) {
    case Mode::standby_rc:
      mode = 2;
      break;
    case Mode::standby_xosc:
      mode = 3;
      break;
    case Mode::fs:
      mode = 4;
      break;
    case Mode::rx:
      mode = 5;
      break;
    case Mode::tx:
      mode = 6;
      break;
    case Mode::cad:
      mode = 5;
      break;
    default:
      break;
  }
  return static_cast<std::uint8_t>(mode << 4 | command_status_ << 1);
}

void Sx1262Chip::answer(Bytes command, std::span<std::uint8_t> in) const {
  const std::uint8_t opcode = command[0];
  for (std::size_t i = 1; i < in.size(); ++i) in[i] = status();
  const auto put = [&](std::size_t at, std::uint32_t value) {
    if (at < in.size()) in[at] = static_cast<std::uint8_t>(value);
  };
  const auto put16 = [&](std::size_t at, std::uint32_t value) {
    put(at, value >> 8);
    put(at + 1, value);
  };
  switch (opcode) {
    case 0x1d: {
      if (command.size() < 4) break;
      const std::uint32_t address = number(command.subspan(1, 2));
      for (std::size_t i = 4; i < in.size(); ++i) {
        put(i, registers_[(address + i - 4) & kAddressMask]);
      }
      break;
    }
    case 0x1e:
      for (std::size_t i = 3; i < in.size(); ++i) {
        put(i, buffer_[static_cast<std::uint8_t>(command[1] + i - 3)]);
      }
      break;
    case 0x12:
      put16(2, irq_);
      break;
    case 0x11:
      put(2, packet_type_set_ ? 1 : 0);
      break;
    case 0x15: {
      if (mode_ != Mode::rx) {
        put(2, 0);
        break;
      }
      const Time now = executor_.now();
      const bool signal = arriving_.from <= now && now < arriving_.to;
      put(2, static_cast<std::uint32_t>(-(signal ? arriving_.rssi : board_.noise).quarters / 2));
      break;
    }
    case 0x13:
      put(2, rx_length_);
      put(3, rx_start_);
      break;
    case 0x14:
      for (std::size_t i = 0; i < packet_status_.size(); ++i) put(2 + i, packet_status_[i]);
      break;
    case 0x17:
      put16(2, errors_);
      break;
    case 0x10:
      for (std::size_t i = 2; i < in.size(); ++i) put(i, 0);
      break;
    default:
      break;
  }
}

void Sx1262Chip::execute(Bytes command) {
  const std::uint8_t opcode = command[0];
  const Shape shape = shape_of(opcode);
  if (shape.length == 0 || command.size() < shape.length ||
      (!shape.more && command.size() != shape.length)) {
    command_status_ = 4;
    return;
  }
  if (is_read(opcode)) return;
  const Bytes params = command.subspan(1);
  command_status_ = 1;
  busy_for(kWrite);
  const bool in_standby = mode_ == Mode::standby_rc || mode_ == Mode::standby_xosc;
  const bool settling = executor_.now() < image_done_;
  switch (opcode) {
    case 0x84:
      if (!in_standby) return fail();
      buffer_.fill(0);
      registers_[0x08ac] = 0x94;
      set_mode(Mode::sleep);
      if ((params[0] & 4) == 0) complain("a cold sleep: everything is lost");
      return;
    case 0x80:
      if (params[0] > 1) return fail();
      if (params[0] == 1) {
        if (!start_oscillator()) return;
        busy_for(microseconds(31) + oscillator_delay());
        registers_[0x0911] = registers_[0x0912] = 0x12;
      }
      return enter_standby(params[0] == 1 ? Mode::standby_xosc : Mode::standby_rc);
    case 0xc1:
      if (!start_oscillator()) return;
      busy_for(microseconds(50) + oscillator_delay());
      return enter_standby(Mode::fs);
    case 0x83:
      return set_tx(number(params));
    case 0x82:
      return set_rx(number(params));
    case 0xc5:
      return set_cad();
    case 0x96:
    case 0x9f:
    case 0xa0:
      return;
    case 0x89:
      return calibrate(params[0]);
    case 0x98:
      if (!in_standby) return fail();
      if (!start_oscillator()) return;
      if (params[0] >= params[1]) {
        errors_ |= kErrorImage;
        return fail();
      }
      image_low_ = params[0];
      image_high_ = params[1];
      image_done_ = executor_.now() + kImageSettles;
      return;
    case 0x95:
      if (params[0] > 4 || params[2] != 0) complain("an amplifier setting that damages an SX1262");
      keep(params, pa_config_);
      registers_[0x08e7] = 0x38;
      return;
    case 0x93:
      if (params[0] != 0x20 && params[0] != 0x30 && params[0] != 0x40) return fail();
      fallback_ = params[0];
      return;
    case 0x0d:
      if (settling) return fail();
      return write_registers(static_cast<std::uint16_t>(number(params.first(2))),
                             params.subspan(2));
    case 0x0e:
      for (std::size_t i = 1; i < params.size(); ++i) {
        buffer_[static_cast<std::uint8_t>(params[0] + i - 1)] = params[i];
      }
      return;
    case 0x08:
      irq_mask_ = static_cast<std::uint16_t>(number(params.first(2)));
      dio1_mask_ = static_cast<std::uint16_t>(number(params.subspan(2, 2)));
      return update_dio1();
    case 0x02:
      irq_ = static_cast<std::uint16_t>(irq_ & ~number(params));
      return update_dio1();
    case 0x9d:
      dio2_switch_ = params[0] == 1;
      return;
    case 0x97:
      if (!in_standby || params[0] > 7) return fail();
      tcxo_set_ = true;
      tcxo_delay_ = steps(number(params.subspan(1)));
      registers_[0x0911] = registers_[0x0912] = 0x2f;
      return;
    case 0x86:
      frf_ = number(params);
      for (std::size_t i = 0; i < 4; ++i) registers_[0x088b + i] = params[i];
      return;
    case 0x8a:
      if (mode_ != Mode::standby_rc) return fail();
      packet_type_set_ = params[0] == 1;
      return;
    case 0x8e:
      if (params[1] > 7) return fail();
      power_ = static_cast<std::int8_t>(params[0]);
      ramp_ = kRamps[params[1]];
      return;
    case 0x8b: {
      const bool sound = params[0] >= 5 && params[0] <= 12 && nominal_bandwidth(params[1]) != 0 &&
                         params[2] >= 1 && params[2] <= 4 && params[3] <= 1;
      if (!packet_type_set_ || !sound || !in_standby) return fail();
      keep(params, modulation_params_);
      modulation_set_ = true;
      return;
    }
    case 0x8c:
      if (!packet_type_set_ || number(params.first(2)) == 0 || params[2] > 1 || params[4] > 1 ||
          params[5] > 1) {
        return fail();
      }
      keep(params, packet_params_);
      packet_params_set_ = true;
      return;
    case 0x88:
      keep(params, cad_params_);
      return;
    case 0x8f:
      tx_base_ = params[0];
      rx_base_ = params[1];
      return;
    case 0x07:
      errors_ = 0;
      return;
    default:
      return fail();  // there, and of no use to a repeater
  }
}

void Sx1262Chip::write_registers(std::uint16_t address, Bytes values) {
  for (const std::uint8_t value : values) {
    const std::uint16_t at = address++ & kAddressMask;
    const bool trim = at == 0x0911 || at == 0x0912;
    if (trim && mode_ != Mode::standby_xosc) continue;
    registers_[at] = value;
  }
}

void Sx1262Chip::calibrate(std::uint8_t what) {
  if (mode_ != Mode::standby_rc) return fail();
  busy_for(kCalibration + oscillator_delay());
  if (!start_oscillator()) return;
  if ((what & 0x40) != 0) {
    image_low_ = 0xe1;
    image_high_ = 0xe9;
    registers_[0x08b5] &= 0xfe;  // meshtastic/firmware 10219
  }
}

// --- What the registers say ----------------------------------------------------------------------

radio::Modulation Sx1262Chip::modulation() const {
  radio::Modulation modulation;
  modulation.frequency.count =
      static_cast<std::uint32_t>(std::llround(static_cast<double>(frf_) * 32'000'000 / (1 << 25)));
  const Hertz nominal{nominal_bandwidth(modulation_params_[1])};
  if (const auto bandwidth = radio::Bandwidth::from_nominal(nominal)) {
    modulation.bandwidth = *bandwidth;
  }
  modulation.spreading = std::clamp<std::uint8_t>(modulation_params_[0], 5, 12);
  modulation.coding = static_cast<std::uint8_t>(modulation_params_[2] + 4);
  modulation.ldro = modulation_params_[3] == 1 ? radio::Ldro::on : radio::Ldro::off;
  modulation.preamble = static_cast<std::uint16_t>(packet_params_[0] << 8 | packet_params_[1]);
  modulation.header = packet_params_[2] == 0 ? radio::Header::explicit_ : radio::Header::implicit;
  modulation.crc = packet_params_[4] == 1 ? radio::PayloadCrc::on : radio::PayloadCrc::off;
  return modulation;
}

int Sx1262Chip::power_dbm() const {
  const int most = pa_config_[1] == 7 ? 22 : pa_config_[1] == 5 ? 20 : pa_config_[1] == 3 ? 17 : 14;
  return power_ + most - 22;
}

bool Sx1262Chip::image_is_calibrated() const {
  const double mhz = static_cast<double>(frf_) * 32 / (1 << 25);
  return image_low_ * 4 <= mhz && mhz <= image_high_ * 4;
}

bool Sx1262Chip::listens_to(const radio::Modulation& as) {
  if (mode_ != Mode::rx || !rx_continuous_ || rx_since_ == kNever) return false;
  const radio::Modulation mine = modulation();
  const std::int64_t off = std::int64_t{mine.frequency.count} - as.frequency.count;
  if (std::abs(off) > 1000) return false;
  if (mine.bandwidth.chip() != as.bandwidth.chip() || mine.spreading != as.spreading) return false;
  if ((mine.ldro == radio::Ldro::on) != as.optimised()) return false;
  if (registers_[0x0740] != 0x14 || registers_[0x0741] != 0x24) return false;
  if (packet_params_[3] != 0xff || packet_params_[2] != 0 || packet_params_[5] != 0) return false;
  constexpr std::uint16_t kNeeded = kRxDone | kCrcErr;
  return (irq_mask_ & kNeeded) == kNeeded && (dio1_mask_ & kRxDone) != 0;
}

// --- Sending -------------------------------------------------------------------------------------

void Sx1262Chip::set_tx(std::uint32_t timeout) {
  if (!packet_type_set_ || !modulation_set_ || !packet_params_set_ || frf_ == 0) return fail();
  if (mode_ == Mode::tx || mode_ == Mode::cad) return fail();
  if (!start_oscillator()) return;
  const bool wide = modulation_params_[1] == 0x06;
  if (((registers_[0x0889] & 4) == 0) != wide) complain("sent without erratum 15.1");
  if ((registers_[0x08d8] & 0x1e) != 0x1e) complain("sent without erratum 15.2");
  if (pa_config_[3] != 1) complain("sent without an amplifier setting");
  const Duration start = mode_ == Mode::fs             ? microseconds(76)
                         : mode_ == Mode::standby_xosc ? microseconds(105)
                         : mode_ == Mode::rx           ? microseconds(92)
                                                       : microseconds(126);
  busy_for(start + ramp_ + oscillator_delay());
  set_mode(Mode::tx);
  tx_timeout_ = timeout;
  keying_.arm(busy_until_);
}

void Sx1262Chip::key() {
  const std::uint16_t sync =
      static_cast<std::uint16_t>(registers_[0x0740] << 8 | registers_[0x0741]);
  air_.tune(
      station_, modulation(), static_cast<std::uint16_t>((sync ^ 0x1424) | packet_params_[5]));
  radio::FrameBytes frame;
  for (std::size_t i = 0; i < packet_params_[3]; ++i) {
    frame.append(buffer_[static_cast<std::uint8_t>(tx_base_ + i)]);
  }
  if (frame.empty()) return finish_tx();
  air_.radiate(station_, frame);
  if (tx_timeout_ != 0) timer_.arm(executor_.now() + steps(tx_timeout_));
}

void Sx1262Chip::on_radiated(Time, Duration) noexcept {
  if (struck(ChipFault::tx_done_missing)) {
    timer_.cancel();
    return;
  }
  if (struck(ChipFault::tx_done_late)) return late_done_.arm(executor_.now() + kLateDone);
  finish_tx();
}

void Sx1262Chip::finish_tx() {
  if (mode_ == Mode::tx) fall_back();
  command_status_ = 6;
  latch(kTxDone);
}

void Sx1262Chip::timer_ran_out() {
  if (mode_ == Mode::tx && is_keyed()) air_.cut(station_);
  fall_back();
  command_status_ = 3;
  latch(kTimeout);
}

// --- Receiving -----------------------------------------------------------------------------------

void Sx1262Chip::set_rx(std::uint32_t timeout) {
  if (!packet_type_set_ || !modulation_set_ || !packet_params_set_ || frf_ == 0) return fail();
  if (mode_ == Mode::tx || mode_ == Mode::cad) return fail();
  if (!start_oscillator()) return;
  const Duration start = mode_ == Mode::fs             ? kFsToRx
                         : mode_ == Mode::standby_xosc ? microseconds(62)
                                                       : microseconds(83);
  busy_for(start + oscillator_delay());
  timer_.cancel();
  set_mode(Mode::rx);
  rx_continuous_ = timeout == kForEver;
  rx_since_ = busy_until_;
  rx_write_ = rx_base_;
  const std::uint16_t sync =
      static_cast<std::uint16_t>(registers_[0x0740] << 8 | registers_[0x0741]);
  air_.tune(
      station_, modulation(), static_cast<std::uint16_t>((sync ^ 0x1424) | packet_params_[5]));
  if (timeout != 0 && !rx_continuous_) timer_.arm(busy_until_ + steps(timeout));
  expect_lock();
}

// The last instant from which on the receiver can still find the preamble that is arriving.
Time Sx1262Chip::locks_until() const {
  const radio::Modulation mine = modulation();
  // The other side's preamble is what its firmware makes of the spreading factor.
  const Duration preamble = mine.symbol() * (4 * radio::preamble_for(mine.spreading) + 17) / 4;
  return arriving_.from + preamble - kLockSymbols * mine.symbol();
}

void Sx1262Chip::expect_lock() {
  preamble_.cancel();
  header_.cancel();
  if (rx_since_ == kNever || executor_.now() >= arriving_.to) return;
  if (rx_since_ > locks_until()) return;
  preamble_.arm(std::max(rx_since_, arriving_.from) + kLockSymbols * modulation().symbol());
}

void Sx1262Chip::on_arriving(const Link& link, Time from, Time to) noexcept {
  arriving_ = {from, to, link.rssi};
  if (mode_ == Mode::rx) expect_lock();
}

void Sx1262Chip::preamble_found() {
  latch(kPreambleDetected);
  header_.arm(std::max(executor_.now(), locks_until()) +
              (kLockSymbols + 8) * modulation().symbol());
}

void Sx1262Chip::header_found() {
  latch(kHeaderValid);
}

bool Sx1262Chip::on_frame(const radio::Frame& frame) noexcept {
  if (mode_ != Mode::rx || rx_since_ == kNever) return false;
  if (arriving_.to != frame.at || rx_since_ > locks_until()) return false;
  const auto clipped = [](int value, int low, int high) {
    return static_cast<std::uint8_t>(std::clamp(value, low, high));
  };
  packet_status_ = {clipped(-frame.rssi.quarters / 2, 0, 255),
                    clipped(frame.snr.quarters, -128, 127),
                    clipped(-frame.rssi.quarters / 2, 0, 255)};
  if (frame.bytes.size() > packet_params_[3]) {
    latch(kHeaderErr);
    return false;
  }
  store_packet(frame.bytes);
  command_status_ = 2;
  const bool overrun = struck(ChipFault::rx_overrun);
  if (!rx_continuous_) fall_back();
  latch(static_cast<std::uint16_t>(kRxDone | kHeaderValid));
  if (overrun) {
    store_packet(frame.bytes);
    rx_write_ = rx_start_;  // and the next one goes over it
  }
  return true;
}

void Sx1262Chip::store_packet(Bytes packet) {
  rx_start_ = rx_write_;
  rx_length_ = static_cast<std::uint8_t>(packet.size());
  for (const std::uint8_t byte : packet) buffer_[rx_write_++] = byte;
}

// --- Listening before talking --------------------------------------------------------------------

void Sx1262Chip::set_cad() {
  if (!packet_type_set_ || !modulation_set_ || frf_ == 0) return fail();
  if (mode_ == Mode::tx || mode_ == Mode::cad) return fail();
  if (!start_oscillator()) return;
  busy_for(microseconds(83) + oscillator_delay());
  set_mode(Mode::cad);
  const std::uint16_t sync =
      static_cast<std::uint16_t>(registers_[0x0740] << 8 | registers_[0x0741]);
  air_.tune(
      station_, modulation(), static_cast<std::uint16_t>((sync ^ 0x1424) | packet_params_[5]));
  cad_from_ = busy_until_;
  const radio::Modulation mine = modulation();
  const int symbols = 1 << std::min<int>(cad_params_[0], 4);
  // AN1200.48, tables 36 to 41.
  const int hundredths = 100 * symbols + 60 + 5 * (mine.spreading - 7);
  cad_.arm(cad_from_ + mine.symbol() * hundredths / 100);
}

void Sx1262Chip::cad_ended() {
  const radio::Modulation mine = modulation();
  const Time looked_until = cad_from_ + mine.symbol() * (1 << std::min<int>(cad_params_[0], 4));
  const bool found = air_.is_occupied(station_, cad_from_, looked_until);
  fall_back();
  if (found && cad_params_[3] == 1) {
    set_mode(Mode::rx);
    rx_continuous_ = number(Bytes(cad_params_).subspan(4)) == kForEver;
    rx_since_ = executor_.now();
    expect_lock();
  }
  latch(static_cast<std::uint16_t>(kCadDone | (found ? kCadDetected : 0)));
}

// --- Interrupts ----------------------------------------------------------------------------------

void Sx1262Chip::latch(std::uint16_t irq) {
  irq_ = static_cast<std::uint16_t>(irq_ | (irq & irq_mask_));
  update_dio1();
}

void Sx1262Chip::update_dio1() {
  const bool level = (irq_ & dio1_mask_) != 0;
  const bool rose = level && !dio1_level_;
  dio1_level_ = level;
  if (rose) tell_edge();
}

bool Sx1262Chip::dio1() noexcept {
  return struck(ChipFault::dio1_stuck) || dio1_level_;
}

void Sx1262Chip::tell_edge() {
  if (listener_ == nullptr) return;
  if (struck(ChipFault::dio1_lost) || struck(ChipFault::dio1_stuck)) return;
  if (struck(ChipFault::dio1_late)) return late_edge_.arm(executor_.now() + kLateEdge);
  listener_->on_dio1(executor_.now());
  if (struck(ChipFault::dio1_doubled)) listener_->on_dio1(executor_.now());
}

void Sx1262Chip::tell_edge_late() {
  if (listener_ != nullptr) listener_->on_dio1(executor_.now());
}

// --- Faults --------------------------------------------------------------------------------------

bool Sx1262Chip::struck(ChipFault fault) const {
  return executor_.now() < struck_until_[static_cast<std::size_t>(fault)];
}

void Sx1262Chip::strike(const FaultPlan& plan) {
  ++strikes_;
  const Time now = executor_.now();
  Time end = now + plan.lasts;
  switch (plan.fault) {
    case ChipFault::spi_unheard:
    case ChipFault::spi_reported:
      break;
    case ChipFault::spi_flip_out:
    case ChipFault::spi_flip_in:
      flip_ = plan.bit;
      end = now + milliseconds(5);  // longer than any transaction
      break;
    case ChipFault::brown_out:
      power_on_reset();
      set_mode(Mode::off);
      restart_.arm(end);
      break;
    case ChipFault::dio1_spurious:
      if (listener_ != nullptr) listener_->on_dio1(now);
      break;
    case ChipFault::dio1_stuck:
      // The line rises once, when it sticks.
      if (listener_ != nullptr && !dio1_level_) listener_->on_dio1(now);
      break;
    case ChipFault::crc_storm:
    case ChipFault::header_storm:
      storm_.arm(now + kStorm);
      break;
    case ChipFault::tx_done_spurious:
      latch(kTxDone);
      break;
    case ChipFault::preamble_stale:
      if (mode_ == Mode::rx) latch(kPreambleDetected);
      break;
    default:
      break;
  }
  Time& until = struck_until_[static_cast<std::size_t>(plan.fault)];
  until = std::max(until, end);
  faults_end_ = std::max(faults_end_, end);
}

void Sx1262Chip::storm() {
  if (struck(ChipFault::crc_storm)) {
    if (mode_ == Mode::rx) {
      constexpr std::array<std::uint8_t, 12> kNoise = {0xde, 0xad, 0xbe, 0xef};
      store_packet(kNoise);
      latch(kRxDone | kCrcErr | kHeaderValid | kPreambleDetected);
    }
    storm_.arm(executor_.now() + kStorm);
  } else if (struck(ChipFault::header_storm)) {
    if (mode_ == Mode::rx) latch(kHeaderErr | kPreambleDetected);
    storm_.arm(executor_.now() + kStorm);
  }
}

void Sx1262Chip::complain(const char* what) {
  complaints_.push_back(std::to_string(in_us(executor_.now())) + " us: " + what);
}

}  // namespace chappe::sim
