#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>

#include "chappe/async/frame_arena.h"
#include "chappe/base/list.h"
#include "chappe/base/site.h"
#include "chappe/sync/agent.h"
#include "chappe/sync/waiter.h"

namespace chappe::async {

class Executor;
class Group;

/// What an executor knows of one task: where its frames live, where to resume it, what it waits
/// for. Created by its owner as a TaskSlot; spawned, resumed and destroyed by one executor only.
class TaskHeader : public sync::Agent, public ListNode {
 public:
  enum class State : std::uint8_t { empty, ready, running, waiting, done };

  ~TaskHeader();

  State state() const { return state_; }
  bool alive() const { return state_ != State::empty && state_ != State::done; }
  const FrameArena& arena() const { return arena_; }
  Executor* executor() const { return executor_; }

  /// Destroys the task where it waits: its destructors unlink waits, cancel timers and release
  /// locks. Nothing if it is not alive. Panics if it is running: a task ends itself by returning.
  /// Context: the task's executor; while that runs, only its thread.
  void cancel();

  /// The task whose frames are allocated now. Panics outside a task: a frame has to live somewhere.
  static TaskHeader& current() {
    Agent* const agent = Agent::running();
    if (agent == nullptr || agent->kind() != Kind::task) [[unlikely]]
      fail_outside_a_task();
    return static_cast<TaskHeader&>(*agent);
  }

 protected:
  TaskHeader(std::byte* buffer, std::size_t bytes)
      : Agent(Kind::task, "unnamed"), arena_(buffer, bytes, &name_for_arena_) {}

 private:
  friend class AsyncMutex;
  friend class Executor;
  friend class Group;
  friend class PromiseBase;

  // A place in a list of tasks that is no queue.
  struct Place : ListNode {
    explicit Place(TaskHeader& owner) : task(owner) {}
    TaskHeader& task;
  };

  static void resume_waiter(sync::Waiter& waiter) noexcept;
  [[noreturn, gnu::cold]] static void fail_outside_a_task();
  [[noreturn, gnu::cold]] void fail_foreign_wait() const;

  FrameArena arena_;
  const char* name_for_arena_ = "unnamed";
  Executor* executor_ = nullptr;
  const sync::WakeList* wakes_ = nullptr;  // the executor's
  Agent* before_spawn_ = nullptr;          // who runs while the first frame is made
  std::coroutine_handle<> root_;
  std::coroutine_handle<> resume_at_;  // innermost frame to resume; null while it waits
  Place among_living_{*this};          // of its executor, in the order of spawning
  Place in_group_{*this};
  Group* group_ = nullptr;
  State state_ = State::empty;
};

/// A task's header and memory in one: `TaskSlot<2048> transmitter;`. Its executor must outlive it.
/// The destructor cancels the task.
template <std::size_t FrameBytes>
class TaskSlot : public TaskHeader {
 public:
  TaskSlot() : TaskHeader(frames_, FrameBytes) {}
  ~TaskSlot() { cancel(); }

 private:
  alignas(std::max_align_t) std::byte frames_[FrameBytes];
};

}  // namespace chappe::async
