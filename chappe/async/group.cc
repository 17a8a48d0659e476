#include "chappe/async/group.h"

namespace chappe::async {

void Group::adopt(TaskHeader& slot) {
  slot.group_ = this;
  children_.push_back(slot.in_group_);
}

void Group::ended(TaskHeader& task) {
  task.in_group_.unlink();
  ++untold_;
  shrunk_.wake_one();
  if (children_.empty()) emptied_.wake_all();
}

void Group::cancel() {
  while (!children_.empty()) children_.back().task.cancel();
}

}  // namespace chappe::async
