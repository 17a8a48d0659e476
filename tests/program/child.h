#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace chappe::test {

/// A process of the program under test, with its output collected. Killed by the destructor.
class Child {
 public:
  /// `stuck`: nobody has read standard output for so long that its pipe is full.
  enum class Output { pipes, terminal, stuck };

  /// `environment` entries as "NAME=value"; nothing else of ours is passed on but PATH.
  Child(std::vector<std::string> arguments,
        std::vector<std::string> environment,
        Output output = Output::pipes);
  ~Child();

  /// Reads standard output until it holds `words`, at or behind `from`, or ends. True if it does.
  bool wait_for_output(const std::string& words, std::size_t from = 0);
  void signal(int number) const;
  /// Waits for the end; the exit code, or minus the signal's number.
  int wait();

  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  bool read_some();

  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string out_;
  std::string err_;
  bool waited_ = false;
  int exit_code_ = 0;
};

}  // namespace chappe::test
