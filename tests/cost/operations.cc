// The kernel's operations, one at a time and nothing else in the loop: what they cost in
// instructions (check_instructions runs this under callgrind), and that none of them allocates.
//
//   kernel-cost                     names them
//   kernel-cost OPERATION TURNS     does it so often; exit 1 if it allocated
//   kernel-cost --no-allocations    all of them; exit 1 if one allocated, and says which
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "chappe/async/async_mutex.h"
#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/when_any.h"
#include "chappe/flow/credits.h"
#include "chappe/flow/gate.h"
#include "chappe/flow/inflight.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/event.h"
#include "chappe/sync/guarded.h"
#include "chappe/sync/mutex.h"
#include "chappe/sync/signal.h"
#include "chappe/sync/spsc.h"

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

using async::Executor;
using async::Task;
using async::TaskSlot;

constexpr sync::LockClass kLock{"cost", 10};

// The allocations of `turn`, repeated.
template <class Turn>
std::uint64_t repeat(std::uint32_t turns, Turn turn) {
  const std::uint64_t before = allocations;
  for (std::uint32_t i = 0; i < turns; ++i) turn();
  return allocations - before;
}

struct World {
  port::VirtualPort port;
  Executor executor{port};
  TaskSlot<4096> slot;
};

// The allocations of a task from its spawning to its end.
template <class Make, class... Args>
std::uint64_t run(World& world, Make make, Args&&... args) {
  const std::uint64_t before = allocations;
  world.executor.spawn(world.slot, "cost", make, std::forward<Args>(args)...);
  world.port.run(world.executor);
  return allocations - before;
}

std::uint64_t mutex(std::uint32_t turns) {
  sync::Worker me("cost");
  sync::Mutex mutex(kLock);
  return repeat(turns, [&] { const sync::Mutex::Guard guard = mutex.lock(me); });
}

std::uint64_t guarded(std::uint32_t turns) {
  sync::Guarded<std::uint32_t> value(kLock, 0u);
  return repeat(turns, [&] { value.with([](std::uint32_t& number) { ++number; }); });
}

Task<> lock_often(async::AsyncMutex& mutex, std::uint32_t turns) {
  for (std::uint32_t i = 0; i < turns; ++i) {
    const auto guard = co_await mutex.lock();
  }
}
std::uint64_t async_mutex(std::uint32_t turns) {
  World world;
  async::AsyncMutex mutex(kLock);
  return run(world, lock_often, mutex, turns);
}

std::uint64_t set(std::uint32_t turns) {
  World world;
  sync::Signal signal(world.executor.wakes());
  signal.set();
  return repeat(turns, [&] { signal.set(); });
}

std::uint64_t idle_look(std::uint32_t turns) {
  World world;
  return repeat(turns, [&] { world.executor.wakes().drain(); });
}

// A set, and the step in which the task that waits for it runs.
template <class Make, class Source, class Set>
std::uint64_t wakes(World& world, std::uint32_t turns, Make make, Source& source, Set set_it) {
  world.executor.spawn(world.slot, "cost", make, source);
  world.executor.step();
  const std::uint64_t before = world.executor.resumed_count();
  const std::uint64_t count = repeat(turns, [&] {
    set_it();
    world.executor.step();
  });
  if (world.executor.resumed_count() - before != turns) std::abort();
  world.slot.cancel();
  return count;
}

Task<> take_edges(sync::Signal& signal) {
  for (;;) {
    [[maybe_unused]] const std::uint32_t edges = co_await signal.next();
  }
}
std::uint64_t wake(std::uint32_t turns) {
  World world;
  sync::Signal signal(world.executor.wakes());
  return wakes(world, turns, take_edges, signal, [&] { signal.set(); });
}

Task<> take_bits(sync::Flags& flags) {
  for (;;) {
    [[maybe_unused]] const std::uint32_t bits = co_await flags.wait(3);
  }
}
std::uint64_t wake_by_flags(std::uint32_t turns) {
  World world;
  sync::Flags flags(world.executor.wakes());
  return wakes(world, turns, take_bits, flags, [&] { flags.set(2); });
}

Task<> wait_for_level(sync::Event& event) {
  for (;;) {
    co_await event.wait();
    event.clear();
  }
}
std::uint64_t wake_by_event(std::uint32_t turns) {
  World world;
  sync::Event event(world.executor.wakes());
  return wakes(world, turns, wait_for_level, event, [&] { event.set(); });
}

using Queue = sync::Spsc<std::uint32_t, 4>;
Task<> pop_all(Queue& queue) {
  for (;;) {
    [[maybe_unused]] const std::uint32_t item = co_await queue.pop();
  }
}
std::uint64_t wake_by_queue(std::uint32_t turns) {
  World world;
  Queue queue(world.executor.wakes());
  return wakes(world, turns, pop_all, queue, [&] {
    if (!queue.push(7)) std::abort();
  });
}

struct Asked {
  explicit Asked(sync::WakeList& list) : completion(list) {}
  async::Completion<std::uint32_t> completion;
  async::Completion<std::uint32_t>::Ticket ticket;
};
Task<> ask_often(Asked& asked) {
  for (;;) {
    asked.ticket = asked.completion.arm();
    [[maybe_unused]] const std::uint32_t answer = co_await asked.completion.result();
  }
}
std::uint64_t wake_by_completion(std::uint32_t turns) {
  World world;
  Asked asked(world.executor.wakes());
  return wakes(world, turns, ask_often, asked, [&] {
    if (!asked.completion.complete(asked.ticket, 7)) std::abort();
  });
}

struct Watched {
  explicit Watched(Executor& of) : executor(of), signal(of.wakes()) {}
  Executor& executor;
  sync::Signal signal;
};
Task<> wait_with_deadline(Watched& watched) {
  for (;;) {
    auto [edges, late] = co_await async::when_any(
        watched.signal.next(), async::sleep_until(watched.executor, at_ms(1000)));
    if (!edges || late) std::abort();
  }
}
std::uint64_t wake_or_deadline(std::uint32_t turns) {
  World world;
  Watched watched(world.executor);
  return wakes(world, turns, wait_with_deadline, watched, [&] { watched.signal.set(); });
}

[[gnu::noinline]] Task<std::uint32_t> child(std::uint32_t number) {
  co_return number + 1;
}
Task<> await_often(std::uint32_t turns) {
  std::uint32_t number = 0;
  while (number < turns) number = co_await child(number);
}
std::uint64_t await_child(std::uint32_t turns) {
  World world;
  return run(world, await_often, turns);
}

std::uint64_t move_timer(std::uint32_t turns) {
  constexpr std::uint32_t kTimers = 10'000;
  World world;
  std::vector<std::unique_ptr<async::Timer>> all;
  for (std::uint32_t i = 0; i < kTimers; ++i) {
    all.push_back(std::make_unique<async::Timer>(world.executor,
                                                 [](async::Timer&, const async::TimerContext&) {}));
    all.back()->arm(at_ms(1000 + i * 7919 % kTimers));
  }
  std::uint32_t at = 0;
  return repeat(turns, [&] {
    at = (at + 4099) % kTimers;
    all[at]->arm(at_ms(1000 + at * 31 % kTimers));
  });
}

std::uint64_t gate(std::uint32_t turns) {
  flow::Gate gate;
  return repeat(turns, [&] {
    if (gate.give(1) || !gate.take()) std::abort();
  });
}

std::uint64_t credit(std::uint32_t turns) {
  World world;
  flow::Credits::Limits limits;
  limits.total = 2;
  limits.lane_max = {2, 0, 0, 0};
  flow::Credits credits(world.executor.wakes(), limits);
  return repeat(turns, [&] {
    if (!credits.try_take(0)) std::abort();
  });
}

std::uint64_t in_flight(std::uint32_t turns) {
  World world;
  flow::Inflight inflight(world.executor.wakes());
  inflight.submitted();
  const std::uint64_t count = repeat(turns, [&] {
    inflight.submitted();
    inflight.confirmed();
  });
  inflight.confirmed();
  return count;
}

struct Operation {
  const char* name;
  std::uint64_t (*allocations_of)(std::uint32_t turns);
};
constexpr Operation kOperations[] = {
    {"mutex", mutex},
    {"guarded", guarded},
    {"async_mutex", async_mutex},
    {"set", set},
    {"idle_look", idle_look},
    {"wake", wake},
    {"wake_by_flags", wake_by_flags},
    {"wake_by_event", wake_by_event},
    {"wake_by_queue", wake_by_queue},
    {"wake_by_completion", wake_by_completion},
    {"wake_or_deadline", wake_or_deadline},
    {"await_child", await_child},
    {"move_timer", move_timer},
    {"gate", gate},
    {"credit", credit},
    {"in_flight", in_flight},
};

bool allocates(const Operation& operation, std::uint32_t turns) {
  const std::uint64_t count = operation.allocations_of(turns);
  if (count == 0) return false;
  std::printf("%s allocated %llu times in %u turns\n",
              operation.name,
              static_cast<unsigned long long>(count),
              turns);
  return true;
}

int run_all() {
  // The counter counts, or its zeros would say nothing.
  const std::uint64_t before = allocations;
  static_cast<void>(std::vector<int>(100));
  if (allocations != before + 1) return 1;
  bool any = false;
  for (const Operation& operation : kOperations) any |= allocates(operation, 1000);
  return any ? 1 : 0;
}

}  // namespace
}  // namespace chappe

int main(int count, char** words) {
  using chappe::kOperations;
  if (count == 2 && std::strcmp(words[1], "--no-allocations") == 0) return chappe::run_all();
  for (const chappe::Operation& operation : kOperations) {
    if (count == 1) std::puts(operation.name);
    if (count == 3 && std::strcmp(words[1], operation.name) == 0) {
      const auto turns = static_cast<std::uint32_t>(std::strtoul(words[2], nullptr, 10));
      return chappe::allocates(operation, turns) ? 1 : 0;
    }
  }
  return count == 1 ? 0 : 2;
}
