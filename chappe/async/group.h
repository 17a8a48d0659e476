#pragma once

#include <cstdint>
#include <utility>

#include "chappe/async/executor.h"
#include "chappe/async/wait_list.h"

namespace chappe::async {

/// Tasks that live no longer than the scope that started them.
///
///   TaskSlot<1024> slots[2];
///   Group both(executor);
///   both.spawn(slots[0], "reader", read_all, stream);
///   both.spawn(slots[1], "writer", write_all, stream);
///   co_await both.all();
///
/// Leaving the scope, by return or by being cancelled, cancels those that still live, the newest
/// first, before anything declared earlier goes away. So whatever the children use may be a local.
/// Context: a task or the owner of one executor; the group's own children must not cancel it.
class Group {
 public:
  explicit Group(Executor& executor) : executor_(executor) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { cancel(); }

  /// As Executor::spawn.
  template <class Make, class... Args>
  void spawn(TaskHeader& slot, const char* name, Make make, Args&&... args) {
    executor_.spawn(slot, name, make, std::forward<Args>(args)...);
    adopt(slot);
  }

  bool empty() const { return children_.empty(); }
  void cancel();

  class [[nodiscard]] All : public WaitList::Wait {
   public:
    All(Group& group, Site site) : Wait(group.emptied_, "a group", site), group_(group) {}
    bool await_ready() const { return group_.empty(); }

   private:
    Group& group_;
  };
  /// Until no child lives.
  All all(Site site = Site::here()) { return All(*this, site); }

  class [[nodiscard]] One : public WaitList::Wait {
   public:
    One(Group& group, Site site) : Wait(group.shrunk_, "one of a group", site), group_(group) {}
    bool await_ready() const { return group_.untold_ != 0 || group_.empty(); }
    void await_resume() const {
      if (group_.untold_ != 0) --group_.untold_;
    }

   private:
    Group& group_;
  };
  /// Until a child has ended that no earlier one() has told of; at once if none lives.
  One one(Site site = Site::here()) { return One(*this, site); }

 private:
  friend class Executor;
  void adopt(TaskHeader& slot);
  void ended(TaskHeader& task);

  Executor& executor_;
  List<TaskHeader::Place> children_;
  WaitList emptied_;
  WaitList shrunk_;
  std::uint32_t untold_ = 0;  // ended, and one() has not returned for it
};

}  // namespace chappe::async
