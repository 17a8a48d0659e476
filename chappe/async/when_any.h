#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/async/task.h"
#include "chappe/base/borrows.h"
#include "chappe/sync/waiter.h"

namespace chappe::async {

/// Something one waits for: signal.next(), flags.wait(mask), completion.result(), mutex.lock(),
/// queue.pop(), sleep_until(…). A Task is none: run it in a Group, and wait for that.
template <class Op>
concept Wait = std::derived_from<Op, sync::Waiter> && requires(Op& op) {
  { op.await_ready() } -> std::same_as<bool>;
};

namespace detail {

template <class Op>
using Outcome = decltype(std::declval<Op&>().await_resume());

// What one of several waits yields: a value if it ended, or for those without value whether.
template <class Op>
using Perhaps = std::conditional_t<std::is_void_v<Outcome<Op>>, bool, std::optional<Outcome<Op>>>;

}  // namespace detail

/// `auto [edges, late] = co_await when_any(line.next(), sleep_until(executor, deadline));`
///
/// Waits until at least one has ended, and takes from every one that has: what came in the same
/// step is not lost. The others are cancelled; cancelling a wait takes nothing from anybody. Each
/// result is an optional, or a bool where there is no value. Write it in one expression, as above.
template <Wait... Ops>
class [[nodiscard]] WhenAny {
 public:
  explicit WhenAny(Ops&... ops) : ops_(ops...) {}
  WhenAny(const WhenAny&) = delete;

  bool await_ready() {
    bool any = false;
    each([&](auto& op, std::size_t at) {
      ended_[at] = op.await_ready();
      any = any || ended_[at];
    });
    return any;
  }
  template <sync::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) {
    each([&](auto& op, std::size_t) { op.await_suspend(place); });
  }
  std::tuple<detail::Perhaps<Ops>...> await_resume() {
    each([&](auto& op, std::size_t at) { ended_[at] = ended_[at] || op.woken(); });
    return results(std::index_sequence_for<Ops...>());
  }

 private:
  template <class Do>
  void each(Do run) {
    std::size_t at = 0;
    std::apply([&](auto&... op) { (run(op, at++), ...); }, ops_);
  }
  template <std::size_t... kAt>
  std::tuple<detail::Perhaps<Ops>...> results(std::index_sequence<kAt...>) {
    return std::tuple<detail::Perhaps<Ops>...>{result(std::get<kAt>(ops_), ended_[kAt])...};
  }
  template <class Op>
  static detail::Perhaps<Op> result(Op& op, bool ended) {
    if constexpr (std::is_void_v<detail::Outcome<Op>>) {
      if (ended) op.await_resume();
      return ended;
    } else {
      if (!ended) return std::nullopt;
      return op.await_resume();
    }
  }

  std::tuple<Ops&...> ops_;
  std::array<bool, sizeof...(Ops)> ended_{};
};

template <Wait... Ops>
WhenAny<Ops...> when_any(Ops&&... ops CHAPPE_BORROWED) {
  return WhenAny<Ops...>(ops...);
}

/// `auto edges = co_await with_deadline(line.next(), executor, deadline);` An optional that is
/// empty if the deadline came first (a bool for a wait without value). A result that is there when
/// the deadline comes is not lost. Write it in one expression, too.
template <Wait Op>
class [[nodiscard]] WithDeadline {
 public:
  WithDeadline(Op& op, Executor& executor, Time deadline, Site site)
      : sleep_(executor, deadline, site), both_(op, sleep_) {}
  WithDeadline(const WithDeadline&) = delete;

  bool await_ready() { return both_.await_ready(); }
  template <sync::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) {
    both_.await_suspend(place);
  }
  detail::Perhaps<Op> await_resume() { return std::get<0>(both_.await_resume()); }

 private:
  SleepUntil sleep_;
  WhenAny<Op, SleepUntil> both_;
};

template <Wait Op>
WithDeadline<Op> with_deadline(Op&& op CHAPPE_BORROWED,
                               Executor& executor,
                               Time deadline,
                               Site site = Site::here()) {
  return WithDeadline<Op>(op, executor, deadline, site);
}

/// For a peripheral that has no interrupt: asks `ready` now, and again each `period`, until it says
/// true or the deadline has come. Between two questions everybody else runs.
template <std::predicate Ready>
Task<bool> poll_until(Executor& executor, Ready ready, Duration period, Time deadline) {
  Time next = executor.now();
  for (;;) {
    if (ready()) co_return true;
    if (executor.now() >= deadline) co_return false;
    // Absolute, so that a late look does not move the ones after it; missed ones are left out.
    while (next <= executor.now()) next += period;
    co_await sleep_until(executor, next < deadline ? next : deadline);
  }
}

}  // namespace chappe::async
