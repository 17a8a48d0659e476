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
#include "chappe/async/wait_list.h"
#include "chappe/base/random.h"
#include "chappe/client/json_connection.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/identity.h"
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

// Makes a frame a new one: its number, written into the payload.
void stamp(radio::Frame& frame, std::size_t at, std::uint64_t serial) {
  for (std::size_t i = 0; i < 8; ++i) {
    frame.bytes[at + i] = static_cast<std::uint8_t>(serial >> (8 * i));
  }
}

void BM_FloodHeardToHandedToTheRadio(benchmark::State& state) {
  World world;
  world.radio.next = flood_of(static_cast<std::size_t>(state.range(0)));
  const std::uint64_t allocations_before = allocations;
  std::uint64_t serial = 0;
  for (auto _ : state) {
    ++serial;
    stamp(world.radio.next, 10, serial);
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

// A fresh advert each time, signature checked, appended to and repeated. Made beforehand: more of
// them than the seen table remembers.
void BM_AdvertWithSignatureCheck(benchmark::State& state) {
  World world;
  mesh::Seed seed{};
  seed[0] = 7;
  const mesh::Identity sender = mesh::identity_of(seed);
  mesh::Appdata about;
  about.type = mesh::NodeType::repeater;
  about.name = "a neighbour on a hill";
  const auto appdata = mesh::build_appdata(about);
  std::vector<radio::Frame> adverts(2 * mesh::kSeenMax);
  for (std::size_t i = 0; i < adverts.size(); ++i) {
    const auto payload = mesh::build_advert(
        sender.prv, sender.pub, static_cast<std::uint32_t>(1'800'000'000 + i), appdata);
    mesh::Packet packet;
    packet.type = mesh::PayloadType::advert;
    packet.payload = payload;
    adverts[i].bytes = radio::FrameBytes(mesh::write(packet));
    adverts[i].snr = Decibels{20};
  }
  std::size_t at = 0;
  for (auto _ : state) {
    world.radio.next = adverts[at++ % adverts.size()];
    world.radio.hear();
    world.settle();
  }
  if (world.radio.sent != at) state.SkipWithError("not every advert was sent");
}
BENCHMARK(BM_AdvertWithSignatureCheck);

// Direct, next hop is us: hash popped, repeated at top priority.
void BM_TextToTheNextHop(benchmark::State& state) {
  World world;
  radio::Frame frame;
  const std::array<std::uint8_t, 6> head = {0x0a, 0x02, 0x42, 0x77, 0xaa, 0xbb};
  frame.bytes.append(head);
  while (frame.bytes.size() < 60) {
    frame.bytes.append(static_cast<std::uint8_t>(frame.bytes.size()));
  }
  world.radio.next = frame;
  std::uint64_t serial = 0;
  for (auto _ : state) {
    ++serial;
    stamp(world.radio.next, 10, serial);
    world.radio.hear();
    world.settle();
  }
  if (world.radio.sent != serial) state.SkipWithError("not every text was sent");
}
BENCHMARK(BM_TextToTheNextHop);

// A trace that names us next: SNR appended, repeated.
void BM_Trace(benchmark::State& state) {
  World world;
  const std::array<std::uint8_t, 15> trace = {
      0x26, 0x01, 0x30, 1, 2, 3, 4, 5, 6, 7, 8, 0x00, 0x99, 0x42, 0x77};
  world.radio.next.bytes = radio::FrameBytes(trace);
  std::uint64_t serial = 0;
  for (auto _ : state) {
    ++serial;
    stamp(world.radio.next, 3, serial);
    world.radio.hear();
    world.settle();
  }
  if (world.radio.sent != serial) state.SkipWithError("not every trace was sent");
}
BENCHMARK(BM_Trace);

/// A client of the socket: one that has subscribed to everything and reads nothing, or one that
/// asks without end.
class CrowdStream final : public async::Stream {
 public:
  enum class Kind { stalled, flooding };
  explicit CrowdStream(Kind kind) : kind_(kind) {}
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    constexpr std::string_view kSubscribe = "{\"do\":\"subscribe\"}\n";
    constexpr std::string_view kStatus = "{\"do\":\"status\"}\n";
    if (kind_ == Kind::stalled && std::exchange(said_, true)) co_await never_.wait("nothing");
    const std::string_view words = kind_ == Kind::stalled ? kSubscribe : kStatus;
    std::copy(words.begin(), words.end(), out.begin());
    co_return words.size();
  }
  async::Task<Result<void, async::StreamError>> write(Bytes) override {
    if (kind_ == Kind::stalled) co_await never_.wait("nobody reads");
    co_return Result<void, async::StreamError>();
  }

 private:
  const Kind kind_;
  bool said_ = false;
  async::WaitList never_;
};

// The flood of above with a hundred clients that stall and a hundred that ask as fast as they may:
// what a frame costs, while they wait for their turn.
void BM_FloodInACrowd(benchmark::State& state) {
  World world;
  client::Service service(world.executor, *world.repeater);
  client::JsonServer server(service);
  server.start();
  for (int i = 0; i < 100; ++i) {
    server.adopt(std::make_unique<CrowdStream>(CrowdStream::Kind::stalled));
    server.adopt(std::make_unique<CrowdStream>(CrowdStream::Kind::flooding));
  }
  world.settle();
  world.radio.next = flood_of(static_cast<std::size_t>(state.range(0)));
  std::uint64_t serial = 0;
  for (auto _ : state) {
    ++serial;
    stamp(world.radio.next, 10, serial);
    world.radio.hear();
    world.settle();
  }
  if (world.radio.sent != serial) state.SkipWithError("not every flood was sent");
  server.stop();
}
BENCHMARK(BM_FloodInACrowd)->Arg(60);

// For tools/count_instructions: each path with two fixed numbers of turns, whose difference in
// instructions is exactly what the turns in between cost.
const bool counted = [] {
  if (std::getenv("CHAPPE_COUNT") == nullptr) return false;
  const auto twice = [](const char* name, void (*path)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, path)->Arg(60)->Iterations(200);
    benchmark::RegisterBenchmark(name, path)->Arg(60)->Iterations(400);
  };
  twice("count/flood", BM_FloodHeardToHandedToTheRadio);
  twice("count/flood_crowd", BM_FloodInACrowd);
  twice("count/duplicate", BM_Duplicate);
  twice("count/advert", BM_AdvertWithSignatureCheck);
  twice("count/text", BM_TextToTheNextHop);
  twice("count/trace", BM_Trace);
  return true;
}();

}  // namespace
}  // namespace chappe
