// Direct delivery: what is known goes no further than the radio. And the driver on a thread of its
// own, which is the same code.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/packet.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/node/known_filter.h"
#include "chappe/node/repeater.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/tx/ledger.h"
#include "tests/sx126x/chip_world.h"

namespace chappe::radio::sx126x {
namespace {

// A flood of a group message: the same payload for each copy, and another path.
radio::FrameBytes copy_of(std::uint32_t message, std::uint8_t copy) {
  std::array<std::uint8_t, 24> payload{};
  payload[0] = static_cast<std::uint8_t>(message);
  payload[1] = static_cast<std::uint8_t>(message >> 8);
  payload[2] = 0x77;
  const std::array<std::uint8_t, 2> path = {copy, static_cast<std::uint8_t>(copy + 100)};
  mesh::Packet packet;
  packet.route = mesh::Route::flood;
  packet.type = mesh::PayloadType::group_text;
  packet.hash_size = 1;
  packet.hop_count = copy == 0 ? 0 : 2;
  packet.path = Bytes(path).first(packet.hop_count);
  packet.payload = payload;
  return radio::FrameBytes(mesh::write(packet).view());
}

// The house's side of a world in which the radio has an executor of its own: while the house
// sleeps, the radio's executor runs, until it kicks.
class HousePort final : public sync::Port {
 public:
  HousePort(port::VirtualPort& radio_port, async::Executor*& radio)
      : port_(radio_port), radio_(radio) {}
  Time now() noexcept override { return port_.now(); }
  void wait(Time deadline) noexcept override {
    const Time until = std::min(deadline, horizon);
    while (!kicked_ && port_.now() < until) {
      port_.run(*radio_, std::min(until, port_.now() + milliseconds(5)));
    }
    kicked_ = false;
  }
  void kick() noexcept override {
    ++kicks;
    kicked_ = true;
  }
  Time horizon{};
  std::uint64_t kicks = 0;

 private:
  port::VirtualPort& port_;
  async::Executor*& radio_;
  bool kicked_ = false;
};

struct TwoExecutors {
  explicit TwoExecutors(node::Known known) {
    settings.mode = node::Mode::monitor;
    settings.known = known;
    air.connect(chip.station(), stranger_at, sim::link_of_snr(5));
    repeater.emplace(house, driver, ledger, random, settings, mesh::Identity{});
    repeater->start();
    driver.start();
    run_for(milliseconds(4100));
  }
  ~TwoExecutors() { repeater.reset(); }
  void run_for(Duration span) {
    port.horizon = radio_port.now() + span;
    while (radio_port.now() < port.horizon) {
      while (house.step()) {
      }
      house.sleep();
    }
    while (house.step()) {
    }
  }

  port::VirtualPort radio_port;
  async::Executor own{radio_port};
  async::Executor* own_address = &own;
  HousePort port{radio_port, own_address};
  async::Executor house{port};
  sim::Air air{own, 2};
  sim::Sx1262Chip chip{own, air};
  Stranger stranger;
  sim::StationId stranger_at = air.join(stranger, Modulation{});
  Driver driver{house, own, chip, Board{}, Modulation{}};
  tx::Ledger ledger{{}};
  SeededRandom random{1};
  node::Settings settings;
  std::optional<node::Repeater> repeater;
};

// 200 messages, each heard five times.
void hear_a_thousand(TwoExecutors& world) {
  for (std::uint32_t message = 0; message < 200; ++message) {
    for (std::uint8_t copy = 0; copy < 5; ++copy) {
      const radio::FrameBytes frame = copy_of(message, copy);
      world.air.radiate(world.stranger_at, frame);
      world.run_for(time_on_air(Modulation{}, frame.size()) + milliseconds(20));
    }
  }
}

TEST(DirectDelivery, OfAThousandFramesOnlyTheTwoHundredNewOnesWakeTheHouse) {
  TwoExecutors world(node::Known::dropped_at_radio);
  const std::uint64_t wakes = world.port.kicks;
  hear_a_thousand(world);
  EXPECT_LE(world.port.kicks - wakes, 200u);

  const DriverCounters counters = world.driver.report().counters;
  EXPECT_EQ(counters.frames, 1000u);
  EXPECT_EQ(counters.known, 800u);
  EXPECT_EQ(counters.crossed, 200u);
  // Nothing is missing from the books.
  const node::Books books = world.repeater->books();
  EXPECT_TRUE(books.balance());
  EXPECT_EQ(books.heard, 1000u);
  EXPECT_EQ(books.dropped_by_judge[static_cast<std::size_t>(mesh::Why::duplicate)], 800u);
  EXPECT_EQ(world.repeater->counters().received, 1000u);
  EXPECT_EQ(world.repeater->counters().duplicates.flood, 800u);
}

TEST(DirectDelivery, TheBooksAreThoseOfANodeThatJudgesEveryCopy) {
  TwoExecutors direct(node::Known::dropped_at_radio);
  TwoExecutors judged(node::Known::judged);
  hear_a_thousand(direct);
  hear_a_thousand(judged);
  EXPECT_GE(judged.port.kicks, 1000u);
  const node::Books one = direct.repeater->books();
  const node::Books other = judged.repeater->books();
  EXPECT_EQ(one.heard, other.heard);
  EXPECT_EQ(one.dropped_by_judge, other.dropped_by_judge);
  EXPECT_EQ(direct.repeater->counters().receive_airtime_ms,
            judged.repeater->counters().receive_airtime_ms);
}

TEST(KnownFilter, LetsPassWhatIsNewForgottenOrJudgedByOtherRules) {
  mesh::SeenTable seen(4);
  node::KnownFilter filter(mesh::PublicKey{});
  seen.mirror_to(&filter);
  const auto key_of = [](std::uint32_t message) {
    const radio::FrameBytes bytes = copy_of(message, 0);
    return mesh::packet_hash(*mesh::parse(bytes));
  };
  const auto is_new = [&](const radio::FrameBytes& bytes) {
    radio::Frame frame;
    frame.bytes = bytes;
    return filter.is_new(frame);
  };
  EXPECT_TRUE(is_new(copy_of(1, 0)));
  EXPECT_TRUE(is_new(copy_of(1, 1))) << "looking is not remembering";
  seen.insert(key_of(1));
  EXPECT_FALSE(is_new(copy_of(1, 2)));
  seen.forget(key_of(1));
  EXPECT_TRUE(is_new(copy_of(1, 3)));

  // The table forgets its oldest, and so does the copy of it.
  for (std::uint32_t message = 1; message <= 5; ++message) seen.insert(key_of(message));
  EXPECT_TRUE(is_new(copy_of(1, 1)));
  EXPECT_FALSE(is_new(copy_of(5, 1)));
  EXPECT_EQ(filter.dropped().frames, 2u);

  // Direct packets are judged by whom they are for before anybody looks whether they are known.
  radio::FrameBytes direct = copy_of(5, 1);
  direct[0] = static_cast<std::uint8_t>((direct[0] & ~3) | 2);
  EXPECT_TRUE(is_new(direct));
  EXPECT_TRUE(is_new(radio::FrameBytes(Bytes(copy_of(5, 1)).first(2)))) << "no packet at all";
}

// --- Threads -------------------------------------------------------------------------------------

// A clock that runs as fast as it is looked at.
class RacingPort final : public sync::Port {
 public:
  Time now() noexcept override { return at_us(now_.load(sync::Order::relaxed)); }
  void wait(Time deadline) noexcept override {
    const Time next = std::min(deadline, now() + milliseconds(1));
    now_.store(in_us(std::max(next, now())), sync::Order::relaxed);
    std::this_thread::yield();
  }
  void kick() noexcept override {}

 private:
  sync::Word<std::int64_t> now_{0};
};

struct House {
  async::Task<> run(async::Executor& executor, Driver& driver, int count) {
    for (int i = 0; i < count; ++i) {
      flow::Credit credit = co_await driver.credits().take(0);
      const Right right = co_await driver.right().take();
      const Channel channel = co_await driver.listen(right);
      channels += channel == Channel::clear ? 1 : 0;
      const auto outcome = co_await driver.transmit(right, frame, std::move(credit));
      sent += outcome ? 1 : 0;
      // Long on the other side, whose clock races.
      co_await async::sleep_for(executor, milliseconds(3));
      Frame heard;
      while (driver.take(heard)) ++received;
      const DriverReport report = driver.report();
      reports += report.time.balances(report.at) ? 1 : 0;
    }
    executor.stop();
  }
  std::array<std::uint8_t, 20> frame{0x42};
  int channels = 0;
  int sent = 0;
  int received = 0;
  int reports = 0;
  async::TaskSlot<8192> slot;
};

struct Chatter {
  async::Task<> run(async::Executor& executor, sim::Air& air, sim::StationId station) {
    for (std::uint32_t i = 0;; ++i) {
      co_await async::sleep_for(executor, seconds(1));
      if (!air.is_radiating(station)) air.radiate(station, copy_of(i, 0));
    }
  }
  async::TaskSlot<2048> slot;
};

TEST(Sx126xDriver, RunsOnAThreadOfItsOwnByTheSameCode) {
  RacingPort own_port;
  async::Executor own(own_port);
  port::LinuxPort house_port;
  async::Executor house(house_port);
  sim::Air air(own, 2);
  sim::Sx1262Chip chip(own, air);
  Stranger stranger;
  const sim::StationId stranger_at = air.join(stranger, Modulation{});
  air.connect(chip.station(), stranger_at, sim::link_of_snr(5));
  Driver driver(house, own, chip, Board{}, Modulation{});
  driver.start();
  Chatter chatter;
  own.spawn(chatter.slot, "chatter", &Chatter::run, &chatter, own, air, stranger_at);
  House user;
  constexpr int kFrames = 100;
  house.spawn(user.slot, "user", &House::run, &user, house, driver, kFrames);

  sync::Word<std::uint32_t> stop{0};
  std::thread radio([&] {
    while (stop.load(sync::Order::acquire) == 0) {
      while (own.step()) {
      }
      own.sleep();
    }
  });
  house.run();
  stop.store(1, sync::Order::release);
  radio.join();
  EXPECT_EQ(user.sent, kFrames);
  EXPECT_EQ(user.reports, kFrames);
  EXPECT_GT(user.received, 5);
  EXPECT_EQ(driver.credits().read().total, 0u);
}

}  // namespace
}  // namespace chappe::radio::sx126x
