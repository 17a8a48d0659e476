#include <benchmark/benchmark.h>

#include <array>

#include "chappe/mesh/judge.h"

namespace chappe::mesh {
namespace {

// A flood of 60 bytes over one hop, whose payload is another each time.
std::array<std::uint8_t, 60> flood(std::uint32_t number) {
  std::array<std::uint8_t, 60> frame{};
  frame[0] = 0x15;
  frame[1] = 0x01;
  frame[2] = 0xaa;
  for (std::size_t i = 0; i < 4; ++i) {
    frame[3 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return frame;
}

struct Bench {
  Rules rules;
  RegionTable regions;
  SeenTable seen;
  SeededRandom random{1};
  class : public LocalDelivery {
  } local;

  Bench() { rules.estimates_ms.fill(300); }

  Judgement hear(Bytes frame) {
    const auto packet = parse(frame);
    return judge(*packet,
                 {Decibels{20}, Dbm{-400}, frame.size(), Time{}},
                 {rules, regions, seen, random, local});
  }
};

void NewFloodFromBytesToFrame(benchmark::State& state) {
  Bench bench;
  std::uint32_t number = 0;
  for (auto _ : state) {
    const auto frame = flood(number++);
    benchmark::DoNotOptimize(bench.hear(frame));
  }
}
BENCHMARK(NewFloodFromBytesToFrame);

void DuplicateFromBytesToVerdict(benchmark::State& state) {
  Bench bench;
  for (std::uint32_t number = 0; number < 1000; ++number) bench.hear(flood(number));
  std::uint32_t number = 0;
  for (auto _ : state) {
    const auto frame = flood(number++ % 1000);
    benchmark::DoNotOptimize(bench.hear(frame));
  }
}
BENCHMARK(DuplicateFromBytesToVerdict);

void PacketHashOf60Bytes(benchmark::State& state) {
  const auto frame = flood(1);
  const Packet packet = *parse(frame);
  for (auto _ : state) benchmark::DoNotOptimize(packet_hash(packet));
}
BENCHMARK(PacketHashOf60Bytes);

}  // namespace
}  // namespace chappe::mesh
