#include "chappe/client/turns.h"

#include "chappe/async/sleep.h"

namespace chappe::client {

void Turns::start() {
  executor_.spawn(slot_, "client turns", &Turns::give, this);
}

async::Task<> Turns::give() {
  for (;;) {
    while (line_.empty()) co_await asked_.wait("clients");
    std::uint32_t ours = 1;  // tasks of ours that run between two looks: this one
    std::uint32_t waited = 0;
    std::uint64_t before = executor_.resumed_count();
    while (!line_.empty()) {
      co_await async::yield(executor_);
      const std::uint64_t resumed = executor_.resumed_count();
      const bool quiet = resumed - before <= ours;
      before = resumed;
      ours = 1;
      if (!quiet && ++waited < kPatience) continue;
      waited = 0;
      ++given_;
      ++ours;
      line_.wake_one();
    }
  }
}

}  // namespace chappe::client
