#include "tests/seeds/demonstration.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "chappe/async/async_mutex.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/wait_list.h"
#include "chappe/port/virtual/virtual_port.h"

namespace chappe::seeds {
namespace {

constexpr int kUsers = 5;
constexpr Duration kTransfer = milliseconds(40);

// A lock with a timeout and an error code, as the firmware's callers had it: whoever waits longer
// than somebody once guessed hands "busy" to the user.
struct NaiveLock {
  bool held = false;
  async::WaitList line;
};

struct Tally {
  int done = 0;
  int busy = 0;
};

async::Task<> use_naively(async::Executor& executor, NaiveLock& lock, Tally& tally) {
  const Time patience = executor.now() + milliseconds(100);
  while (lock.held && executor.now() < patience) {
    co_await async::sleep_for(executor, milliseconds(10));
  }
  if (lock.held) {
    ++tally.busy;
    co_return;
  }
  lock.held = true;
  co_await async::sleep_for(executor, kTransfer);
  lock.held = false;
  ++tally.done;
}

async::Task<> recurse_naively(NaiveLock& lock, bool& came_back) {
  lock.held = true;
  while (lock.held) co_await lock.line.wait("itself");  // nobody else can ever release it
  came_back = true;
}

async::Task<> use(async::Executor& executor, async::AsyncMutex& mutex, Tally& tally) {
  const auto guard = co_await mutex.lock();
  co_await async::sleep_for(executor, kTransfer);
  ++tally.done;
}

async::Task<> recurse(async::AsyncMutex& mutex) {
  const auto once = co_await mutex.lock();
  const auto twice = co_await mutex.lock();
}

// Runs `what` in a child process and returns what it said before it died.
template <class What>
std::string last_words(What what) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    what();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string words;
  std::array<char, 512> buffer{};
  for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    words.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? words.substr(0, words.find('\n')) : std::string();
}

constexpr sync::LockClass kSensor{"sensor bus", 10};

}  // namespace

Demonstration demonstrate_001() {
  Demonstration shown{"001", "locking fails, and the failure reaches the user; recursion hangs"};
  {
    port::VirtualPort port;
    async::Executor executor(port);
    NaiveLock lock;
    Tally tally;
    std::array<async::TaskSlot<512>, kUsers> slots;
    for (auto& slot : slots) executor.spawn(slot, "user", use_naively, executor, lock, tally);
    port.run(executor);
    bool came_back = false;
    async::TaskSlot<512> recursing;
    executor.spawn(recursing, "recursing", recurse_naively, lock, came_back);
    port.run(executor, executor.now() + hours(1));
    recursing.cancel();
    shown.naive = std::to_string(tally.done) + " of " + std::to_string(kUsers) + " served, " +
                  std::to_string(tally.busy) + " got \"busy\"; a recursive lock " +
                  (came_back ? "came back" : "still hangs after an hour, and says nothing");
    shown.naive_has_the_bug = tally.busy > 0 && !came_back;
  }
  {
    port::VirtualPort port;
    async::Executor executor(port);
    async::AsyncMutex mutex(kSensor);
    Tally tally;
    std::array<async::TaskSlot<512>, kUsers> slots;
    for (auto& slot : slots) executor.spawn(slot, "user", use, executor, mutex, tally);
    port.run(executor);
    const std::string words = last_words([&] {
      async::TaskSlot<1024> slot;
      executor.spawn(slot, "recursing", recurse, mutex);
      port.run(executor);
    });
    shown.chappe = std::to_string(tally.done) + " of " + std::to_string(kUsers) +
                   " served, nobody got an error; a recursive lock says\n            \"" + words +
                   "\"";
    shown.chappe_is_clean =
        tally.done == kUsers && words.find("recursive lock") != std::string::npos;
  }
  return shown;
}

}  // namespace chappe::seeds
