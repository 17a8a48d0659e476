#pragma once

#include <functional>
#include <utility>

namespace chappe::seeds {

/// The event as it was: a linked run queue, and a set() that moves the waiters into it, from
/// wherever it is called. `in_the_middle` runs once, between two steps of a queue operation, where
/// an interrupt may strike.
struct NaiveTask {
  int number = 0;
  int priority = 0;
  NaiveTask* next = nullptr;
};

class NaiveQueue {
 public:
  std::function<void()> in_the_middle;

  void push(NaiveTask& task) {
    NaiveTask** place = &first_;
    while (*place != nullptr && (*place)->priority <= task.priority) place = &(*place)->next;
    NaiveTask* const behind = *place;  // read
    if (in_the_middle) std::exchange(in_the_middle, nullptr)();
    task.next = behind;
    *place = &task;  // written: whatever came between is unlinked, with all behind it
  }
  NaiveTask* pop() {
    NaiveTask* const task = first_;
    if (task != nullptr) first_ = task->next;
    return task;
  }

 private:
  NaiveTask* first_ = nullptr;
};

class NaiveEvent {
 public:
  explicit NaiveEvent(NaiveQueue& run_queue) : run_queue_(run_queue) {}
  void wait(NaiveTask& task) { waiting_.push(task); }
  void set() {
    while (NaiveTask* const task = waiting_.pop()) run_queue_.push(*task);
  }

 private:
  NaiveQueue& run_queue_;
  NaiveQueue waiting_;
};

}  // namespace chappe::seeds
