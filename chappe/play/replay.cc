#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/client/event_json.h"
#include "chappe/client/event_line.h"
#include "chappe/client/json_writer.h"
#include "chappe/play/commands.h"
#include "chappe/play/player.h"
#include "chappe/play/recording.h"

namespace chappe::play {
namespace {

/// Writes each event as it happens.
class Printer final : public node::EventListener {
 public:
  Printer(bool json, std::ostream& out) : json_(json), out_(out) {}

  void begin(const Scenario& scenario) {
    line_.clear();
    if (json_) {
      client::JsonLine(line_).text("event", "scenario").text("id", scenario.id);
    } else {
      line_ = scenario.id + '\n';
    }
    out_ << line_;
  }

  void on_event(const node::Event& event) noexcept override {
    line_.clear();
    if (json_) {
      client::append_json(event, line_);
    } else {
      client::append_line(event, Time{}, client::Colours::off, line_);
    }
    out_ << line_;
  }

 private:
  const bool json_;
  std::ostream& out_;
  std::string line_;
};

}  // namespace

int replay(const ReplayOptions& options, std::ostream& out, std::ostream& talk) {
  const auto recording = read_recording(options.file);
  if (!recording) {
    talk << options.file << ": " << recording.error() << '\n';
    return kExitUsage;
  }
  Printer printer(options.json, out);
  int exit_code = kExitOk;
  for (const Scenario& scenario : *recording) {
    if (recording->size() > 1) printer.begin(scenario);
    const auto played = play_through(scenario, options.seed, &printer);
    if (!played) {
      talk << scenario.id << ": no LoRa radio is like the recorded one\n";
      return kExitUsage;
    }
    if (!played->trouble.empty()) {
      talk << scenario.id << ": " << played->trouble << '\n';
      exit_code = kExitFailed;
    }
  }
  return exit_code;
}

}  // namespace chappe::play
