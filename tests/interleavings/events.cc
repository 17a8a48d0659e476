// Signals, flags and completions, through a real executor and its tasks.

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/explore/exploration.h"
#include "chappe/sync/signal.h"
#include "tests/interleavings/model_port.h"

namespace chappe {
namespace {

struct Loop {
  explicit Loop(explore::ModelClock* clock = nullptr) : port(clock) {}
  explore::ModelPort port;
  async::Executor executor{port};
};

using Slot = async::TaskSlot<2048>;

async::Task<> count_edges(async::Executor& executor,
                          sync::Signal& signal,
                          std::uint32_t wanted,
                          std::uint32_t& seen) {
  while (seen < wanted) {
    const std::uint32_t edges = co_await signal.next();
    seen += edges;
  }
  executor.stop();
}

async::Task<> take_bits(async::Executor& executor,
                        sync::Flags& flags,
                        std::uint32_t& seen,
                        int& wakes) {
  while (seen != 7) {
    const std::uint32_t bits = co_await flags.wait(7 & ~seen);
    seen |= bits;
    ++wakes;
  }
  executor.stop();
}

struct News {
  sync::Word<int> newest{0};
  int seen = 0;
  int wakes = 0;
};

async::Task<> follow_news(sync::Flags& flags, News& news) {
  for (;;) {
    co_await flags.wait(1);
    ++news.wakes;
    news.seen = news.newest.load(sync::Order::relaxed);
  }
}

// A letter box: the bit says "look", and what is to be seen stands elsewhere.
async::Task<> look_for_letter(async::Executor& executor,
                              sync::Flags& flags,
                              sync::Word<std::uint32_t>& letter) {
  while (letter.load(sync::Order::relaxed) == 0) co_await flags.wait(1);
  executor.stop();
}

// The owner of an operation with a deadline: either it gives up in time, or it has the result.
async::Task<> result_or_deadline(async::Executor& executor,
                                 async::Completion<int>& completion,
                                 int& result) {
  co_await async::sleep_until(executor, at_us(10));
  if (completion.withdraw()) {
    result = -1;
  } else {
    const int value = co_await completion.result();
    result = value;
  }
  executor.stop();
}

async::Task<> two_operations(async::Executor& executor,
                             async::Completion<int>& completion,
                             async::Completion<int>::Ticket& ticket,
                             sync::Parker& second,
                             int (&results)[2]) {
  const int first_result = co_await completion.result();
  results[0] = first_result;
  ticket = completion.arm();
  second.unpark();
  const int second_result = co_await completion.result();
  results[1] = second_result;
  executor.stop();
}

}  // namespace

CHAPPE_EXPLORE(signal_two_threads_two_sets_each) {
  auto& loop = x.make<Loop>("loop");
  auto& signal = x.make<sync::Signal>("signal", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& seen = x.make<std::uint32_t>("seen", 0u);
  loop.executor.spawn(slot, "counter", &count_edges, loop.executor, signal, 4u, seen);
  for (const char* const name : {"producer 1", "producer 2"}) {
    x.worker(name, [&] {
      signal.set();
      signal.set();
    });
  }
  x.worker("executor", [&] { loop.executor.run(); });
  x.finally([&] { x.expect(seen == 4, "every edge reaches the waiter, once"); });
}

CHAPPE_EXPLORE(signal_two_interrupts) {
  auto& loop = x.make<Loop>("loop");
  auto& signal = x.make<sync::Signal>("signal", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& seen = x.make<std::uint32_t>("seen", 0u);
  loop.executor.spawn(slot, "counter", &count_edges, loop.executor, signal, 3u, seen);
  x.task("executor", [&] { loop.executor.run(); });
  x.interrupt("low", 1, [&] { signal.set(); }, explore::times(2));
  x.interrupt("high", 2, [&] { signal.set(); });
  x.finally([&] { x.expect(seen == 3, "every edge reaches the waiter, once"); });
}

CHAPPE_EXPLORE(flags_every_bit_reaches_its_waiter) {
  auto& loop = x.make<Loop>("loop");
  auto& flags = x.make<sync::Flags>("flags", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& seen = x.make<std::uint32_t>("seen", 0u);
  auto& wakes = x.make<int>("wakes", 0);
  loop.executor.spawn(slot, "waiter", &take_bits, loop.executor, flags, seen, wakes);
  x.worker("producer 1", [&] {
    flags.set(1);
    flags.set(2);
  });
  x.worker("producer 2", [&] {
    flags.set(2);
    flags.set(4);
  });
  x.worker("executor", [&] { loop.executor.run(); });
  x.finally([&] {
    x.expect(seen == 7, "every bit is seen");
    x.expect(wakes <= 3, "no wake without a new bit");
  });
}

// An interrupt writes down what is new and sets its bit, at every step of the waiter's clearing it.
CHAPPE_EXPLORE(flags_an_interrupt_at_every_step_of_their_clearing) {
  auto& loop = x.make<Loop>("loop");
  auto& flags = x.make<sync::Flags>("flags", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& news = x.make<News>("news");
  loop.executor.spawn(slot, "waiter", &follow_news, flags, news);
  x.task("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  const auto tell = [&] {
    news.newest.fetch_add(1, sync::Order::relaxed);
    flags.set(1);
  };
  x.interrupt("low", 1, tell, explore::times(2));
  x.interrupt("high", 2, tell);
  x.finally([&] {
    x.expect(news.seen == 3, "after the last bit the waiter has looked once more");
    x.expect(news.wakes <= 3, "no wake without a bit");
    x.possible(news.wakes == 3, "three wakes");
    x.possible(news.wakes == 1, "one wake for all");
  });
}

// The bit is set already when the letter comes: its set must be seen all the same.
CHAPPE_EXPLORE(flags_publish_what_a_coalesced_set_follows) {
  auto& loop = x.make<Loop>("loop");
  auto& flags = x.make<sync::Flags>("flags", loop.executor.wakes());
  auto& letter = x.make<sync::Word<std::uint32_t>>("letter", 0u);
  auto& slot = x.make<Slot>("task");
  loop.executor.spawn(slot, "reader", &look_for_letter, loop.executor, flags, letter);
  x.worker("bell", [&] { flags.set(1); });
  x.worker("postman", [&] {
    letter.store(1, sync::Order::relaxed);
    flags.set(1);
  });
  x.worker("executor", [&] { loop.executor.run(); });
  x.finally([&] { x.expect(!slot.alive(), "the letter is found"); });
}

CHAPPE_EXPLORE(completion_against_its_deadline) {
  auto& clock = x.make<explore::ModelClock>("clock");
  auto& loop = x.make<Loop>("loop", &clock);
  auto& completion = x.make<async::Completion<int>>("completion", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& result = x.make<int>("result", 0);
  auto& completed = x.make<bool>("completed", false);
  const auto ticket = completion.arm();
  loop.executor.spawn(slot, "owner", &result_or_deadline, loop.executor, completion, result);
  x.worker("completer", [&, ticket] { completed = completion.complete(ticket, 7); });
  x.worker("time", [&] {
    clock.advance_to(10);
    loop.port.kick();
  });
  x.worker("executor", [&] { loop.executor.run(); });
  x.finally([&] { x.expect(result == (completed ? 7 : -1), "the owner and the completer agree"); });
}

// A completion that comes twice ends one operation, and never the next one.
CHAPPE_EXPLORE(completion_of_an_earlier_operation_does_nothing) {
  using Completion = async::Completion<int>;
  auto& loop = x.make<Loop>("loop");
  auto& completion = x.make<Completion>("completion", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& second = x.make<sync::Parker>("second");
  auto& second_ticket = x.make<Completion::Ticket>("ticket");
  struct Results {
    int of[2] = {0, 0};
    int done = 0;
  };
  auto& results = x.make<Results>("results");
  const Completion::Ticket first_ticket = completion.arm();
  loop.executor.spawn(
      slot, "owner", &two_operations, loop.executor, completion, second_ticket, second, results.of);
  x.worker("completer", [&, first_ticket] {
    results.done += completion.complete(first_ticket, 1);
    second.park();
    results.done += completion.complete(second_ticket, 2);
  });
  x.worker("echo", [&, first_ticket] { results.done += completion.complete(first_ticket, 1); });
  x.worker("executor", [&] { loop.executor.run(); });
  x.finally([&] {
    x.expect(results.of[0] == 1 && results.of[1] == 2, "each operation has its own result");
    x.expect(results.done == 2, "of two completions of one operation, one counts");
  });
}

}  // namespace chappe
