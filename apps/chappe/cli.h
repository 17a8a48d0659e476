#pragma once

#include <string>
#include <variant>
#include <vector>

#include "apps/chappe/ctl.h"
#include "apps/chappe/doctor.h"
#include "apps/chappe/recorder.h"
#include "apps/chappe/run.h"
#include "chappe/play/commands.h"

namespace chappe::app {

/// Nothing to run: the answer is text, and the exit code says whether it was asked for.
struct Answer {
  int exit_code = 0;
  std::string out;   // help, version
  std::string talk;  // what was wrong with the command line
};

/// `chappe boards` has none.
struct BoardsOptions {};

using Command = std::variant<Answer,
                             RunOptions,
                             DoctorOptions,
                             BoardsOptions,
                             CtlOptions,
                             RecorderOptions,
                             play::DecodeOptions,
                             play::AirtimeOptions,
                             play::ConformanceOptions,
                             play::ReplayOptions>;

/// Reads a command line, the program's name left out. Runs nothing and prints nothing.
Command parse_command_line(const std::vector<std::string>& words);

}  // namespace chappe::app
