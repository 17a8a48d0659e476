#include "chappe/port/linux/linux_port.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "chappe/base/panic.h"
#include "chappe/base/text.h"

namespace chappe::port {
namespace {

int checked(int result, const char* call) {
  if (result >= 0) return result;
  Text<120> words;
  words.add("linux port: ").add(call).add(": error ").add(errno);
  panic(words.view());
}

int add(int epoll, int fd, std::uint32_t bits, void* source) {
  epoll_event event{};
  event.events = bits;
  event.data.ptr = source;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

LinuxPort::LinuxPort()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      kick_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      timer_(
          checked(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")) {
  checked(add(epoll_, kick_, EPOLLIN | EPOLLET, nullptr), "epoll_ctl");
  checked(add(epoll_, timer_, EPOLLIN | EPOLLET, nullptr), "epoll_ctl");
}

LinuxPort::~LinuxPort() {
  ::close(timer_);
  ::close(kick_);
  ::close(epoll_);
}

Time LinuxPort::now() noexcept {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  return at_us(at.tv_sec * 1'000'000 + at.tv_nsec / 1000);
}

Time LinuxPort::glance() noexcept {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &at);
  return at_us(at.tv_sec * 1'000'000 + at.tv_nsec / 1000);
}

void LinuxPort::wait(Time deadline) noexcept {
  ++waits_;
  const bool only_looks = deadline <= now();
  if (!only_looks && deadline != timer_set_for_) {
    itimerspec setting{};
    if (deadline != kNever) {
      const std::int64_t us = in_us(deadline);
      // Rounded up by the clock's own truncation of now(): a timer must not fire early.
      setting.it_value.tv_sec = us / 1'000'000;
      setting.it_value.tv_nsec = us % 1'000'000 * 1000;
    }
    checked(::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &setting, nullptr), "timerfd_settime");
    timer_set_for_ = deadline;
  }
  if (only_looks) {
    heartbeat_.beat();
  } else {
    heartbeat_.rest();
  }
  epoll_event events[kBatch];
  const int count = ::epoll_wait(epoll_, events, kBatch, only_looks ? 0 : -1);
  if (count < 0 && errno != EINTR) checked(count, "epoll_wait");
  if (!only_looks) come_back();
  for (int i = 0; i < count; ++i) {
    if (events[i].data.ptr == nullptr) continue;  // a kick or the timer: waking up was all
    events_[event_count_++] = Event{events[i].data.ptr, events[i].events};
  }
  // A timer that has fired is spent: the same deadline must be set anew.
  if (timer_set_for_ != kNever && now() >= timer_set_for_) timer_set_for_ = kNever;
}

void LinuxPort::watch_with(int eventfd) {
  watchdog_ = eventfd;
  come_back();
}

void LinuxPort::come_back() noexcept {
  if (!heartbeat_.wake() || watchdog_ < 0) return;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(watchdog_, &one, sizeof one));
}

void LinuxPort::dispatch() noexcept {
  for (int i = 0; i < event_count_; ++i) {
    if (events_[i].source == nullptr) continue;
    auto& descriptor = *static_cast<Descriptor*>(events_[i].source);
    const std::uint32_t bits = events_[i].bits;
    const std::uint32_t gone = (bits & (EPOLLHUP | EPOLLRDHUP)) != 0 ? Descriptor::kHangUp : 0;
    std::uint32_t reading = gone;
    if ((bits & EPOLLIN) != 0) reading |= Descriptor::kReadable;
    std::uint32_t writing = (bits & EPOLLHUP) != 0 ? Descriptor::kHangUp : 0;
    if ((bits & EPOLLOUT) != 0) writing |= Descriptor::kWritable;
    if ((bits & EPOLLERR) != 0) writing |= Descriptor::kError;
    descriptor.reading_.set(reading);
    descriptor.writing_.set(writing);
  }
  event_count_ = 0;
}

void LinuxPort::kick() noexcept {
  const std::uint64_t one = 1;
  // Fails only if the counter is about to overflow; then an edge is pending already.
  static_cast<void>(!::write(kick_, &one, sizeof one));
}

Descriptor::Descriptor(LinuxPort& port, sync::WakeList& wakes, int fd)
    : port_(port),
      fd_(fd),
      reading_(wakes),
      writing_(wakes),
      watched_(add(port_.epoll_, fd_, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, this) == 0) {}

Descriptor::~Descriptor() {
  ::epoll_ctl(port_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  for (int i = 0; i < port_.event_count_; ++i) {
    if (port_.events_[i].source == this) port_.events_[i].source = nullptr;
  }
}

}  // namespace chappe::port
