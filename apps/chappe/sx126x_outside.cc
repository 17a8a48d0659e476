#include "apps/chappe/sx126x_outside.h"

#include <array>
#include <ctime>
#include <ostream>
#include <utility>

#include "apps/chappe/wiring.h"
#include "chappe/base/check.h"
#include "chappe/config/boards.h"
#include "chappe/port/linux/executor_thread.h"
#include "chappe/radio/sx126x/driver.h"
#include "chappe/sim/air.h"
#include "chappe/sim/neighbours.h"
#include "chappe/sim/sx1262_chip.h"

namespace chappe::app {
namespace {

using radio::sx126x::Activity;
using radio::sx126x::Driver;
using radio::sx126x::DriverReport;

std::string percent(Duration part, Duration whole) {
  if (whole <= Duration::zero()) return "0.0 %";
  const std::int64_t tenths = (part.count() * 1000 + whole.count() / 2) / whole.count();
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

// Where the time went; the parts are all of it.
void print_time(std::ostream& out, const DriverReport& report) {
  const radio::sx126x::TimeBook& book = report.time;
  const Duration whole = book.elapsed(report.at);
  out << "radio\n  listening " << percent(book.spent(Activity::listening, report.at), whole)
      << ", transmitting " << percent(book.spent(Activity::transmitting, report.at), whole)
      << ", deaf " << percent(book.deaf(report.at), whole);
  const char* separator = " (";
  for (std::size_t i = 0; i < radio::sx126x::kActivityCount; ++i) {
    const auto activity = static_cast<Activity>(i);
    if (activity == Activity::listening || activity == Activity::transmitting) continue;
    if (book.spent(activity, report.at) == Duration::zero()) continue;
    out << separator << to_string(activity) << " "
        << percent(book.spent(activity, report.at), whole);
    separator = ", ";
  }
  out << (separator[0] == ',' ? ")\n" : "\n");
}

class Sx126xOutside final : public Outside {
 public:
  Sx126xOutside(const config::Configuration& configuration,
                std::unique_ptr<port::ExecutorThread> thread,
                std::unique_ptr<port::LinuxBus> bus,
                async::Executor& house)
      : configuration_(configuration),
        thread_(std::move(thread)),
        bus_(std::move(bus)),
        driver_(house,
                thread_->executor(),
                *bus_,
                sx126x_board_of(configuration),
                modulation_of(configuration)) {}

  radio::Radio& radio() override { return driver_; }
  void start() override {
    driver_.start();
    const config::Watchdog& watchdog = configuration_.watchdog;
    thread_->start(watchdog.limit,
                   watchdog.on_hang == config::OnHang::panic ? port::Watchdog::Action::panic
                                                             : port::Watchdog::Action::report);
  }
  void stop() override {
    thread_->stop();
    driver_.make_safe();
  }
  void describe(std::ostream& out) const override {
    const config::Board& board = configuration_.board;
    out << "  radio    an SX1262 at " << sx126x_wiring_of(configuration_).spi;
    if (!board.name.empty()) out << ", wired as " << board.name;
    out << "; 'chappe doctor' looks whether it is well\n";
  }
  void conclude(std::ostream& out) const override { print_time(out, driver_.report()); }

 private:
  const config::Configuration& configuration_;
  const std::unique_ptr<port::ExecutorThread> thread_;
  const std::unique_ptr<port::LinuxBus> bus_;
  Driver driver_;
};

class ChipOutside final : public Outside {
 public:
  ChipOutside(const config::Configuration& configuration,
              const mesh::PublicKey& own,
              async::Executor& executor,
              std::uint64_t seed)
      : air_(executor, sim::Neighbourhood::kNeighbours + 1),
        chip_(executor, air_),
        driver_(executor,
                executor,
                chip_,
                sx126x_board_of(configuration),
                modulation_of(configuration)),
        neighbours_(executor,
                    air_,
                    {.seed = seed,
                     .modulation = modulation_of(configuration),
                     .unix_start = static_cast<std::uint32_t>(std::time(nullptr))}) {
    neighbours_.welcome(chip_.station(), own);
  }

  radio::Radio& radio() override { return driver_; }
  void start() override {
    driver_.start();
    neighbours_.start();
  }
  void stop() override {
    neighbours_.stop();
    driver_.make_safe();
  }
  void describe(std::ostream& out) const override {
    out << "  radio    a model of an SX1262 in an invented air with "
        << sim::Neighbourhood::kNeighbours << " neighbours; nothing is transmitted for real\n";
  }
  void conclude(std::ostream& out) const override { print_time(out, driver_.report()); }

 private:
  sim::Air air_;
  sim::Sx1262Chip chip_;
  Driver driver_;
  sim::Neighbourhood neighbours_;
};

radio::sx126x::TcxoVoltage voltage_of(std::int32_t decivolts) {
  // In the order of the enumerators.
  constexpr std::array kDecivolts = {16, 17, 18, 22, 24, 27, 30, 33};
  for (std::size_t i = 0; i < kDecivolts.size(); ++i) {
    if (kDecivolts[i] == decivolts) return static_cast<radio::sx126x::TcxoVoltage>(i);
  }
  panic("a voltage that no oscillator has");
}

}  // namespace

port::Sx126xWiring sx126x_wiring_of(const config::Configuration& configuration) {
  const auto board = config::wired_board(configuration.board);
  CHAPPE_CHECK(board);
  std::string header = board->gpiochip;
  const auto place = [&header](const config::Pin& pin) {
    if (pin.chip) return port::GpioPlace{"/dev/gpiochip" + std::to_string(*pin.chip), pin.line};
    if (header.empty()) header = port::header_gpio_chip();
    return port::GpioPlace{header, pin.line};
  };
  const auto place_if = [&place](const std::optional<config::Pin>& pin) {
    return pin ? std::optional(place(*pin)) : std::nullopt;
  };
  port::Sx126xWiring wiring;
  wiring.spi = board->spi;
  wiring.spi_hz = static_cast<std::uint32_t>(board->spi_hz);
  wiring.reset = place(board->reset);
  wiring.busy = place(board->busy);
  wiring.dio1 = place(board->irq);
  wiring.select = place_if(board->cs);
  wiring.transmit = place_if(board->txen);
  wiring.receive = place_if(board->rxen);
  for (const config::Pin& pin : board->enable) wiring.power.push_back(place(pin));
  return wiring;
}

radio::sx126x::Board sx126x_board_of(const config::Configuration& configuration) {
  radio::sx126x::Board board;
  board.power_dbm = static_cast<std::int8_t>(configuration.radio.tx_power_dbm);
  if (configuration.radio.kind.kind == config::RadioSource::Kind::chip) return board;
  const auto wired = config::wired_board(configuration.board);
  CHAPPE_CHECK(wired);
  if (wired->tcxo_decivolts) board.tcxo = voltage_of(*wired->tcxo_decivolts);
  board.dio2 =
      wired->dio2_switch ? radio::sx126x::Dio2::antenna_switch : radio::sx126x::Dio2::unused;
  return board;
}

Result<std::unique_ptr<Outside>, std::string> sx126x_outside(
    const config::Configuration& configuration, async::Executor& house) {
  auto thread = std::make_unique<port::ExecutorThread>();
  auto bus =
      port::LinuxBus::open(thread->port(), thread->executor(), sx126x_wiring_of(configuration));
  if (!bus) return Unexpected(bus.error());
  return std::unique_ptr<Outside>(
      new Sx126xOutside(configuration, std::move(thread), *std::move(bus), house));
}

std::unique_ptr<Outside> chip_outside(const config::Configuration& configuration,
                                      const mesh::PublicKey& own,
                                      async::Executor& executor,
                                      std::uint64_t seed) {
  return std::make_unique<ChipOutside>(configuration, own, executor, seed);
}

}  // namespace chappe::app
