#include "apps/chappe/examination.h"

#include <algorithm>
#include <utility>

#include "chappe/async/sleep.h"

namespace chappe::app {
namespace {

using namespace radio::sx126x;

constexpr Duration kResetPulse = milliseconds(2);
constexpr Duration kBootMax = milliseconds(50);
constexpr Duration kCalibrates = milliseconds(20);
constexpr Duration kComesUp = seconds(3);
constexpr Duration kKnowsNoise = seconds(5);
constexpr int kScans = 5;

// Noise above this in a LoRa channel is somebody's: thermal noise and the receiver's own make
// -120 dBm at 62.5 kHz and -111 dBm at 500 kHz.
constexpr Dbm kLoud{-100 * 4};
// Below what any receiver with an antenna reads.
constexpr Dbm kNothing{-127 * 4};

constexpr std::uint16_t kXoscFailed = 0x0020;

std::string in_dbm(Dbm level) {
  return std::to_string(level.quarters / 4) + " dBm";
}

radio::sx126x::Board examined(radio::sx126x::Board board) {
  // Each look is to use the chip, whatever the receiver has seen.
  board.sensing = Sensing::always;
  return board;
}

}  // namespace

Examination::Examination(async::Executor& executor,
                         Bus& bus,
                         const radio::sx126x::Board& board,
                         const radio::Modulation& modulation,
                         Duration listens)
    : executor_(executor),
      bus_(bus),
      board_(examined(board)),
      listens_(listens),
      link_(executor, bus, counters_),
      driver_(executor, executor, bus, board_, modulation) {}

void Examination::start() {
  executor_.spawn(slot_, "examination", &Examination::examine, this);
}

bool Examination::is_well() const {
  return std::ranges::none_of(findings_,
                              [](const Finding& one) { return one.verdict == Verdict::bad; });
}

void Examination::find(Verdict verdict, const char* what, std::string words, std::string advice) {
  findings_.push_back({verdict, what, std::move(words), std::move(advice)});
}

async::Task<> Examination::examine() {
  // What comes later cannot be judged where something before it is missing.
  bool goes_on = co_await look_at_reset();
  if (goes_on) goes_on = co_await look_at_answers();
  if (goes_on) goes_on = co_await look_at_oscillator();
  if (goes_on) goes_on = co_await look_at_receiver();
  if (goes_on) {
    co_await look_at_edges();
    co_await look_at_noise();
  }
  if (!goes_on) bus_.set_reset(true);
  done_ = true;
}

async::Task<bool> Examination::look_at_reset() {
  bus_.set_power(true);
  bus_.set_antenna(AntennaSwitch::off);
  bus_.set_reset(true);
  co_await async::sleep_for(executor_, kResetPulse);
  bool was_high = bus_.busy();
  bus_.set_reset(false);
  was_high = was_high || bus_.busy();
  const bool fell = co_await link_.ready(kBootMax);
  if (!fell) {
    find(Verdict::bad,
         "BUSY",
         "it stays high after a reset, and should fall within 5 ms",
         "is [board] busy the right pin, and does the module have power ([board] enable)? is "
         "[board] reset the right pin?");
    co_return false;
  }
  if (!was_high) {
    find(Verdict::doubtful,
         "BUSY",
         "it was never high during a reset",
         "if the chip does not answer either: is [board] busy the right pin, and [board] reset?");
  } else {
    find(Verdict::good, "BUSY", "it rises with a reset, and falls when the chip has started");
  }
  co_return true;
}

async::Task<bool> Examination::look_at_answers() {
  const std::optional<ChipStatus> status = co_await link_.status();
  if (!status && link_.fault() == ChipLink::Fault::bus) {
    find(Verdict::bad,
         "SPI",
         "the kernel's SPI driver reports an error",
         "see the end of 'dmesg'; is [board] spi_hz too fast for this bus?");
    co_return false;
  }
  if (!status) {
    find(Verdict::bad,
         "SPI",
         "nobody answers: the line reads all zeros or all ones",
         "is [board] spi the right bus and chip select, is [board] cs needed, and are MISO, MOSI "
         "and SCK connected?");
    co_return false;
  }
  // The sync word's registers keep whatever they are given, and mean nothing before the set-up.
  int wrong = 0;
  constexpr int kRounds = 64;
  for (int i = 0; i < kRounds; ++i) {
    const auto pattern = static_cast<std::uint8_t>(i * 37 + 85);
    co_await link_.send(write_register(reg::kSyncWord, pattern));
    const std::optional<Command> read = co_await link_.ask(read_register(reg::kSyncWord, 1));
    if (!read || (*read)[4] != pattern) ++wrong;
  }
  if (wrong > 0) {
    find(Verdict::bad,
         "SPI",
         std::to_string(wrong) + " of " + std::to_string(kRounds) +
             " values that were written read back differently",
         "shorter wires, a better ground, or a lower [board] spi_hz; does another program use "
         "this bus?");
    co_return false;
  }
  find(Verdict::good, "SPI", "the chip answers, and keeps what it is given");
  co_return true;
}

async::Task<bool> Examination::look_at_oscillator() {
  co_await link_.send(set_standby(Standby::rc));
  if (board_.tcxo) co_await link_.send(set_tcxo(*board_.tcxo, board_.tcxo_start));
  co_await link_.send(clear_device_errors());
  co_await link_.send(calibrate_all());
  co_await async::sleep_for(executor_, kCalibrates);
  co_await link_.send(set_standby(Standby::xosc));
  const std::optional<Command> answer = co_await link_.ask(get_device_errors());
  if (!answer) {
    find(Verdict::bad,
         "oscillator",
         "the chip fell silent when it was calibrated",
         "does the supply hold when the oscillator starts?");
    co_return false;
  }
  const auto errors = static_cast<std::uint16_t>((*answer)[2] << 8 | (*answer)[3]);
  if ((errors & kXoscFailed) != 0) {
    find(Verdict::bad,
         "oscillator",
         "it does not start",
         board_.tcxo ? "does this module have a TCXO, and of this voltage? try another [board] "
                       "tcxo, or \"none\" for a crystal"
                     : "does this module have a TCXO? then [board] tcxo names its voltage, mostly "
                       "\"1.8\"");
    co_return false;
  }
  if (errors != 0) {
    find(Verdict::bad,
         "oscillator",
         "the calibration failed (device errors " + std::to_string(errors) + ")",
         "is the supply steady? is [board] tcxo right?");
    co_return false;
  }
  find(Verdict::good,
       "oscillator",
       board_.tcxo ? "the TCXO runs, and the chip is calibrated"
                   : "the crystal runs, and the chip is calibrated");
  co_return true;
}

async::Task<bool> Examination::look_at_receiver() {
  driver_.start();
  const Time until = executor_.now() + kComesUp;
  while (!driver_.report().listening && executor_.now() < until) {
    co_await async::sleep_for(executor_, milliseconds(20));
  }
  if (driver_.report().listening) {
    find(Verdict::good, "receiver", "it listens");
    co_return true;
  }
  find(Verdict::bad,
       "receiver",
       "the chip answers, and does not come to listen",
       "does the supply hold? try another power supply or cable; the driver goes through: set-up, "
       "standby, calibration, reset, power");
  co_return false;
}

async::Task<> Examination::look_at_edges() {
  const std::uint64_t missed_before = driver_.report().counters.edges_missed;
  for (int i = 0; i < kScans; ++i) {
    const radio::Right right = co_await driver_.right().take();
    co_await driver_.listen(right);
  }
  // The tick finds what DIO1 has not told.
  co_await async::sleep_for(executor_, seconds(1));
  const DriverReport report = driver_.report();
  const std::uint64_t missed = report.counters.edges_missed - missed_before;
  if (missed > kScans / 2) {
    find(Verdict::bad,
         "DIO1",
         "the chip had something to tell, and the line did not rise",
         "is [board] irq the right pin? everything still works without it, half a second late");
  } else if (missed > 0) {
    find(Verdict::doubtful,
         "DIO1",
         "it rises when the chip has something to tell, but not every time, or too late",
         "a busy machine does that; seen again on an idle one, look at the wire of [board] irq");
  } else if (report.counters.line_stuck > 0) {
    find(Verdict::bad,
         "DIO1",
         "the line is high with nothing to tell",
         "is [board] irq the right pin?");
  } else {
    find(Verdict::good, "DIO1", "it rises when the chip has something to tell");
  }
}

async::Task<> Examination::look_at_noise() {
  const Time begun = executor_.now();
  const std::uint64_t frames_before = driver_.report().counters.frames;
  while (!driver_.report().noise_known && executor_.now() < begun + kKnowsNoise) {
    co_await async::sleep_for(executor_, milliseconds(100));
  }
  const DriverReport report = driver_.report();
  if (!report.noise_known) {
    find(Verdict::doubtful,
         "noise",
         "the channel was not quiet for long enough to measure it",
         "is somebody sending all the time? look again");
  } else if (report.noise_floor <= kNothing) {
    find(Verdict::bad,
         "noise",
         "it hears nothing at all, not even noise (" + in_dbm(report.noise_floor) + ")",
         "is the antenna switch thrown: [board] rxen, txen, dio2? is there power for the "
         "amplifier ([board] enable)?");
  } else if (report.noise_floor >= kLoud) {
    find(Verdict::doubtful,
         "noise",
         "it is loud: " + in_dbm(report.noise_floor),
         "something near disturbs: a switching supply, USB 3, HDMI, the computer itself; move the "
         "antenna away");
  } else {
    find(Verdict::good, "noise", in_dbm(report.noise_floor));
  }
  co_await async::sleep_until(executor_, begun + listens_);
  const std::uint64_t heard = driver_.report().counters.frames - frames_before;
  const std::uint64_t broken = driver_.report().counters.crc_errors;
  find(Verdict::good,
       "others",
       std::to_string(heard) + " frames heard in " + std::to_string(listens_ / seconds(1)) +
           " s, and " + std::to_string(broken) + " broken ones",
       heard == 0 ? "that may be so: a mesh is silent most of the time; --listen 60 listens longer"
                  : "");
}

}  // namespace chappe::app
