// Our kernel beside what else one could take, in one run, so that machine and moment are the same.
//
// std::mutex, absl::Mutex, asio and libuv stand here for comparison only; what is missing is left
// out. The last group measures a wake from another thread, both threads on one CPU: between virtual
// CPUs the hypervisor's interrupt hides everything. Run it with a real-time policy:
//
//   chrt -f 10 build/release/chappe-bench --benchmark_filter=Kernel
#include <benchmark/benchmark.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "chappe/async/async_mutex.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/guarded.h"
#include "chappe/sync/mutex.h"
#include "chappe/sync/parker.h"
#include "chappe/sync/signal.h"

#ifdef CHAPPE_BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif
#ifdef CHAPPE_BENCH_UV
#include <uv.h>
#endif
#if __has_include(<asio.hpp>)
#define CHAPPE_BENCH_ASIO
// clang with this library's headers has both, and asio does not know it.
#define ASIO_HAS_CO_AWAIT 1
#define ASIO_HAS_STD_COROUTINE 1
#include <asio.hpp>
#endif

namespace chappe {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;

constexpr sync::LockClass kLock{"bench", 10};

// glibc leaves the atomics out while the process has only ever had one thread.
void have_threads() {
  static const bool once = [] {
    std::thread([] {}).join();
    return true;
  }();
  static_cast<void>(once);
}

// --- A lock nobody else wants --------------------------------------------------------------------

void KernelLock_StdMutex(benchmark::State& state) {
  have_threads();
  std::mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
  }
}
BENCHMARK(KernelLock_StdMutex);

void KernelLock_Mutex(benchmark::State& state) {
  have_threads();
  sync::Worker me("bench");
  sync::Mutex mutex(kLock);
  for (auto _ : state) {
    const sync::Mutex::Guard guard = mutex.lock(me);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(KernelLock_Mutex);

void KernelLock_Guarded(benchmark::State& state) {
  sync::Guarded<int> value(kLock, 0);
  for (auto _ : state) benchmark::DoNotOptimize(value.with([](int& number) { return ++number; }));
}
BENCHMARK(KernelLock_Guarded);

Task<> lock_all_the_time(benchmark::State& state, async::AsyncMutex& mutex) {
  for (auto _ : state) {
    const auto guard = co_await mutex.lock();
    benchmark::ClobberMemory();
  }
}
void KernelLock_AsyncMutex(benchmark::State& state) {
  port::VirtualPort port;
  Executor executor(port);
  async::AsyncMutex mutex(kLock);
  TaskSlot<1024> slot;
  executor.spawn(slot, "bench", lock_all_the_time, state, mutex);
  port.run(executor);
}
BENCHMARK(KernelLock_AsyncMutex);

#ifdef CHAPPE_BENCH_ABSL
void KernelLock_AbslMutex(benchmark::State& state) {
  absl::Mutex mutex;
  for (auto _ : state) {
    mutex.Lock();
    benchmark::ClobberMemory();
    mutex.Unlock();
  }
}
BENCHMARK(KernelLock_AbslMutex);
#endif

// --- Setting what is set already -----------------------------------------------------------------

void KernelSet_FetchAdd(benchmark::State& state) {
  std::atomic<std::uint32_t> word{0};
  for (auto _ : state) benchmark::DoNotOptimize(word.fetch_add(1, std::memory_order_acq_rel));
}
BENCHMARK(KernelSet_FetchAdd);

void KernelSet_Signal(benchmark::State& state) {
  port::VirtualPort port;
  Executor executor(port);
  sync::Signal signal(executor.wakes());
  signal.set();
  for (auto _ : state) signal.set();
}
// A fixed number, far from the end of the counter.
BENCHMARK(KernelSet_Signal)->Iterations(100'000'000);

// --- Waking, a thousand at a time ----------------------------------------------------------------

constexpr int kBatch = 1000;

Task<> take_all(sync::Signal& signal, std::uint64_t& sum) {
  for (;;) {
    const std::uint32_t edges = co_await signal.next();
    sum += edges;
  }
}
void KernelPost_Signal(benchmark::State& state) {
  port::LinuxPort port;  // its clock is read after each task
  Executor executor(port);
  struct One {
    explicit One(sync::WakeList& wakes) : signal(wakes) {}
    sync::Signal signal;
    TaskSlot<256> slot;
  };
  std::uint64_t sum = 0;
  std::vector<std::unique_ptr<One>> all;
  for (int i = 0; i < kBatch; ++i) {
    all.push_back(std::make_unique<One>(executor.wakes()));
    executor.spawn(all.back()->slot, "bench", take_all, all.back()->signal, sum);
  }
  executor.step();
  for (auto _ : state) {
    for (auto& one : all) one->signal.set();
    executor.step();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(KernelPost_Signal);

#ifdef CHAPPE_BENCH_ASIO
void KernelPost_Asio(benchmark::State& state) {
  asio::io_context loop;
  std::uint64_t sum = 0;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) asio::post(loop, [&sum] { ++sum; });
    loop.restart();
    loop.poll();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(KernelPost_Asio);
#endif

#ifdef CHAPPE_BENCH_UV
void KernelPost_Uv(benchmark::State& state) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  std::vector<uv_async_t> all(kBatch);
  for (uv_async_t& one : all) uv_async_init(&loop, &one, [](uv_async_t*) {});
  for (auto _ : state) {
    for (uv_async_t& one : all) uv_async_send(&one);
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
  for (uv_async_t& one : all) uv_close(reinterpret_cast<uv_handle_t*>(&one), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}
BENCHMARK(KernelPost_Uv);
#endif

// --- Awaiting a child ----------------------------------------------------------------------------

[[gnu::noinline]] Task<int> child(int number) {
  co_return number + 1;
}
Task<> await_children(benchmark::State& state) {
  int number = 0;
  for (auto _ : state) number = co_await child(number);
  benchmark::DoNotOptimize(number);
}
void KernelAwait_Task(benchmark::State& state) {
  port::VirtualPort port;
  Executor executor(port);
  TaskSlot<1024> slot;
  executor.spawn(slot, "bench", await_children, state);
  port.run(executor);
}
BENCHMARK(KernelAwait_Task);

#ifdef CHAPPE_BENCH_ASIO
[[gnu::noinline]] asio::awaitable<int> asio_child(int number) {
  co_return number + 1;
}
asio::awaitable<void> await_asio_children(benchmark::State& state) {
  int number = 0;
  for (auto _ : state) number = co_await asio_child(number);
  benchmark::DoNotOptimize(number);
}
void KernelAwait_Asio(benchmark::State& state) {
  asio::io_context loop;
  asio::co_spawn(loop, await_asio_children(state), asio::detached);
  loop.run();
}
BENCHMARK(KernelAwait_Asio);
#endif

// --- Moving one of ten thousand timers -----------------------------------------------------------

constexpr int kTimers = 10'000;

void KernelTimer_Timer(benchmark::State& state) {
  port::VirtualPort port;
  Executor executor(port);
  std::vector<std::unique_ptr<async::Timer>> all;
  for (int i = 0; i < kTimers; ++i) {
    all.push_back(
        std::make_unique<async::Timer>(executor, [](async::Timer&, const async::TimerContext&) {}));
    all.back()->arm(at_ms(1000 + i * 7919 % kTimers));
  }
  std::size_t at = 0;
  for (auto _ : state) {
    at = (at + 4099) % kTimers;
    all[at]->arm(at_ms(1000 + static_cast<int>(at * 31 % kTimers)));
  }
}
BENCHMARK(KernelTimer_Timer);

#ifdef CHAPPE_BENCH_ASIO
void KernelTimer_Asio(benchmark::State& state) {
  asio::io_context loop;
  const auto start = std::chrono::steady_clock::now() + std::chrono::hours(1);
  std::vector<std::unique_ptr<asio::steady_timer>> all;
  for (int i = 0; i < kTimers; ++i) {
    all.push_back(std::make_unique<asio::steady_timer>(loop));
    all.back()->expires_at(start + std::chrono::milliseconds(i * 7919 % kTimers));
    all.back()->async_wait([](const asio::error_code&) {});
  }
  std::size_t at = 0;
  for (auto _ : state) {
    at = (at + 4099) % kTimers;
    all[at]->expires_at(start + std::chrono::milliseconds(at * 31 % kTimers));
    all[at]->async_wait([](const asio::error_code&) {});
    loop.poll();
  }
}
BENCHMARK(KernelTimer_Asio);
#endif

#ifdef CHAPPE_BENCH_UV
void KernelTimer_Uv(benchmark::State& state) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  std::vector<uv_timer_t> all(kTimers);
  for (std::size_t i = 0; i < all.size(); ++i) {
    uv_timer_init(&loop, &all[i]);
    uv_timer_start(&all[i], [](uv_timer_t*) {}, 1'000'000 + i * 7919 % kTimers, 0);
  }
  std::size_t at = 0;
  for (auto _ : state) {
    at = (at + 4099) % kTimers;
    uv_timer_start(&all[at], [](uv_timer_t*) {}, 1'000'000 + at * 31 % kTimers, 0);
  }
  for (uv_timer_t& one : all) uv_close(reinterpret_cast<uv_handle_t*>(&one), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}
BENCHMARK(KernelTimer_Uv);
#endif

// --- A wake from another thread, both on one CPU -------------------------------------------------

std::int64_t clock_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

// The other thread strikes when told to, which is when this one sleeps: both share a CPU.
class Striker {
 public:
  static constexpr int kRounds = 20'000;

  explicit Striker(std::function<void()> wake) {
    cpu_set_t before;
    pthread_getaffinity_np(pthread_self(), sizeof before, &before);
    before_ = before;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    thread_ = std::thread([this, wake = std::move(wake)] {
      for (;;) {
        go_.acquire();
        if (over_) return;
        struck_at_ = clock_ns();
        wake();
      }
    });
  }
  ~Striker() {
    over_ = true;
    go_.release();
    thread_.join();
    pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }

  void ask() { go_.release(); }
  // True when there were enough of them.
  bool woken() {
    spans_.push_back(clock_ns() - struck_at_);
    return spans_.size() == kRounds;
  }
  void tell(benchmark::State& state) {
    std::sort(spans_.begin(), spans_.end());
    state.counters["p50_ns"] = static_cast<double>(spans_[spans_.size() / 2]);
    state.counters["p99_ns"] = static_cast<double>(spans_[spans_.size() * 99 / 100]);
  }

 private:
  cpu_set_t before_;
  std::thread thread_;
  std::binary_semaphore go_{0};
  std::vector<std::int64_t> spans_;
  std::int64_t struck_at_ = 0;  // ordered by the wake itself
  bool over_ = false;
};

void KernelWake_Futex(benchmark::State& state) {
  for (auto _ : state) {
    sync::Parker parker;
    Striker striker([&] { parker.unpark(); });
    do {
      striker.ask();
      parker.park();
    } while (!striker.woken());
    striker.tell(state);
  }
}
BENCHMARK(KernelWake_Futex)->Iterations(1);

// Without our Parker around it.
void KernelWake_BareFutex(benchmark::State& state) {
  for (auto _ : state) {
    std::atomic<std::uint32_t> word{0};
    const auto futex = [&word](int operation, std::uint32_t number) {
      ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, number, nullptr, nullptr, 0);
    };
    Striker striker([&] {
      word.store(1, std::memory_order_release);
      futex(FUTEX_WAKE, 1);
    });
    do {
      word.store(0, std::memory_order_relaxed);
      striker.ask();
      while (word.load(std::memory_order_acquire) == 0) futex(FUTEX_WAIT, 0);
    } while (!striker.woken());
    striker.tell(state);
  }
}
BENCHMARK(KernelWake_BareFutex)->Iterations(1);

// A blocking read: no epoll, nothing else can be waited for.
void KernelWake_Eventfd(benchmark::State& state) {
  for (auto _ : state) {
    const int kick = ::eventfd(0, 0);
    {
      Striker striker([&] { ::eventfd_write(kick, 1); });
      eventfd_t count = 0;
      do {
        striker.ask();
        ::eventfd_read(kick, &count);
      } while (!striker.woken());
      striker.tell(state);
    }
    ::close(kick);
  }
}
BENCHMARK(KernelWake_Eventfd)->Iterations(1);

void KernelWake_EventfdEpoll(benchmark::State& state) {
  for (auto _ : state) {
    const int kick = ::eventfd(0, EFD_NONBLOCK);
    const int epoll = ::epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, kick, &event);
    {
      Striker striker([&] { ::eventfd_write(kick, 1); });
      do {
        striker.ask();
        ::epoll_wait(epoll, &event, 1, -1);
      } while (!striker.woken());
      striker.tell(state);
    }
    ::close(epoll);
    ::close(kick);
  }
}
BENCHMARK(KernelWake_EventfdEpoll)->Iterations(1);

Task<> count_wakes(Executor& executor, sync::Signal& signal, Striker& striker) {
  for (;;) {
    striker.ask();
    const std::uint32_t edges = co_await signal.next();
    benchmark::DoNotOptimize(edges);
    if (striker.woken()) break;
  }
  executor.stop();
}
void KernelWake_SignalToCoroutine(benchmark::State& state) {
  for (auto _ : state) {
    port::LinuxPort port;
    Executor executor(port);
    sync::Signal signal(executor.wakes());
    Striker striker([&] { signal.set(); });
    TaskSlot<512> slot;
    executor.spawn(slot, "bench", count_wakes, executor, signal, striker);
    executor.run();
    striker.tell(state);
  }
}
BENCHMARK(KernelWake_SignalToCoroutine)->Iterations(1);

#ifdef CHAPPE_BENCH_ASIO
void KernelWake_AsioPost(benchmark::State& state) {
  for (auto _ : state) {
    asio::io_context loop;
    const auto work = asio::make_work_guard(loop);
    Striker* self = nullptr;
    Striker striker([&] {
      asio::post(loop, [&] {
        if (self->woken()) {
          loop.stop();
        } else {
          self->ask();
        }
      });
    });
    self = &striker;
    striker.ask();
    loop.run();
    striker.tell(state);
  }
}
BENCHMARK(KernelWake_AsioPost)->Iterations(1);

// The other thread posts the continuation of this thread's coroutine: what a signal is to ours.
using AsioContinuation = std::optional<asio::detail::awaitable_handler<asio::any_io_executor>>;
asio::awaitable<void> count_asio_wakes(asio::io_context& loop,
                                       AsioContinuation& rest,
                                       Striker*& striker) {
  const auto leave = [&](auto&& handler) {
    rest.emplace(std::move(handler));
    striker->ask();
  };
  do {
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(leave,
                                                                         asio::use_awaitable);
  } while (!striker->woken());
  loop.stop();
}
void KernelWake_AsioCoroutine(benchmark::State& state) {
  for (auto _ : state) {
    asio::io_context loop;
    const auto work = asio::make_work_guard(loop);
    AsioContinuation rest;
    Striker striker([&] { asio::post(loop, *std::exchange(rest, std::nullopt)); });
    Striker* self = &striker;
    asio::co_spawn(loop, count_asio_wakes(loop, rest, self), asio::detached);
    loop.run();
    striker.tell(state);
  }
}
BENCHMARK(KernelWake_AsioCoroutine)->Iterations(1);
#endif

#ifdef CHAPPE_BENCH_UV
void KernelWake_UvAsync(benchmark::State& state) {
  for (auto _ : state) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_async_t async;
    uv_async_init(&loop, &async, [](uv_async_t* self) {
      auto& striker = *static_cast<Striker*>(self->data);
      if (striker.woken()) {
        uv_stop(self->loop);
      } else {
        striker.ask();
      }
    });
    {
      Striker striker([&] { uv_async_send(&async); });
      async.data = &striker;
      striker.ask();
      uv_run(&loop, UV_RUN_DEFAULT);
      striker.tell(state);
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&async), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
}
BENCHMARK(KernelWake_UvAsync)->Iterations(1);
#endif

// --- Nothing to do -------------------------------------------------------------------------------

void KernelIdle_Drain(benchmark::State& state) {
  port::VirtualPort port;
  sync::WakeList wakes(port);
  for (auto _ : state) benchmark::DoNotOptimize(wakes.drain());
}
BENCHMARK(KernelIdle_Drain);

}  // namespace
}  // namespace chappe
