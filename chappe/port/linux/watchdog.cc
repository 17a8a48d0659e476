#include "chappe/port/linux/watchdog.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "chappe/base/check.h"
#include "chappe/base/note.h"
#include "chappe/base/text.h"
#include "chappe/sync/agent.h"

namespace chappe::port {
namespace {

// Nobody else uses it; a program that does not watch has no handler for it.
int bark_signal() {
  return SIGRTMIN;
}

// Runs on the thread that hangs, in the middle of whatever it does.
extern "C" void panic_here(int) {
  Text<200> words;
  words.add("watchdog: the executor does not come round: ");
  const sync::Agent* const agent = sync::Agent::running();
  if (agent == nullptr) {
    words.add("it is outside its tasks");
  } else {
    words.add(agent->kind_name()).add(" '").add(agent->name()).add("' keeps it");
  }
  panic(words.view(), Site::here(), {.code = PanicCode::watchdog});
}

void write_line(std::string_view words) {
  static_cast<void>(!::write(STDERR_FILENO, words.data(), words.size()));
}

}  // namespace

Watchdog::Watchdog(LinuxPort& port, Duration limit, Action action)
    : port_(port),
      limit_(limit),
      action_(action),
      watched_(::pthread_self()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHAPPE_CHECK(wake_.get() >= 0);
  CHAPPE_CHECK(limit >= milliseconds(kLooks));
  struct sigaction handler{};
  handler.sa_handler = &panic_here;
  CHAPPE_CHECK(::sigaction(bark_signal(), &handler, nullptr) == 0);
  port_.watch_with(wake_.get());
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  port_.watch_with(-1);
  stopping_.store(1, sync::Order::release);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
  thread_.join();
}

void Watchdog::watch() {
  sync::Heartbeat& heart = port_.heartbeat();
  sync::Heartbeat::Sight last{};
  int same = 0;
  for (bool parked = false; wait(parked);) {
    const sync::Heartbeat::Sight now = heart.look();
    parked = heart.park(now);
    if (parked || !now.works() || now != last) {
      same = 0;
    } else if (++same == kLooks) {
      bark();
    }
    last = now;
  }
}

// False at the end. Parked, it waits for the executor's wake; else for the next look.
bool Watchdog::wait(bool parked) {
  looks_.store(sync::By<Watchdog>(), looks_.load(sync::Order::relaxed) + 1, sync::Order::relaxed);
  const auto quarter = static_cast<int>(in_ms(limit_) / kLooks);
  pollfd end{wake_.get(), POLLIN, 0};
  do {
    if (::poll(&end, 1, parked ? -1 : quarter) > 0) {
      std::uint64_t count = 0;
      static_cast<void>(!::read(wake_.get(), &count, sizeof count));
      parked = false;
      if (stopping_.load(sync::Order::acquire) != 0) return false;
    }
  } while (parked);
  return true;
}

void Watchdog::bark() {
  hangs_.store(sync::By<Watchdog>(), hangs_.load(sync::Order::relaxed) + 1, sync::Order::relaxed);
  const auto silent_ms = static_cast<std::uint32_t>(in_ms(limit_));
  note(Note::watchdog, hangs_.load(sync::Order::relaxed), silent_ms);
  Text<120> words;
  words.add("watchdog: the executor has not come round for ").add(silent_ms).add(" ms");
  if (action_ == Action::report) {
    words.add('\n');
    write_line(words.view());
    return;
  }
  ::pthread_kill(watched_, bark_signal());
  // It should be dead before that is over. If not, it hangs where no signal reaches it.
  const timespec moment{2, 0};
  ::nanosleep(&moment, nullptr);
  words.add(", and takes no signal");
  panic(words.view(), Site::here(), {PanicCode::watchdog, silent_ms});
}

}  // namespace chappe::port
