#include "apps/chappe/modem_outside.h"

#include <iostream>
#include <optional>
#include <utility>

#include "apps/chappe/wiring.h"
#include "chappe/async/line.h"
#include "chappe/config/endpoint.h"
#include "chappe/config/quantity.h"
#include "chappe/port/linux/serial_line.h"
#include "chappe/port/linux/tcp.h"
#include "chappe/radio/kiss/modem_radio.h"

namespace chappe::app {
namespace {

using radio::kiss::Lost;
using radio::kiss::ModemRadio;

std::string in_words(Lost why, const async::Line& line) {
  switch (why) {
    case Lost::cannot_open:
      return std::string(line.trouble());
    case Lost::hung_up:
      return "the line was cut";
    case Lost::silent:
      return "nobody answers; is it a board with MeshCore's KISS modem firmware, and at this "
             "speed?";
    case Lost::refused:
      return "it does not take our channel or power; is somebody else using it?";
  }
  return {};
}

class ModemOutside final : public Outside, private radio::kiss::ModemObserver {
 public:
  ModemOutside(const config::Configuration& configuration,
               std::unique_ptr<async::Line> line,
               async::Executor& executor)
      : line_(std::move(line)),
        radio_(executor,
               *line_,
               modulation_of(configuration),
               static_cast<std::int8_t>(configuration.radio.tx_power_dbm),
               this) {}

  radio::Radio& radio() override { return radio_; }
  void start() override { radio_.start(); }
  void stop() override { radio_.stop(); }
  void describe(std::ostream& out) const override {
    out << "  radio    a KISS modem at " << line_->name() << "\n";
  }

 private:
  void on_ready(const ModemRadio&) noexcept override {
    told_.reset();
    std::cerr << "chappe: the modem at " << line_->name() << " is ready\n";
  }
  void on_lost(const ModemRadio&, Lost why, Duration pause) noexcept override {
    // The same again and again says nothing new.
    const std::string words = in_words(why, *line_);
    if (told_ == words) return;
    std::cerr << "chappe: no modem at " << line_->name() << ": " << words << "; trying again in "
              << config::print(pause) << ", and then less often\n";
    told_ = words;
  }

  const std::unique_ptr<async::Line> line_;
  ModemRadio radio_;
  std::optional<std::string> told_;
};

}  // namespace

Result<std::unique_ptr<Outside>, std::string> modem_outside(
    const config::Configuration& configuration, port::LinuxPort& port, async::Executor& executor) {
  const config::Modem& modem = configuration.modem;
  std::unique_ptr<async::Line> line;
  if (modem.line.starts_with(config::kTcpPrefix)) {
    const auto place =
        *config::parse_host_port(std::string_view(modem.line).substr(config::kTcpPrefix.size()));
    auto addresses = port::resolve(place.host, place.port);
    if (!addresses) return Unexpected("[modem] line: " + addresses.error());
    line =
        std::make_unique<port::TcpLine>(port, executor.wakes(), modem.line, *std::move(addresses));
  } else {
    line = std::make_unique<port::SerialLine>(port, executor.wakes(), modem.line, modem.speed);
  }
  return std::unique_ptr<Outside>(new ModemOutside(configuration, std::move(line), executor));
}

}  // namespace chappe::app
