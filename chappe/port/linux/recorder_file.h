#pragma once

#include <memory>
#include <string>

#include "chappe/base/result.h"
#include "chappe/port/linux/owned_fd.h"
#include "chappe/sync/recorder_memory.h"

namespace chappe::port {

/// The flight recorder in a file that everybody can map: readable while this process hangs, and
/// after it is dead, also by SIGKILL. A loss of power keeps what the system had written by then.
///
/// A new one for each run: the file of the run before becomes FILE.1, that one FILE.2, and so on;
/// the oldest goes. So evidence is never overwritten by the restart it caused.
/// Context: start; what it installs, any.
class RecorderFile {
 public:
  static constexpr std::size_t kSlots = 4096;  // 64 KiB: some minutes of a busy node
  static constexpr int kKept = 5;

  /// Installs a recorder at `path`. The error is a sentence for the operator; without a recorder
  /// the node runs as well as with one.
  static Result<std::unique_ptr<RecorderFile>, std::string> create(const std::string& path,
                                                                   std::string_view program);
  ~RecorderFile();

  /// Where the file of the run before is now; empty if there was none.
  const std::string& before() const { return before_; }
  const std::string& path() const { return path_; }

  /// Says that this run ends in good order.
  void end() { memory_.end(); }

 private:
  RecorderFile(
      OwnedFd fd, std::byte* bytes, std::string path, std::string before, std::string_view program);

  const OwnedFd fd_;  // keeps the file locked: one process writes to it
  std::byte* const bytes_;
  const std::string path_;
  const std::string before_;
  sync::RecorderMemory memory_;
};

}  // namespace chappe::port
