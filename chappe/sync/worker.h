#pragma once

#include "chappe/sync/agent.h"
#include "chappe/sync/parker.h"

namespace chappe::sync {

/// A thread that may block. It says who it is by having one of these on its stack for as long as it
/// runs; the object is also the token that Mutex::lock asks for. A task, a timer or an interrupt
/// has none at hand, so a blocking lock there does not compile; one made on an executor's thread
/// while a task runs is a panic.
class Worker : public Agent {
 public:
  explicit Worker(const char* name, Site site = Site::here());
  ~Worker();

 private:
  friend class Mutex;
  Parker parker_;
  Worker* next_ = nullptr;  // of the workplace, in its section
};

}  // namespace chappe::sync
