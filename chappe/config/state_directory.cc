#include "chappe/config/state_directory.h"

namespace chappe::config {

Result<std::string, std::string> state_directory(const std::string& configured,
                                                 const char* xdg_state_home,
                                                 const char* home) {
  if (!configured.empty()) return configured;
  if (xdg_state_home != nullptr && xdg_state_home[0] == '/') {
    return std::string(xdg_state_home) + "/chappe";
  }
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/chappe";
  return Unexpected(
      std::string("no place for the state: neither XDG_STATE_HOME nor HOME is set; use --state DIR "
                  "or [state] directory"));
}

}  // namespace chappe::config
