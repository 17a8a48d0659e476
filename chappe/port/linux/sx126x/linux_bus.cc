#include "chappe/port/linux/sx126x/linux_bus.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "chappe/async/sleep.h"

namespace chappe::port {
namespace {

using radio::sx126x::AntennaSwitch;
using radio::sx126x::BusStatus;
using radio::sx126x::Dio1Listener;

// BUSY rises at most 600 ns after a transaction (SX1261/2 datasheet 1.2, 8.3.1).
constexpr Duration kBusyRises = microseconds(2);
// Most commands take less; beyond it a sleep costs less than asking.
constexpr Duration kAsksFor = microseconds(150);
constexpr Duration kAsksAgain = microseconds(200);

Duration monotonic() {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return microseconds(std::int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1000);
}

Result<GpioLine, std::string> open_line(const char* wire,
                                        const GpioPlace& place,
                                        GpioLine::Use use) {
  auto line = GpioLine::open(place, use);
  if (!line) return Unexpected(std::string(wire) + ": " + line.error());
  return line;
}

Result<std::optional<GpioLine>, std::string> open_if_wired(const char* wire,
                                                           const std::optional<GpioPlace>& place,
                                                           GpioLine::Use use) {
  if (!place) return std::optional<GpioLine>();
  auto line = open_line(wire, *place, use);
  if (!line) return Unexpected(line.error());
  return std::optional<GpioLine>(*std::move(line));
}

}  // namespace

Result<std::unique_ptr<LinuxBus>, std::string> LinuxBus::open(LinuxPort& port,
                                                              async::Executor& executor,
                                                              const Sx126xWiring& wiring) {
  using Use = GpioLine::Use;
  auto spi = SpiDevice::open(wiring.spi, wiring.spi_hz);
  if (!spi) return Unexpected(spi.error());
  std::vector<GpioLine> power;
  for (const GpioPlace& place : wiring.power) {
    auto line = open_line("power (enable)", place, Use::output_high);
    if (!line) return Unexpected(line.error());
    power.push_back(*std::move(line));
  }
  // Low from the start: in reset it cannot send, whatever a program before us left it doing.
  auto reset = open_line("reset", wiring.reset, Use::output_low);
  if (!reset) return Unexpected(reset.error());
  auto busy = open_line("busy", wiring.busy, Use::input);
  if (!busy) return Unexpected(busy.error());
  auto dio1 = open_line("irq (DIO1)", wiring.dio1, Use::rising_edges);
  if (!dio1) return Unexpected(dio1.error());
  auto select = open_if_wired("cs", wiring.select, Use::output_high);
  if (!select) return Unexpected(select.error());
  auto transmit = open_if_wired("txen", wiring.transmit, Use::output_low);
  if (!transmit) return Unexpected(transmit.error());
  auto receive = open_if_wired("rxen", wiring.receive, Use::output_low);
  if (!receive) return Unexpected(receive.error());
  return std::unique_ptr<LinuxBus>(new LinuxBus(port,
                                                executor,
                                                {*std::move(spi),
                                                 *std::move(reset),
                                                 *std::move(busy),
                                                 *std::move(dio1),
                                                 *std::move(select),
                                                 *std::move(transmit),
                                                 *std::move(receive),
                                                 std::move(power)}));
}

LinuxBus::LinuxBus(LinuxPort& port, async::Executor& executor, Lines lines)
    : executor_(executor),
      lines_(std::move(lines)),
      edges_(port, executor.wakes(), lines_.dio1.fd()) {}

LinuxBus::~LinuxBus() {
  teller_.cancel();
  set_antenna(AntennaSwitch::off);
  set_reset(true);
}

async::Task<BusStatus> LinuxBus::transfer(std::span<std::uint8_t> bytes) {
  if (lines_.select) lines_.select->set(false);
  const bool done = lines_.spi.transfer(bytes);
  if (lines_.select) lines_.select->set(true);
  transferred_ = executor_.now();
  co_return done ? BusStatus::ok : BusStatus::failed;
}

async::Task<bool> LinuxBus::wait_ready(Time deadline) {
  while (executor_.now() < transferred_ + kBusyRises) {
  }
  const Time asks_until = std::min(deadline, executor_.now() + kAsksFor);
  for (;;) {
    if (!busy()) co_return true;
    const Time now = executor_.now();
    if (now >= deadline) co_return false;
    if (now >= asks_until) {
      const Time again = std::min(deadline, now + kAsksAgain);
      co_await async::sleep_until(executor_, again);
    }
  }
}

void LinuxBus::set_antenna(AntennaSwitch position) noexcept {
  // One is off before the other is on.
  if (position != AntennaSwitch::transmit && lines_.transmit) lines_.transmit->set(false);
  if (position != AntennaSwitch::receive && lines_.receive) lines_.receive->set(false);
  if (position == AntennaSwitch::transmit && lines_.transmit) lines_.transmit->set(true);
  if (position == AntennaSwitch::receive && lines_.receive) lines_.receive->set(true);
}

bool LinuxBus::set_power(bool on) noexcept {
  for (const GpioLine& line : lines_.power) line.set(on);
  return !lines_.power.empty();
}

void LinuxBus::listen(Dio1Listener* listener) noexcept {
  teller_.cancel();
  listener_ = listener;
  if (listener != nullptr) executor_.spawn(teller_, "dio1", &LinuxBus::tell_edges, this);
}

async::Task<> LinuxBus::tell_edges() {
  for (;;) {
    GpioLine::Edge edge;
    bool any = false;
    while (lines_.dio1.take_edge(edge)) any = true;
    if (any) {
      // The kernel's stamps and ours are of two clocks that differ by the time spent in suspend.
      const Duration ago =
          monotonic() - microseconds(static_cast<std::int64_t>(edge.monotonic_ns / 1000));
      listener_->on_dio1(executor_.now() - std::max(ago, Duration::zero()));
    }
    co_await edges_.reading().wait(Descriptor::kReadable | Descriptor::kHangUp);
  }
}

}  // namespace chappe::port
