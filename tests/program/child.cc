#include "tests/program/child.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace chappe::test {

namespace {

void fill(int pipe) {
  const std::string noise(4096, '.');
  ::fcntl(pipe, F_SETFL, O_NONBLOCK);
  while (::write(pipe, noise.data(), noise.size()) > 0) continue;
  ::fcntl(pipe, F_SETFL, 0);
}

}  // namespace

Child::Child(std::vector<std::string> arguments,
             std::vector<std::string> environment,
             Output output) {
  int out[2];
  int err[2];
  if (output == Output::terminal) {
    if (::openpty(&out[0], &out[1], nullptr, nullptr, nullptr) != 0) std::abort();
  } else if (::pipe(out) != 0) {
    std::abort();
  }
  if (::pipe(err) != 0) std::abort();
  if (output == Output::stuck) fill(out[1]);
  arguments.insert(arguments.begin(), CHAPPE_PROGRAM);
  environment.push_back(std::string("PATH=") + std::getenv("PATH"));

  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int fd : {out[0], out[1], err[0], err[1]}) ::close(fd);
    std::vector<char*> argv;
    for (std::string& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (std::string& entry : environment) envp.push_back(entry.data());
    envp.push_back(nullptr);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
}

Child::~Child() {
  if (!waited_) {
    signal(SIGKILL);
    static_cast<void>(wait());
  }
  for (const int fd : {out_fd_, err_fd_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Child::signal(int number) const {
  ::kill(pid_, number);
}

// Waits for more of either output. False when both have ended.
bool Child::read_some() {
  std::array<pollfd, 2> ends = {pollfd{out_fd_, POLLIN, 0}, pollfd{err_fd_, POLLIN, 0}};
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  if (::poll(ends.data(), ends.size(), -1) < 0) return false;
  const auto drain = [](pollfd& end, int& fd, std::string& text) {
    if (fd < 0 || end.revents == 0) return;
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else {  // a pty whose other end is gone says EIO
      ::close(fd);
      fd = -1;
    }
  };
  drain(ends[0], out_fd_, out_);
  drain(ends[1], err_fd_, err_);
  return true;
}

bool Child::wait_for_output(const std::string& words, std::size_t from) {
  while (out_.find(words, from) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

int Child::wait() {
  if (waited_) return exit_code_;
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  waited_ = true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return exit_code_;
}

}  // namespace chappe::test
