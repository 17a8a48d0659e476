#include "apps/chappe/patient_output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace chappe::app {
namespace {

// The flag that keeps a write from waiting belongs to everybody who has the same open file, such as
// the shell that started us: a terminal is opened once more. A pipe that can be written to takes
// PIPE_BUF bytes without it.
int open_again(int fd) {
  if (::isatty(fd) == 0) return -1;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

PatientOutput::PatientOutput(port::LinuxPort& port, async::Executor& executor, int fd, Words words)
    : executor_(executor),
      own_(open_again(fd)),
      fd_(own_.get() >= 0 ? own_.get() : fd),
      descriptor_(port, executor.wakes(), fd_),
      words_(std::move(words)) {}

PatientOutput::~PatientOutput() {
  slot_.cancel();
}

void PatientOutput::start() {
  executor_.spawn(slot_, "standard output", &PatientOutput::wait_for_reader, this);
}

async::Task<> PatientOutput::wait_for_reader() {
  for (;;) {
    co_await descriptor_.writing().wait(port::Descriptor::kWritable | port::Descriptor::kHangUp |
                                        port::Descriptor::kError);
    drain();
  }
}

PatientOutput::int_type PatientOutput::overflow(int_type letter) {
  if (letter != traits_type::eof()) piece_ += traits_type::to_char_type(letter);
  return traits_type::not_eof(letter);
}

std::streamsize PatientOutput::xsputn(const char* letters, std::streamsize count) {
  piece_.append(letters, static_cast<std::size_t>(count));
  return count;
}

int PatientOutput::sync() {
  drain();
  const bool fits = lost_unsaid_ == 0 && kept_.size() - written_ + piece_.size() <= kKept;
  if (fits) {
    kept_ += piece_;
    drain();
  } else if (!piece_.empty()) {
    ++lost_;
    ++lost_unsaid_;
  }
  piece_.clear();
  return failed_ ? -1 : 0;
}

bool PatientOutput::can_write(int timeout_ms) const {
  pollfd asked{fd_, POLLOUT, 0};
  return ::poll(&asked, 1, timeout_ms) > 0;
}

void PatientOutput::drain() {
  for (;;) {
    while (written_ < kept_.size() && can_write(0)) {
      const std::size_t count = std::min<std::size_t>(kept_.size() - written_, PIPE_BUF);
      const char* const from = kept_.data() + written_;
      ssize_t taken = ::send(fd_, from, count, MSG_DONTWAIT);
      if (taken < 0 && errno == ENOTSOCK) taken = ::write(fd_, from, count);
      if (taken >= 0) {
        written_ += static_cast<std::size_t>(taken);
      } else if (errno == EAGAIN) {
        break;
      } else if (errno != EINTR) {
        failed_ = true;
        written_ = kept_.size();
      }
    }
    // What was taken goes in large parts, so that each byte moves about once.
    if (written_ == kept_.size() || written_ > kKept / 2) {
      kept_.erase(0, std::exchange(written_, 0));
    }
    // Half of the room first: or each piece that is taken would cost a line about one that is not.
    if (lost_unsaid_ == 0 || kept_.size() - written_ > kKept / 2) return;
    kept_ += words_(std::exchange(lost_unsaid_, 0));
  }
}

bool PatientOutput::finish() {
  sync();
  while ((written_ < kept_.size() || lost_unsaid_ > 0) && can_write(kFarewell_ms)) drain();
  return !failed_ && written_ == kept_.size();
}

}  // namespace chappe::app
