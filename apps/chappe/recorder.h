#pragma once

#include <iosfwd>
#include <string>

namespace chappe::app {

/// What `chappe recorder` was told on the command line.
struct RecorderOptions {
  std::string file;
  bool json = false;
};

/// Prints what a flight recorder's file holds, also of a process that still writes, hangs or was
/// killed. Returns the exit code: 1 if the file is damaged, 2 if it is none.
int recorder(const RecorderOptions& options, std::ostream& out, std::ostream& talk);

/// One sentence about how the run that left this file ended, or nothing if that was in good order.
std::string last_words(const std::string& file);

}  // namespace chappe::app
