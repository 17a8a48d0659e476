// What admission costs when the hour is full, and how cost grows with the frames offered.
#include <benchmark/benchmark.h>

#include <memory>

#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/transmitter.h"

namespace chappe::tx {
namespace {

constexpr Rule kHour{hours(1), seconds(360)};
constexpr Duration kShortest = milliseconds(68);  // SF 7, 62.5 kHz

// An hour of the shortest frames: 5,294 entries.
std::unique_ptr<Ledger> full_hour(Time& now) {
  auto ledger = std::make_unique<Ledger>(std::span<const Rule>(&kHour, 1));
  for (int i = 0; i < 3 * 5'294; ++i) {
    now = ledger->earliest(kShortest, now);
    ledger->reserve(kShortest, now)->commit(now, kShortest);
    now += kShortest;
  }
  return ledger;
}

void BM_AdmissionWithAFullHour(benchmark::State& state) {
  Time now{};
  const auto ledger = full_hour(now);
  for (auto _ : state) {
    now = ledger->earliest(kShortest, now);
    auto reservation = ledger->reserve(kShortest, now);
    reservation->commit(now, kShortest);
    now += kShortest;
  }
  state.counters["entries"] = static_cast<double>(ledger->entry_count());
}
BENCHMARK(BM_AdmissionWithAFullHour);

void BM_EarliestStartWithAFullHour(benchmark::State& state) {
  Time now{};
  const auto ledger = full_hour(now);
  for (auto _ : state) benchmark::DoNotOptimize(ledger->earliest(seconds(2), now));
}
BENCHMARK(BM_EarliestStartWithAFullHour);

// Submitted, delayed, in line, listened for, reserved, sent, settled, told; per frame.
void BM_TransmitPath(benchmark::State& state) {
  const auto frames = static_cast<int>(state.range(0));
  for (auto _ : state) {
    port::VirtualPort port;
    async::Executor executor(port);
    SeededRandom random(1);
    sim::ScriptedRadio radio(executor);
    const auto ledger = std::make_unique<Ledger>(std::span<const Rule>{});
    auto transmitter = std::make_unique<Transmitter>(executor, radio, *ledger, random, Policy{});
    transmitter->start();
    constexpr std::array<std::uint8_t, 30> kFrame{};
    for (int i = 0; i < frames; ++i) {
      Submission submission;
      submission.frame = kFrame;
      submission.after = milliseconds(100);
      submission.neighbour = static_cast<Neighbour>(i % 9);
      transmitter->submit(submission);
      if (i % 60 == 59) port.run(executor, executor.now() + minutes(1));
    }
    port.run(executor, executor.now() + minutes(1));
  }
  state.SetItemsProcessed(state.iterations() * frames);
}
BENCHMARK(BM_TransmitPath)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace chappe::tx
