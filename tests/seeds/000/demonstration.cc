#include "tests/seeds/demonstration.h"

#include <algorithm>
#include <array>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/transmitter.h"

namespace chappe::seeds {
namespace {

constexpr std::array<std::uint8_t, 30> kFrame{};
constexpr int kFrames = 10;
constexpr tx::Rule kRule{minutes(1), seconds(2)};

struct Interval {
  Time from;
  Time to;
};

struct Seen {
  std::size_t overlaps = 0;
  Duration on_air{};
  bool over_limit() const { return on_air > kRule.limit; }
  std::string words(std::size_t sent) const {
    return std::to_string(sent) + " frames sent, " + std::to_string(overlaps) +
           " of them over another one; " + std::to_string(in_ms(on_air)) + " ms on the air of " +
           std::to_string(in_ms(kRule.limit)) + " allowed";
  }
};

Seen look_at(std::vector<Interval> log) {
  std::ranges::sort(log, {}, &Interval::from);
  Seen seen;
  for (std::size_t i = 0; i < log.size(); ++i) {
    seen.on_air += log[i].to - log[i].from;
    if (i > 0 && log[i].from < log[i - 1].to) ++seen.overlaps;
  }
  return seen;
}

// Each frame a task of its own: look at the budget, count the delay down, send, then note it.
struct Naive {
  async::Executor& executor;
  Duration spent{};
  std::vector<Interval> log{};

  static async::Task<> send(Naive& self, Duration delay, Duration airtime) {
    if (self.spent + airtime > kRule.limit) co_return;
    co_await async::sleep_for(self.executor, delay);
    const Time from = self.executor.now();
    self.log.push_back({from, from + airtime});
    co_await async::sleep_for(self.executor, airtime);
    self.spent += airtime;
  }
};

}  // namespace

Demonstration demonstrate_000() {
  Demonstration shown{"000", "frames collide, and the duty cycle is exceeded in a burst"};
  const Duration airtime = radio::time_on_air({}, kFrame.size());
  {
    port::VirtualPort port;
    async::Executor executor(port);
    Naive naive{executor};
    std::array<async::TaskSlot<512>, kFrames> slots;
    for (std::size_t i = 0; i < kFrames; ++i) {
      executor.spawn(slots[i], "send", &Naive::send, naive, milliseconds(100 + 7 * i), airtime);
    }
    port.run(executor);
    const Seen seen = look_at(naive.log);
    shown.naive = seen.words(naive.log.size());
    shown.naive_has_the_bug = seen.overlaps > 0 && seen.over_limit();
  }
  {
    port::VirtualPort port;
    async::Executor executor(port);
    sim::ScriptedRadio radio(executor);
    SeededRandom random(1);
    tx::Ledger ledger(std::span<const tx::Rule>(&kRule, 1));
    tx::Policy policy;
    policy.over_budget = tx::OverBudget::drop;
    tx::Transmitter transmitter(executor, radio, ledger, random, policy);
    transmitter.start();
    for (int i = 0; i < kFrames; ++i) {
      tx::Submission submission;
      submission.frame = kFrame;
      submission.after = milliseconds(100 + 7 * i);
      transmitter.submit(submission);
    }
    port.run(executor);
    std::vector<Interval> log;
    for (const auto& keyed : radio.log) log.push_back({keyed.from, keyed.to});
    const Seen seen = look_at(log);
    shown.chappe = seen.words(log.size());
    shown.chappe_is_clean = !log.empty() && seen.overlaps == 0 && !seen.over_limit() &&
                            transmitter.statistics().balances();
  }
  return shown;
}

}  // namespace chappe::seeds
