// Wrong contexts and torn pairs that the types of the locks can see.
#include <coroutine>
#include <optional>
#include <utility>

#include "chappe/async/async_mutex.h"
#include "chappe/async/executor.h"
#include "chappe/async/locked.h"
#include "chappe/async/when_any.h"
#include "chappe/sync/guarded.h"
#include "chappe/sync/mutex.h"
#include "chappe/sync/signal.h"

namespace chappe {

async::Task<> control(async::AsyncMutex& mutex, async::Locked<int>& value) {
  const auto guard = co_await mutex.lock();
  const auto access = co_await value.lock();
  *access = 1;
}
void control(async::AsyncMutex& mutex, const async::TimerContext& context) {
  const auto guard = mutex.try_lock(context);
}
int control(sync::Mutex& mutex, sync::Worker& me, sync::Guarded<int>& value) {
  const auto guard = mutex.lock(me);
  return value.with([](int& number) { return ++number; });
}

#ifdef PLAIN_FUNCTION_WAITS  // expect: co_await | coroutine
void waits_outside_a_coroutine(async::AsyncMutex& mutex) {
  const auto guard = co_await mutex.lock();
}
#endif

struct Foreign {
  struct promise_type {
    Foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

#ifdef FOREIGN_COROUTINE_WAITS  // expect: TaskPromise
Foreign waits_in_a_coroutine_of_somebody_else(async::AsyncMutex& mutex) {
  const auto guard = co_await mutex.lock();
}
#endif

#ifdef FOREIGN_COROUTINE_AWAITS_A_TASK  // expect: PromiseBase
async::Task<> ours();
Foreign awaits_a_task_of_ours() {
  co_await ours();
}
#endif

#ifdef TIMER_WAITS  // expect: no matching | no viable | cannot convert
void waits_in_a_timer(async::AsyncMutex& mutex, const async::TimerContext& context) {
  const auto guard = mutex.lock(context);
}
#endif

#ifdef TIMER_CONTEXT_MADE_UP  // expect: private
void makes_up_a_context(async::AsyncMutex& mutex) {
  const auto guard = mutex.try_lock(async::TimerContext(Time{}));
}
#endif

#ifdef TIMER_CONTEXT_KEPT  // expect: deleted
const async::TimerContext* keeps_a_context(const async::TimerContext& context) {
  return &context;
}
#endif

#ifdef BLOCKS_WITHOUT_BEING_A_WORKER  // expect: no matching function | too few arguments
void blocks_as_nobody(sync::Mutex& mutex) {
  const auto guard = mutex.lock();
}
#endif

#ifdef LOCK_WITH_A_TIMEOUT  // expect: no viable | no matching | cannot convert | could not convert
void locks_for_a_while(async::AsyncMutex& mutex) {
  const auto guard = mutex.lock(seconds(1));
}
#endif

#ifdef UNLOCKED_BY_HAND  // expect: private
void unlocks(sync::Mutex& mutex) {
  mutex.unlock();
}
#endif

#ifdef GUARD_COPIED  // expect: deleted
void copies(sync::Mutex::Guard& guard) {
  const sync::Mutex::Guard second = guard;
}
#endif

#ifdef GUARD_DROPPED  // expect: nodiscard | unused-result
void locks_for_nothing(sync::Mutex& mutex, sync::Worker& me) {
  mutex.lock(me);
}
#endif

#ifdef LOCK_WITHOUT_AWAIT  // expect: nodiscard | unused-result
async::Task<> forgets_to_await(async::AsyncMutex& mutex) {
  mutex.lock();
  co_return;
}
#endif

#ifdef LOCKED_REACHED_WITHOUT_ITS_LOCK  // expect: no member | no match for | indirection
int reaches_around(async::Locked<int>& value) {
  return *value;
}
#endif

#ifdef AWAIT_IN_A_SECTION  // expect: what runs in a section cannot wait
void waits_in_a_section(sync::Guarded<int>& value, async::AsyncMutex& mutex) {
  auto change = [](int&, async::AsyncMutex& lock) -> async::Task<> {
    const auto guard = co_await lock.lock();
  };
  value.with([&](int& number) { return change(number, mutex); });
}
#endif

#ifdef GUARDED_LEAVES_ITS_SECTION  // expect: does not leave it
int* takes_it_out(sync::Guarded<int>& value) {
  return value.with([](int& number) { return &number; });
}
#endif

#ifdef AWAIT_IN_WITH  // expect: what with() runs cannot wait
async::Task<> waits_in_with(async::AsyncMutex& mutex, async::AsyncMutex& other) {
  auto change = [&other]() { return other.lock(); };
  co_await mutex.with(change);
}
#endif

async::Task<> control(async::Executor& executor, sync::Signal& one, sync::Signal& two) {
  const auto [first, second] = co_await async::when_any(one.next(), two.next());
  const auto third = co_await async::with_deadline(one.next(), executor, Time());
  if (first || second || third) co_return;
}

#ifdef WAITS_KEPT_IN_A_VARIABLE  // expect(clang): temporary
async::Task<> keeps_what_is_gone(sync::Signal& one, sync::Signal& two) {
  auto either = async::when_any(one.next(), two.next());
  co_await either;
}
#endif

#ifdef TASK_IN_WHEN_ANY  // expect: no matching function | constraints not satisfied
async::Task<> child();
async::Task<> waits_for_a_task(sync::Signal& one) {
  co_await async::when_any(one.next(), child());
}
#endif

#ifdef TASK_FROM_A_LAMBDA_WITH_CAPTURES  // expect: would outlive them
void spawns_what_dies(async::Executor& executor,
                      async::TaskHeader& slot,
                      async::AsyncMutex& mutex) {
  executor.spawn(
      slot, "doomed", [&mutex]() -> async::Task<> { const auto guard = co_await mutex.lock(); });
}
#endif

}  // namespace chappe
