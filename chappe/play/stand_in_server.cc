#include "chappe/play/stand_in_server.h"

#include <algorithm>
#include <array>

#include "chappe/mesh/envelope.h"

namespace chappe::play {
namespace {

constexpr std::array kServed = {
    mesh::Why::addressed_here_anonymous,
    mesh::Why::addressed_here_known_client,
    mesh::Why::path_return_stored,
    mesh::Why::command_halts_node,
};

std::optional<mesh::Why> served_as(const ExpectedVerdict& verdict) {
  const auto found = std::ranges::find_if(
      kServed, [&](mesh::Why why) { return mesh::to_string(why) == verdict.why; });
  return found == kServed.end() ? std::nullopt : std::optional(*found);
}

// What a command makes the node itself send, adverts and questions, is the node's to send.
bool is_answer(Bytes frame) {
  const auto packet = mesh::parse(frame);
  return packet && packet->type != mesh::PayloadType::advert &&
         packet->type != mesh::PayloadType::control;
}

}  // namespace

bool is_for_a_server(const ExpectedVerdict& verdict) {
  return served_as(verdict).has_value();
}

std::optional<std::string> recorded_reply(const Scenario& scenario, int input) {
  for (const ExpectedTransmission& sent : scenario.transmissions) {
    if (sent.cause_name.empty() && sent.cause == input && sent.decoded.has("text")) {
      return sent.decoded["text"].text();
    }
  }
  return std::nullopt;
}

StandInServer::StandInServer(const Scenario& scenario,
                             node::Repeater& repeater,
                             node::Console& console)
    : scenario_(scenario), repeater_(repeater), console_(console), origin_(repeater.now()) {
  for (const ExpectedVerdict& verdict : scenario.verdicts) {
    if (const auto why = served_as(verdict)) consumed_.emplace(verdict.input, *why);
  }
}

std::optional<mesh::Why> StandInServer::try_handle(const mesh::Packet& packet,
                                                   const mesh::Heard& heard,
                                                   const mesh::Region*) {
  const auto input = input_of(packet, heard.at);
  const auto consumed = input ? consumed_.find(*input) : consumed_.end();
  if (consumed == consumed_.end()) return std::nullopt;
  const auto command = command_in(packet);
  if (command && is_executed(*input, command->line)) {
    node::Reply reply;
    console_.command(command->line, command->timestamp, reply);
    replies_.push_back({*input, std::string(reply.view())});
  }
  const Duration held = repeater_.now() - heard.at;
  for (const ExpectedTransmission& answer : scenario_.transmissions) {
    if (!answer.cause_name.empty() || answer.cause != *input || !is_answer(answer.frame)) continue;
    const Duration after = std::max(Duration::zero(), answer.after_min - held);
    const auto priority = static_cast<std::uint8_t>(answer.priority);
    // What the recorded node has sent is a packet; if a file says otherwise, it will be missed.
    (void)repeater_.submit(answer.frame, after, priority, nullptr, {});
  }
  return consumed->second;
}

// Frames share an instant in batches only, and no batch has patched ones.
std::optional<int> StandInServer::input_of(const mesh::Packet& packet, Time heard) const {
  for (const ScenarioInput& input : scenario_.inputs) {
    if (input.kind != ScenarioInput::Kind::frame) continue;
    if (origin_ + input.at.time_since_epoch() != heard) continue;
    if (input.patch) return input.index;
    const auto theirs = mesh::parse(input.frame);
    if (theirs && std::ranges::equal(theirs->payload, packet.payload)) return input.index;
  }
  return std::nullopt;
}

// Source and destination hash, then a sealed text: the sender's clock, its kind, its letters.
std::optional<StandInServer::Command> StandInServer::command_in(const mesh::Packet& packet) const {
  constexpr std::size_t kHashes = 2;
  constexpr std::size_t kTextAt = 5;
  if (packet.type != mesh::PayloadType::text) return std::nullopt;
  for (const auto& [name, party] : scenario_.parties) {
    const auto plain = mesh::open(party.secret, packet.payload.subspan(kHashes));
    if (!plain || plain->size() < kTextAt) continue;
    const Bytes bytes = *plain;
    Command command;
    for (std::size_t i = 0; i < 4; ++i) {
      command.timestamp |= std::uint32_t{bytes[i]} << (8 * i);
    }
    const Bytes letters = bytes.subspan(kTextAt);
    command.line.assign(letters.begin(), std::ranges::find(letters, 0));
    return command;
  }
  return std::nullopt;
}

// A replay and a guest's command are consumed without being run; so what was answered was run, and
// a few commands that have no answer.
bool StandInServer::is_executed(int input, const std::string& line) const {
  if (consumed_.at(input) == mesh::Why::command_halts_node) return true;
  if (recorded_reply(scenario_, input)) return true;
  return console_.is_loading_regions() || line.starts_with("region load");
}

}  // namespace chappe::play
