#include "chappe/async/executor.h"

#include <algorithm>

#include "chappe/async/group.h"
#include "chappe/base/note.h"
#include "chappe/base/panic.h"
#include "chappe/base/text.h"
#include "chappe/sync/anomaly.h"

namespace chappe::async {

using State = TaskHeader::State;

namespace {

// Who runs while timers fire: so that nobody can pass as a worker there, and block.
struct FiringTimers : sync::Agent {
  FiringTimers() : Agent(Kind::timer, "callback") {}
};

}  // namespace

TaskHeader::~TaskHeader() {
  CHAPPE_CHECK(!alive());
}

void TaskHeader::fail_outside_a_task() {
  panic("a coroutine was called outside a task: its frame has nowhere to live");
}

void TaskHeader::resume_waiter(sync::Waiter& waiter) noexcept {
  TaskHeader& task = *static_cast<TaskHeader*>(waiter.task());
  task.resume_at_ = waiter.place();
  task.executor_->make_ready(task);
}

void TaskHeader::fail_foreign_wait() const {
  Text<200> words;
  words.add("task '").add(name()).add("' waits for ").add(waiting_for());
  words.add(" of another executor, at ").add(waiting_at());
  panic(words.view());
}

void TaskHeader::cancel() {
  if (!alive()) return;
  executor_->check_at_home("cancel");
  if (state_ == State::running) panic("a task cannot be cancelled while it runs: let it return");
  ListNode::unlink();
  // The destructors run as the task: they release what it holds.
  Agent* const before = Agent::running();
  Agent::set_running(this);
  root_.destroy();
  Agent::set_running(before);
  executor_->end(*this);
}

Executor::Home::Home(Executor& executor)
    : executor_(executor),
      before_(executor.home_.load(sync::Order::relaxed)),
      agent_before_(sync::Agent::running()) {
  executor.check_at_home("run");
  executor.home_.store(sync::Agent::this_thread(), sync::Order::relaxed);
  sync::Agent::set_running(nullptr);
}

Executor::Home::~Home() {
  executor_.home_.store(before_, sync::Order::relaxed);
  sync::Agent::set_running(agent_before_);
}

void Executor::fail_away_from_home(const char* what) const {
  Text<160> words;
  words.add("executor: ").add(what).add(" from another thread than the one that runs it");
  panic(words.view());
}

void Executor::prepare(TaskHeader& slot, const char* name) {
  check_at_home("spawn");
  CHAPPE_CHECK(!slot.alive());
  slot.rename(name);
  slot.name_for_arena_ = name;
  slot.executor_ = this;
  slot.wakes_ = &wakes_;
  slot.before_spawn_ = sync::Agent::running();
  sync::Agent::set_running(&slot);
}

void Executor::adopt(TaskHeader& slot, std::coroutine_handle<Task<void>::promise_type> root) {
  sync::Agent::set_running(slot.before_spawn_);
  root.promise().header_ = &slot;
  slot.root_ = root;
  slot.resume_at_ = root;
  living_.push_back(slot.among_living_);
  make_ready(slot);
}

void Executor::make_ready(TaskHeader& task) {
  // Two waits of one task may end in the same step; the first has queued it.
  if (task.state_ == State::ready) return;
  task.state_ = State::ready;
  ready_.push_back(task);
}

void Executor::resume(TaskHeader& task) {
  task.state_ = State::running;
  task.end_waiting();
  sync::Agent::set_running(&task);
  ++resumed_;
  while (task.resume_at_) std::exchange(task.resume_at_, nullptr).resume();
  sync::Agent::set_running(nullptr);
  if (task.root_.done()) {
    sync::Agent::set_running(&task);
    task.root_.destroy();
    sync::Agent::set_running(nullptr);
    end(task);
  } else if (task.waiting_for() != nullptr) [[likely]] {
    task.state_ = State::waiting;
  } else {
    Text<160> words;
    words.add("task '").add(task.name()).add("' suspended without anything that could wake it");
    panic(words.view());
  }
  locks_held_ |= task.holds_a_lock();
  // After each task: its end is the next one's beginning. Most tasks end before the port's glance
  // has moved on, and need no look at the clock itself.
  if (port_.glance() != glanced_at_) [[unlikely]]
    look_at_clock("task", task.name());
}

void Executor::look_at_clock(const char* kind, const char* name) {
  glanced_at_ = port_.glance();
  const Time now = port_.now();
  if (now - time_ > step_budget_) [[unlikely]] {
    Text<160> words;
    words.add(kind).add(" '").add(name).add("' kept its executor for ");
    words.add(in_ms(now - time_)).add(" ms");
    note(Note::slow_step, note_name(name), static_cast<std::uint32_t>((now - time_).count()));
    sync::report(sync::Anomaly::slow_step, words.view());
  }
  time_ = now;
}

void Executor::end(TaskHeader& task) {
  task.root_ = nullptr;
  task.resume_at_ = nullptr;
  task.state_ = State::done;
  task.end_waiting();
  task.among_living_.unlink();
  if (const Text<200> words = task.still_holding(); !words.empty()) panic(words.view());
  if (task.group_ != nullptr) std::exchange(task.group_, nullptr)->ended(task);
}

bool Executor::fire_timers() {
  if (timers_.empty() || timers_.front().deadline_ > time_) return false;
  const Time now = time_;
  const TimerContext context(now);
  // Armed meanwhile: not before the next step, or a timer that re-arms itself in the past would
  // keep everybody else from running.
  const std::uint64_t armed_before = armed_;
  firing_at_ = now;
  bool fired = false;
  FiringTimers firing;
  sync::Agent* const before = sync::Agent::running();
  sync::Agent::set_running(&firing);
  while (!timers_.empty() && timers_.front().deadline_ <= now &&
         timers_.front().armed_as_ <= armed_before) {
    Timer& timer = *timers_.pop();
    timer.callback_(timer, context);
    if (firing.holds_a_lock()) [[unlikely]]
      panic(firing.still_holding().view());
    fired = true;
  }
  sync::Agent::set_running(before);
  firing_at_ = Time::min();
  if (fired) look_at_clock("timers", "of one step");
  return fired;
}

bool Executor::step() {
  const Home home(*this);
  ++steps_;
  bool worked = wakes_.drain();
  if (!timers_.empty() || !ready_.empty()) time_ = port_.now();
  worked |= fire_timers();
  List<TaskHeader> batch;
  batch.splice_back(ready_);
  while (TaskHeader* const task = batch.pop_front()) {
    resume(*task);
    worked = true;
  }
  return worked;
}

void Executor::sleep() {
  CHAPPE_DCHECK(ready_.empty());
  if (!wakes_.announce_sleep()) return;
  ++sleeps_;
  port_.wait(std::min(next_deadline(), look_at_locks()));
  wakes_.retract_sleep();
  port_.dispatch();
}

// Returns when to look again. Nobody needs a tick for it: while there are held locks, a sleep ends
// when the first of them reaches its budget or its limit.
Time Executor::look_at_locks() {
  Time next = kNever;
  if (!locks_held_) return next;
  time_ = port_.now();
  living_.for_each(
      [&](TaskHeader::Place& place) { next = std::min(next, place.task.look_at_held(time_)); });
  locks_held_ = next != kNever;
  return next;
}

void Executor::stop() {
  check_at_home("stop");
  stopping_ = true;
}

Abandoned Executor::shut_down(Duration bound) {
  const Home home(*this);
  shutting_down_ = true;
  stop_requested_.wake_all();
  struct Bound : Timer {
    explicit Bound(Executor& executor) : Timer(executor, &fired) {}
    static void fired(Timer& timer, const TimerContext&) { static_cast<Bound&>(timer).over = true; }
    bool over = false;
  };
  Bound patience(*this);
  patience.arm(time_after(port_.now(), bound));
  while (!living_.empty() && !patience.over) {
    if (!step()) sleep();
  }
  Abandoned abandoned;
  while (!living_.empty()) {
    TaskHeader& task = living_.back().task;
    Text<160> words;
    words.add("task '").add(task.name()).add("' waiting for ");
    words.add(task.waiting_for() != nullptr ? task.waiting_for() : "its turn");
    if (task.waiting_for() != nullptr) words.add(" at ").add(task.waiting_at());
    sync::report(sync::Anomaly::abandoned_task, words.view());
    if (++abandoned.count > 1) abandoned.words.add("; ");
    abandoned.words.add(words.view());
    task.cancel();
  }
  shutting_down_ = false;
  return abandoned;
}

void Executor::run() {
  const Home home(*this);
  stopping_ = false;
  std::uint32_t busy_steps = 0;
  while (!stopping_) {
    if (!step()) {
      busy_steps = 0;
      if (!stopping_) sleep();
    } else if (++busy_steps == kBusySteps) {
      busy_steps = 0;
      static_cast<void>(look_at_locks());
      port_.wait(port_.now());  // a deadline that has come: it looks, and does not sleep
      port_.dispatch();
    }
  }
}

void Timer::arm(Time deadline) {
  executor_.check_at_home("arm a timer");
  cancel();
  // In a callback, behind everybody else who is due: else one that is always late would come first
  // for ever, and the others never.
  deadline_ = std::max(deadline, executor_.firing_at_);
  armed_as_ = ++executor_.armed_;
  executor_.timers_.push(*this);
}

void Timer::cancel() {
  if (!queued()) return;
  executor_.check_at_home("cancel a timer");
  executor_.timers_.remove(*this);
}

Executor& this_executor() {
  return *TaskHeader::current().executor();
}

}  // namespace chappe::async
