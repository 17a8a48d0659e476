// The driver over the real spidev and GPIO code, on a model of the chip behind the kernel.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "chappe/async/sleep.h"
#include "chappe/port/linux/executor_thread.h"
#include "chappe/port/linux/sx126x/linux_bus.h"
#include "chappe/radio/sx126x/driver.h"
#include "tests/linux_radio/chip_host.h"

namespace chappe::test {
namespace {

using radio::sx126x::Driver;
using radio::sx126x::DriverReport;

class LinuxRadio : public testing::Test {
 protected:
  LinuxRadio() {
    char path[] = "/tmp/chappe-linux-radio-XXXXXX";
    home_ = ::mkdtemp(path);
  }
  ~LinuxRadio() override { std::filesystem::remove_all(home_); }
  void SetUp() override {
    if (!host_.missing().empty()) GTEST_SKIP() << host_.missing();
  }

  port::Sx126xWiring wiring() const {
    port::Sx126xWiring wires;
    wires.spi = host_.spi();
    wires.reset = {"/dev/gpiochip0", ChipHost::kReset};
    wires.busy = {"/dev/gpiochip0", ChipHost::kBusy};
    wires.dio1 = {"/dev/gpiochip0", ChipHost::kDio1};
    return wires;
  }

  // The program `chappe`, its output in output().
  int chappe(const std::string& words) {
    const std::string line =
        "HOME=" + home_ + " exec " CHAPPE_PROGRAM " " + words + " >" + home_ + "/output 2>&1";
    return host_.run([&line] {
      ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      return 126;
    });
  }
  std::string output() const {
    std::ifstream file(home_ + "/output");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string board(const std::string& more = "") const {
    const std::string path = home_ + "/chappe.toml";
    std::ofstream(path) << "[radio]\nkind = \"sx126x\"\n[board]\nspi = \"" << host_.spi()
                        << "\"\nreset = \"18\"\nbusy = \"20\"\nirq = \"16\"\n"
                        << more;
    return path;
  }

  std::string home_;
  ChipHost host_;
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

// A minute of silence would be ten times as good, and takes ten times as long.
constexpr Duration kIdle = seconds(6);

int idle_guest(const port::Sx126xWiring& wiring) {
  port::LinuxPort house_port;
  async::Executor house(house_port);
  port::ExecutorThread thread;
  auto bus = port::LinuxBus::open(thread.port(), thread.executor(), wiring);
  if (!bus) {
    std::cerr << bus.error() << '\n';
    return 10;
  }
  Driver driver(house, thread.executor(), **bus, {}, {});
  driver.start();
  thread.start(Duration::zero(), port::Watchdog::Action::report);
  const auto run_for = [&](Duration span) {
    const Time until = house.now() + span;
    while (house.now() < until) {
      if (!house.step()) house_port.wait(until), house_port.dispatch();
    }
  };
  run_for(seconds(2));
  const std::uint64_t before = thread.port().wait_count();
  const std::uint64_t served = driver.report().counters.wakes;
  run_for(kIdle);
  const std::uint64_t waits = thread.port().wait_count() - before;
  const DriverReport report = driver.report();
  thread.stop();
  driver.make_safe();
  std::cerr << waits << " wake-ups in " << kIdle / seconds(1) << " s idle, "
            << report.counters.wakes - served << " of them the driver's\n";
  if (!report.listening || report.counters.bus_failures != 0) return 11;
  // Two a second, and one for where the count begins.
  return waits <= 2 * static_cast<std::uint64_t>(kIdle / seconds(1)) + 1 ? 0 : 12;
}

TEST_F(LinuxRadio, ListensAndWakesAtMostTwiceASecond) {
  const port::Sx126xWiring wires = wiring();
  EXPECT_EQ(host_.run([&wires] { return idle_guest(wires); }), 0);
  EXPECT_TRUE(host_.chip().complaints().empty()) << host_.chip().complaints().front();
  EXPECT_GT(host_.spi_transfers(), 0u);
  EXPECT_GT(host_.gpio_requests(), 0u);
}

TEST_F(LinuxRadio, IsFoundWellByTheDoctor) {
  EXPECT_EQ(chappe("doctor --config " + board() + " --listen 1"), 0) << output();
  EXPECT_HAS(output(), "it is well");
  EXPECT_HAS(output(), "DIO1");
  EXPECT_EQ(host_.air().airtime(host_.chip().station()), Duration::zero());
}

TEST_F(LinuxRadio, SendsTheDoctorsTestFrameWhenAsked) {
  EXPECT_EQ(chappe("doctor --config " + board() + " --listen 1 --transmit"), 0) << output();
  EXPECT_HAS(output(), "a test frame was sent");
  EXPECT_GT(host_.air().airtime(host_.chip().station()), Duration::zero());
}

TEST_F(LinuxRadio, SaysWhatIsWrongInWordsToActOn) {
  EXPECT_EQ(chappe("doctor --config " + board("enable = \"7\"\n")), 1);
  EXPECT_HAS(output(), "line 7 of /dev/gpiochip0 is in use by \"somebody\"");
  EXPECT_EQ(chappe("doctor --config " + board("cs = \"3:1\"\n")), 1);
  EXPECT_HAS(output(), "/dev/gpiochip3 is not there");
  EXPECT_EQ(chappe("doctor --config " + board("cs = \"40\"\n")), 1);
  EXPECT_HAS(output(), "does not exist or cannot do this");
  EXPECT_EQ(chappe("doctor --board waveshare"), 1);
  EXPECT_HAS(output(), "raspi-config nonint do_spi");
  host_.chip().strike({.fault = sim::ChipFault::silent, .lasts = seconds(20)});
  EXPECT_EQ(chappe("doctor --config " + board()), 1);
  EXPECT_HAS(output(), "nobody answers");
}

TEST_F(LinuxRadio, RunsTheRepeater) {
  EXPECT_EQ(chappe("run --config " + board() + " --for 4"), 0) << output();
  EXPECT_HAS(output(), "balances");
  EXPECT_HAS(output(), "listening 9");
  EXPECT_FALSE(host_.chip().is_keyed());
}

}  // namespace
}  // namespace chappe::test
