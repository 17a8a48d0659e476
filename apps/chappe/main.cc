#include <iostream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apps/chappe/cli.h"
#include "apps/chappe/ctl.h"
#include "apps/chappe/doctor.h"
#include "apps/chappe/explore.h"
#include "apps/chappe/recorder.h"
#include "apps/chappe/run.h"
#include "chappe/play/commands.h"

namespace {

using namespace chappe;

struct Dispatch {
  int operator()(const app::Answer& answer) const {
    std::cout << answer.out;
    std::cerr << answer.talk;
    return answer.exit_code;
  }
  int operator()(const app::RunOptions& options) const { return app::run(options); }
  int operator()(const app::DoctorOptions& options) const { return app::doctor(options); }
  int operator()(const app::BoardsOptions&) const { return app::list_boards(); }
  int operator()(const app::RecorderOptions& options) const {
    return app::recorder(options, std::cout, std::cerr);
  }
  int operator()(const app::CtlOptions& options) const { return app::ctl(options); }
  int operator()(const play::DecodeOptions& options) const {
    return play::decode(options, std::cout, std::cerr);
  }
  int operator()(const play::AirtimeOptions& options) const {
    return play::airtime(options, std::cout, std::cerr);
  }
  int operator()(const play::ConformanceOptions& options) const {
    return play::conformance(options, std::cout, std::cerr);
  }
  int operator()(const play::ReplayOptions& options) const {
    return play::replay(options, std::cout, std::cerr);
  }
};

}  // namespace

int main(int count, char** words) {
  // All that follows is another program's to read, its help included.
  if (count > 1 && std::string_view(words[1]) == "explore") return app::explore(words);
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  const int exit_code = std::visit(Dispatch{}, app::parse_command_line(arguments));
  // A full disk behind a redirection must not look like success.
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "chappe: cannot write to standard output\n";
    return exit_code != 0 ? exit_code : 1;
  }
  return exit_code;
}
