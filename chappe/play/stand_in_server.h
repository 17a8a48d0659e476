#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chappe/node/console.h"
#include "chappe/play/scenario.h"

namespace chappe::play {

/// Whether the recorded node was the addressee and opened it: a login, a request, a command, a
/// path. Nobody does that here yet.
bool is_for_a_server(const ExpectedVerdict& verdict);

/// Stands in for the server of a recorded node: consumes what the recording says was consumed,
/// submits the recorded answers, and types the commands on the console of the node. So the node's
/// queue, airtime and settings are the recorded ones for all other inputs. It proves nothing about
/// what it stands in for: those inputs are counted as left out, but the console's replies are
/// compared.
///
/// Context: the node's executor. The scenario stays the caller's.
class StandInServer final : public mesh::LocalDelivery {
 public:
  struct Reply {
    int input = 0;
    std::string text;
  };

  /// The recording begins now.
  StandInServer(const Scenario& scenario, node::Repeater& repeater, node::Console& console);

  /// To the commands that came by radio, in their order.
  const std::vector<Reply>& replies() const { return replies_; }

  std::optional<mesh::Why> try_handle(const mesh::Packet& packet,
                                      const mesh::Heard& heard,
                                      const mesh::Region* region) override;

 private:
  struct Command {
    std::string line;
    std::uint32_t timestamp = 0;
  };

  std::optional<int> input_of(const mesh::Packet& packet, Time heard) const;
  std::optional<Command> command_in(const mesh::Packet& packet) const;
  bool is_executed(int input, const std::string& line) const;

  const Scenario& scenario_;
  node::Repeater& repeater_;
  node::Console& console_;
  std::map<int, mesh::Why> consumed_;  // by input
  const Time origin_;
  std::vector<Reply> replies_;
};

/// The text that the recorded node answered to this input, if it did.
std::optional<std::string> recorded_reply(const Scenario& scenario, int input);

}  // namespace chappe::play
