// From "heard" to "handed to the radio": the whole node on the virtual port with a radio that does
// nothing. What is measured is our own work: receiver, codec, hash, seen table, judging, delay,
// line, Right, gate, hand-over, result, books.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/base/random.h"
#include "chappe/node/repeater.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/tx/ledger.h"

namespace {
std::uint64_t allocations = 0;
}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace chappe {
namespace {

/// Hears one frame over and over, sends at once.
class NullRadio final : public radio::Radio {
 public:
  explicit NullRadio(async::Executor& executor)
      : credits_(executor.wakes(), one()), heard_(executor.wakes()) {}
  const radio::Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  async::Task<radio::Channel> listen(const radio::Right&) override {
    co_return radio::Channel::clear;
  }
  async::Task<Result<radio::Transmitted, radio::TransmitFailure>> transmit(const radio::Right&,
                                                                           Bytes frame,
                                                                           flow::Credit) override {
    ++sent;
    benchmark::DoNotOptimize(frame.data());
    co_return radio::Transmitted{Time{}, microseconds(1)};
  }
  bool take(radio::Frame& frame) override {
    if (!full_) return false;
    full_ = false;
    frame = next;
    return true;
  }
  void hear() {
    full_ = true;
    heard_.set();
  }

  radio::Frame next;
  std::uint64_t sent = 0;

 private:
  static flow::Credits::Limits one() {
    flow::Credits::Limits limits;
    limits.total = 1;
    limits.lane_max = {1, 0, 0, 0};
    return limits;
  }
  radio::Modulation modulation_;
  flow::Credits credits_;
  sync::Signal heard_;
  bool full_ = false;
};

struct World {
  World() : radio(executor), ledger(rules), random(0) {
    node::Settings settings;
    settings.rules.flood_delay_factor = 0;  // the delay is not our work
    mesh::Identity own;
    own.pub[0] = 0x42;
    repeater = std::make_unique<node::Repeater>(executor, radio, ledger, random, settings, own);
    repeater->start();
    settle();
  }
  ~World() { repeater->stop(); }
  void settle() {
    while (executor.step()) {
    }
  }

  port::VirtualPort port;
  async::Executor executor{port};
  NullRadio radio;
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger;
  ConstantRandom random;
  std::unique_ptr<node::Repeater> repeater;
};

radio::Frame flood_of(std::size_t bytes) {
  radio::Frame frame;
  frame.bytes.append(0x15);  // flood, group text
  frame.bytes.append(0x01);
  frame.bytes.append(0x99);
  while (frame.bytes.size() < bytes)
    frame.bytes.append(static_cast<std::uint8_t>(frame.bytes.size()));
  frame.snr = Decibels{20};
  return frame;
}

void BM_FloodHeardToHandedToTheRadio(benchmark::State& state) {
  World world;
  world.radio.next = flood_of(static_cast<std::size_t>(state.range(0)));
  const std::uint64_t allocations_before = allocations;
  std::uint64_t serial = 0;
  for (auto _ : state) {
    ++serial;
    for (std::size_t i = 0; i < 8; ++i) {
      world.radio.next.bytes[10 + i] = static_cast<std::uint8_t>(serial >> (8 * i));
    }
    world.radio.hear();
    world.settle();
  }
  if (world.radio.sent != serial) state.SkipWithError("not every flood was sent");
  state.counters["allocations"] = static_cast<double>(allocations - allocations_before);
}
BENCHMARK(BM_FloodHeardToHandedToTheRadio)->Arg(60)->Arg(150);

void BM_Duplicate(benchmark::State& state) {
  World world;
  world.radio.next = flood_of(60);
  world.radio.hear();
  world.settle();
  for (auto _ : state) {
    world.radio.hear();
    world.settle();
  }
  if (world.radio.sent != 1) state.SkipWithError("a duplicate was sent");
}
BENCHMARK(BM_Duplicate);

}  // namespace
}  // namespace chappe
