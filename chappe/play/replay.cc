#include <ostream>

#include "chappe/play/commands.h"
#include "chappe/play/session.h"
#include "chappe/play/vector_file.h"

namespace chappe::play {

int replay(const ReplayOptions& options, std::ostream& out, std::ostream& talk) {
  // FILE#id: one scenario of the file. Ids have no '#', directories may.
  const std::size_t mark = options.file.rfind('#');
  const bool one = mark != std::string::npos;
  const std::string path = options.file.substr(0, mark);
  const std::string id = one ? options.file.substr(mark + 1) : std::string();

  int played = 0;
  int code = kExitOk;
  const auto trouble = read_vectors(path, [&](const VectorItem& item) {
    if (item.schema != VectorItem::Schema::scenario || (one && item.name != id)) return;
    ++played;
    const auto scenario = scenario_from(item.value);
    if (!scenario) {
      talk << item.name << ": cannot be read\n";
      code = kExitFailed;
      return;
    }
    const SessionResult result = replay(*scenario, options.seed, options.json, out);
    if (result.outcome != SessionResult::Outcome::passed) {
      talk << item.name << ": " << result.why << '\n';
      code = kExitFailed;
    }
  });
  if (trouble) {
    talk << path << ": " << *trouble << '\n';
    return kExitUsage;
  }
  if (played == 0) {
    talk << path << ": " << (one ? "no scenario " + id : "no scenario at all") << '\n';
    return kExitUsage;
  }
  return code;
}

}  // namespace chappe::play
