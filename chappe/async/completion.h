#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/waiter.h"
#include "chappe/sync/wake_list.h"

namespace chappe::async {

/// One result for one operation, from any context to the one task that asked.
///
/// The task arms it and gives the ticket away; whoever has the ticket completes it once, from an
/// interrupt, a thread or a task; the task takes the result. A ticket of an earlier operation, a
/// second completion, a completion after withdraw() do nothing and say so.
///
/// One word: generation (30 bits) and state. Completing claims the word before it stores the
/// result, so a late completion of an earlier operation cannot touch the next one's. The owner
/// takes the result only when its wake has arrived: the completer's last touch. So it may take it,
/// and destroy this, whatever thread completed it.
template <class T>
class Completion : public sync::WakeSource {
 public:
  /// Names one armed operation.
  struct Ticket {
    std::uint32_t word = 0;
  };

  explicit Completion(sync::WakeList& list) : WakeSource(list, &deliver) {}
  ~Completion() {
    drain();
    CHAPPE_CHECK(waiters_.empty());
  }

  /// Begins an operation. Panics if one is under way. Context: task.
  Ticket arm() {
    const std::uint32_t idle = state_.load(sync::Order::acquire);
    CHAPPE_CHECK((idle & kStateMask) == kIdle);
    // Release: whoever completes acquires this, and with it the end of the operation before.
    state_.store(idle | kArmed, sync::Order::release);
    return Ticket{idle | kArmed};
  }

  /// Ends the operation that `ticket` names. False, and nothing happens, if it has ended already.
  /// O(1), allocates nothing.
  /// Contract of Completion::complete: context any; sleeps never; locks none; timers none; wakes
  /// the task that armed it; touches Completion::state, Completion::result; calls
  /// WakeSource::add_one.
  bool complete(Ticket ticket, T result) noexcept {
    std::uint32_t expected = ticket.word;
    if ((expected & kStateMask) != kArmed) return false;
    const std::uint32_t writing = (ticket.word & ~kStateMask) | kWriting;
    if (!state_.compare_exchange(expected, writing, sync::Order::acquire, sync::Order::relaxed)) {
      return false;
    }
    result_.write(std::optional<T>(std::move(result)));
    state_.store((ticket.word & ~kStateMask) | kDone, sync::Order::release);
    add_one();
    return true;
  }

  /// Gives the operation up. False if its result is there or on its way: it must be taken, so a
  /// deadline can never lose a result. Context: task.
  [[nodiscard]] bool withdraw() noexcept {
    std::uint32_t armed = state_.load(sync::Order::relaxed);
    if ((armed & kStateMask) != kArmed) return false;
    const std::uint32_t next = next_generation(armed);
    return state_.compare_exchange(armed, next, sync::Order::relaxed, sync::Order::relaxed);
  }

  /// Gives the operation up and throws its result away if it has one already. For an owner that
  /// knows that nobody is completing it at this moment. Context: the executor.
  void abandon() {
    if (withdraw() || !armed()) return;
    drain();
    static_cast<void>(take());
  }

  bool armed() const { return (state_.load(sync::Order::relaxed) & kStateMask) != kIdle; }

  class [[nodiscard]] Result : public sync::Waiter {
   public:
    Result(Completion& completion, Site site) : completion_(completion), site_(site) {}
    bool await_ready() const noexcept {
      completion_.drain();
      return completion_.delivered_;
    }
    template <sync::TaskPromise Promise>
    void await_suspend(std::coroutine_handle<Promise> place) noexcept {
      CHAPPE_CHECK(completion_.waiters_.empty());  // one result, one owner
      place.promise().suspend(*this, place, "completion", site_, completion_.list());
      completion_.waiters_.push_back(*this);
    }
    T await_resume() { return completion_.take(); }

   private:
    Completion& completion_;
    const Site site_;
  };
  /// `T result = co_await completion.result();` Context: the task that armed it.
  Result result(Site site = Site::here()) { return Result(*this, site); }

 private:
  static constexpr std::uint32_t kStateMask = 3;
  static constexpr std::uint32_t kIdle = 0;
  static constexpr std::uint32_t kArmed = 1;
  static constexpr std::uint32_t kWriting = 2;
  static constexpr std::uint32_t kDone = 3;

  static std::uint32_t next_generation(std::uint32_t word) { return (word & ~kStateMask) + 4; }

  T take() {
    CHAPPE_CHECK(delivered_);
    delivered_ = false;
    const std::uint32_t done = state_.load(sync::Order::acquire);
    T result = std::move(*result_.read());
    result_.write(std::nullopt);
    state_.store(next_generation(done), sync::Order::relaxed);
    return result;
  }

  static void deliver(sync::WakeSource& self, std::uint32_t) noexcept {
    auto& completion = static_cast<Completion&>(self);
    completion.delivered_ = true;
    if (sync::Waiter* const waiter = completion.waiters_.pop_front()) waiter->wake();
  }

  static constexpr sync::SharedState kStateState{
      .name = "Completion::state",
      .purpose = "which operation, and whether it is idle, armed, being written or done",
      .writers = sync::Who::any,
      .readers = sync::Who::any,
      .protection = "one word: completing claims it before the result is stored",
      .orders = sync::Orders::acquire | sync::Orders::release | sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kStateState> state_{kIdle};
  static constexpr sync::SharedState kResultState{
      .name = "Completion::result",
      .purpose = "what the operation brought",
      .writers = sync::Who::any,
      .readers = sync::Who::task,
      .protection = "written by whoever claimed Completion::state, taken after its wake"};
  sync::OrderedPlain<std::optional<T>, kResultState> result_;
  List<sync::Waiter> waiters_;  // executor's thread only; at most one
  bool delivered_ = false;      // executor's thread only
};

}  // namespace chappe::async
