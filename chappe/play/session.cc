#include "chappe/play/session.h"

namespace chappe::play {

SessionResult play(const Scenario&) {
  return {SessionResult::Outcome::not_built, "needs a node"};
}
SessionResult play(const Session&) {
  return {SessionResult::Outcome::not_built, "needs a node"};
}
SessionResult replay(const Scenario&, std::optional<std::uint64_t>, bool, std::ostream&) {
  return {SessionResult::Outcome::not_built, "needs a node"};
}

}  // namespace chappe::play
