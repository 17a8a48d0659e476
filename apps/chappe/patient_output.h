#pragma once

#include <cstdint>
#include <functional>
#include <streambuf>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::app {

/// Standard output that never makes the node wait: whoever reads it may stop for as long as he
/// likes.
///
/// What is between two flushes is one piece. Pieces that are not taken at once are kept, up to
/// kKept bytes; what comes then is left out, counted, and said as soon as there is room again.
/// Context: the executor's thread.
class PatientOutput final : public std::streambuf {
 public:
  static constexpr std::size_t kKept = 256 * 1024;
  /// At the end, somebody who still reads has so long to take what is left.
  static constexpr int kFarewell_ms = 1000;

  /// What is said in place of `count` pieces that were left out.
  using Words = std::function<std::string(std::uint64_t count)>;

  /// `fd` must outlive this.
  PatientOutput(port::LinuxPort& port, async::Executor& executor, int fd, Words words);
  ~PatientOutput() override;

  void start();
  /// Waits for the reader, but not for ever. False: not everything was taken.
  bool finish();

  std::uint64_t lost() const { return lost_; }

 private:
  int_type overflow(int_type letter) override;
  std::streamsize xsputn(const char* letters, std::streamsize count) override;
  int sync() override;

  async::Task<> wait_for_reader();
  bool can_write(int timeout_ms) const;
  void drain();

  async::Executor& executor_;
  const port::OwnedFd own_;  // a terminal, opened again so that only we do not wait for it
  const int fd_;
  port::Descriptor descriptor_;
  const Words words_;
  std::string piece_;
  std::string kept_;
  std::size_t written_ = 0;        // of kept_
  std::uint64_t lost_ = 0;         // ever
  std::uint64_t lost_unsaid_ = 0;  // and not yet said
  bool failed_ = false;
  async::TaskSlot<1024> slot_;
};

}  // namespace chappe::app
