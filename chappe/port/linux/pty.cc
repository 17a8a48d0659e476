#include "chappe/port/linux/pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "chappe/async/sleep.h"

namespace chappe::port {
namespace {

// Opened, raw, and its other end's name; -1 if the system has none.
int open_line(std::string& name) {
  OwnedFd line(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (line.get() < 0 || ::grantpt(line.get()) != 0 || ::unlockpt(line.get()) != 0) return -1;
  std::array<char, 64> end{};
  if (::ptsname_r(line.get(), end.data(), end.size()) != 0) return -1;
  // Set from here, the line is raw before anybody has it: no echo, no byte that means something.
  termios settings{};
  if (::tcgetattr(line.get(), &settings) != 0) return -1;
  ::cfmakeraw(&settings);
  if (::tcsetattr(line.get(), TCSANOW, &settings) != 0) return -1;
  name = end.data();
  return line.release();
}

// Atomically: who opens the path finds the old line or the new one.
bool put_link(const std::string& target, const std::string& path) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  return ::symlink(target.c_str(), fresh.c_str()) == 0 &&
         ::rename(fresh.c_str(), path.c_str()) == 0;
}

}  // namespace

Result<std::unique_ptr<PtyListener>, std::string> PtyListener::listen(LinuxPort& port,
                                                                      sync::WakeList& wakes,
                                                                      const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISLNK(status.st_mode)) {
    return Unexpected(path + ": there is something that is not a link; move it away");
  }
  OwnedFd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const bool watches = watch.get() >= 0;
  if (watches) {
    std::unique_ptr<PtyListener> listener(new PtyListener(port, wakes, std::move(watch), path));
    if (listener->renew()) return listener;
  }
  return Unexpected(path + ": no pseudo-terminal: " + std::strerror(errno));
}

PtyListener::PtyListener(LinuxPort& port,
                         sync::WakeList& wakes,
                         OwnedFd watch,
                         const std::string& path)
    : path_(path), watch_(std::move(watch)), descriptor_(port, wakes, watch_.get()) {}

PtyListener::~PtyListener() {
  if (line_ < 0) return;
  ::unlink(path_.c_str());
  ::close(line_);
}

bool PtyListener::renew() {
  std::string name;
  OwnedFd line(open_line(name));
  if (line.get() < 0) return false;
  if (watched_ >= 0) ::inotify_rm_watch(watch_.get(), watched_);
  watched_ = ::inotify_add_watch(watch_.get(), name.c_str(), IN_OPEN);
  if (watched_ < 0 || !put_link(name, path_)) return false;
  line_ = line.release();
  return true;
}

bool PtyListener::was_opened() {
  alignas(inotify_event) std::array<char, 4096> events{};
  bool opened = false;
  for (;;) {
    const ssize_t size = ::read(watch_.get(), events.data(), events.size());
    if (size <= 0) return opened;
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, events.data() + at, sizeof event);
      opened = opened || (event.wd == watched_ && (event.mask & IN_OPEN) != 0);
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

async::Task<int> PtyListener::accept() {
  while (line_ < 0) {
    // Out of descriptors or lines: nobody tells when there is one again.
    if (renew()) break;
    co_await async::sleep_for(async::this_executor(), seconds(1));
  }
  while (!was_opened()) co_await descriptor_.reading().wait(Descriptor::kReadable);
  const int line = std::exchange(line_, -1);
  static_cast<void>(renew());  // if not now, with the next call
  co_return line;
}

}  // namespace chappe::port
