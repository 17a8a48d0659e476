#include "chappe/async/executor.h"

#include <algorithm>

#include "chappe/base/panic.h"
#include "chappe/base/text.h"

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

TaskHeader& TaskHeader::current() {
  Agent* const agent = Agent::running();
  if (agent == nullptr || agent->kind() != Kind::task) [[unlikely]] {
    panic("a coroutine was called outside a task: its frame has nowhere to live");
  }
  return static_cast<TaskHeader&>(*agent);
}

void TaskHeader::resume_waiter(sync::Waiter& waiter) noexcept {
  TaskHeader& task = *static_cast<TaskHeader*>(waiter.task());
  task.resume_at_ = waiter.place();
  task.executor_->make_ready(task);
}

void TaskHeader::cancel() {
  if (!alive()) return;
  if (state_ == State::running) panic("a task cannot be cancelled while it runs: let it return");
  ListNode::unlink();
  // The destructors run as the task: they release what it holds.
  Agent* const before = Agent::running();
  Agent::set_running(this);
  root_.destroy();
  Agent::set_running(before);
  executor_->end(*this);
}

void Executor::prepare(TaskHeader& slot, const char* name) {
  CHAPPE_CHECK(!slot.alive());
  slot.rename(name);
  slot.name_for_arena_ = name;
  slot.executor_ = this;
  slot.before_spawn_ = sync::Agent::running();
  sync::Agent::set_running(&slot);
}

void Executor::adopt(TaskHeader& slot, std::coroutine_handle<Task<void>::promise_type> root) {
  sync::Agent::set_running(slot.before_spawn_);
  root.promise().header_ = &slot;
  slot.root_ = root;
  slot.resume_at_ = root;
  ++living_;
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
  task.waiting_for_ = nullptr;
  sync::Agent::set_running(&task);
  ++resumed_;
  while (task.resume_at_) std::exchange(task.resume_at_, nullptr).resume();
  sync::Agent::set_running(nullptr);
  if (task.root_.done()) {
    sync::Agent::set_running(&task);
    task.root_.destroy();
    sync::Agent::set_running(nullptr);
    end(task);
  } else if (task.waiting_for_ != nullptr) [[likely]] {
    task.state_ = State::waiting;
  } else {
    Text<160> words;
    words.add("task '").add(task.name()).add("' suspended without anything that could wake it");
    panic(words.view());
  }
}

void Executor::end(TaskHeader& task) {
  task.root_ = nullptr;
  task.resume_at_ = nullptr;
  task.state_ = State::done;
  --living_;
  if (const Text<200> words = task.still_holding(); !words.empty()) panic(words.view());
}

bool Executor::fire_timers() {
  if (timers_.empty()) return false;
  const Time now = port_.now();
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
    fired = true;
  }
  sync::Agent::set_running(before);
  firing_at_ = Time::min();
  return fired;
}

bool Executor::step() {
  ++steps_;
  bool worked = wakes_.drain();
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
  port_.wait(next_deadline());
  wakes_.retract_sleep();
  port_.dispatch();
}

void Executor::run() {
  stopping_ = false;
  std::uint32_t busy_steps = 0;
  while (!stopping_) {
    if (!step()) {
      busy_steps = 0;
      if (!stopping_) sleep();
    } else if (++busy_steps == kBusySteps) {
      busy_steps = 0;
      port_.wait(port_.now());  // a deadline that has come: it looks, and does not sleep
      port_.dispatch();
    }
  }
}

void Timer::arm(Time deadline) {
  cancel();
  // In a callback, behind everybody else who is due: else one that is always late would come first
  // for ever, and the others never.
  deadline_ = std::max(deadline, executor_.firing_at_);
  armed_as_ = ++executor_.armed_;
  executor_.timers_.push(*this);
}

void Timer::cancel() {
  if (queued()) executor_.timers_.remove(*this);
}

Executor& this_executor() {
  return *TaskHeader::current().executor();
}

}  // namespace chappe::async
