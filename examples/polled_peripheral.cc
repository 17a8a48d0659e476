// A peripheral without an interrupt: a coroutine that says that it polls, how often and how long.
//
// Nobody pretends that there is an event. Between two questions everybody else runs, and the
// processor sleeps; while nobody asks for a measurement, nothing is polled at all.
#include <cstdio>
#include <optional>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/when_any.h"
#include "chappe/port/virtual/virtual_port.h"

using namespace chappe;

// The hardware: a measurement takes 37 ms; the third one never ends.
class Sensor {
 public:
  explicit Sensor(port::VirtualPort& port) : port_(port) {}
  void start() { ready_at_ = ++started_ == 3 ? kNever : port_.now() + milliseconds(37); }
  bool ready() {
    ++questions;
    return port_.now() >= ready_at_;
  }
  int read() const { return 200 + started_; }
  int questions = 0;

 private:
  port::VirtualPort& port_;
  Time ready_at_ = kNever;
  int started_ = 0;
};

async::Task<std::optional<int>> measure(async::Executor& executor, Sensor& sensor) {
  sensor.start();
  auto ready = [&sensor] { return sensor.ready(); };
  auto polling =
      async::poll_until(executor, ready, milliseconds(10), executor.now() + milliseconds(100));
  const bool in_time = co_await polling;
  if (!in_time) co_return std::nullopt;
  co_return sensor.read();
}

async::Task<> measure_now_and_then(async::Executor& executor, Sensor& sensor, int& good, int& bad) {
  for (int i = 0; i < 3; ++i) {
    const std::optional<int> value = co_await measure(executor, sensor);
    ++(value ? good : bad);
    std::printf("%s\n", value ? "measured" : "no answer within 100 ms");
    co_await async::sleep_for(executor, minutes(1));
  }
}

async::Task<> tick(async::Executor& executor, int& ticks) {
  for (int i = 0; i < 100; ++i) {
    co_await async::sleep_for(executor, milliseconds(1));
    ++ticks;
  }
}

int main() {
  port::VirtualPort port;
  async::Executor executor(port);
  Sensor sensor(port);
  int good = 0;
  int bad = 0;
  int ticks = 0;
  async::TaskSlot<2048> slots[2];
  executor.spawn(slots[0], "sensor", measure_now_and_then, executor, sensor, good, bad);
  executor.spawn(slots[1], "ticker", tick, executor, ticks);
  port.run(executor, at_ms(100));
  const int ticks_meanwhile = ticks;
  port.run(executor);
  std::printf("%d measured, %d given up, %d questions\n", good, bad, sensor.questions);
  return good == 2 && bad == 1 && sensor.questions == 5 + 5 + 11 && ticks_meanwhile == 100 ? 0 : 1;
}
