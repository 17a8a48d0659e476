#pragma once

#include <array>
#include <optional>
#include <string>

#include "chappe/base/random.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/identity.h"
#include "chappe/node/console.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

/// For the tests of the room node: a node in virtual time with a console, and a board that
/// remembers what it was asked to do.
namespace chappe::node {

class TestBoard final : public Board, public Printer {
 public:
  explicit TestBoard(sim::ScriptedRadio& of) : radio(of) {}

  std::string_view name() const override { return "Test Board"; }
  std::string_view firmware_version() const override { return "v1"; }
  std::string_view build_date() const override { return "today"; }
  bool allows(const radio::Modulation&) const override { return permits; }
  void tune(const radio::Modulation& modulation) override { radio.tune(modulation); }
  bool keep_regions(const mesh::RegionTable&) override { return keeps; }
  bool keep_identity(const mesh::Identity&) override { return keeps; }
  void halt(Halt how) override { halted = how; }
  void print(std::string_view words) override { printed += words; }

  sim::ScriptedRadio& radio;
  bool permits = true;
  bool keeps = true;
  std::optional<Halt> halted;
  std::string printed;
};

struct TestNode {
  explicit TestNode(const Settings& settings = {})
      : repeater(executor, radio, ledger, random, settings, identity) {
    repeater.clock().start(kStart, executor.now());
    repeater.start();
  }
  ~TestNode() { repeater.stop(); }

  std::string type(std::string_view line, std::uint32_t timestamp = 0) {
    Reply reply;
    console.command(line, timestamp, reply);
    return std::string(reply.view());
  }
  void run_for(Duration span) { port.run(executor, executor.now() + span); }
  /// Heard just now, as sent by `from`.
  void hear_advert(const mesh::Identity& from, mesh::NodeType type, Decibels snr) {
    mesh::Appdata appdata;
    appdata.type = type;
    const auto payload =
        mesh::build_advert(from.prv, from.pub, repeater.unix_now(), mesh::build_appdata(appdata));
    mesh::Packet packet;
    packet.type = mesh::PayloadType::advert;
    packet.payload = payload;
    radio::Frame frame;
    frame.bytes = mesh::write(packet);
    frame.snr = snr;
    radio.hear(frame);
    run_for(milliseconds(1));
  }

  static constexpr std::uint32_t kStart = 1'700'000'000;

  port::VirtualPort port;
  async::Executor executor{port};
  ConstantRandom random{0};
  sim::ScriptedRadio radio{executor};
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger{rules};
  mesh::Identity identity = mesh::identity_of({1, 2, 3});
  AccessList access;
  TestBoard board{radio};
  Repeater repeater;
  Console console{{executor, repeater, access, board, board}};
};

}  // namespace chappe::node
