#pragma once

#include <memory>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/base/result.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {

/// A place where programs find a serial line whose other end we are: a symbolic link to a
/// pseudo-terminal.
///
/// Whoever opens it has that line for himself, and the link leads to a new one from then on. So
/// there may be many, each with an end of its own. Only the owner of the process may open it.
class PtyListener {
 public:
  /// The error is a sentence for people. A link that is there already is replaced; anything else is
  /// not.
  static Result<std::unique_ptr<PtyListener>, std::string> listen(LinuxPort& port,
                                                                  sync::WakeList& wakes,
                                                                  const std::string& path);
  PtyListener(const PtyListener&) = delete;
  PtyListener& operator=(const PtyListener&) = delete;
  /// Removes the link.
  ~PtyListener();

  const std::string& path() const { return path_; }

  /// Waits until a program opens the line. Returns our end of it, close-on-exec.
  async::Task<int> accept();

 private:
  PtyListener(LinuxPort& port, sync::WakeList& wakes, OwnedFd watch, const std::string& path);

  /// Puts a new line under the name. False: the system has none, `errno` says why.
  bool renew();
  bool was_opened();

  const std::string path_;
  const OwnedFd watch_;  // of who opens the line
  Descriptor descriptor_;
  int line_ = -1;     // our end of the line nobody has opened yet
  int watched_ = -1;  // what `watch_` calls it
};

}  // namespace chappe::port
