#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/base/random.h"
#include "chappe/mesh/delays.h"
#include "chappe/mesh/identity.h"
#include "chappe/mesh/packet.h"
#include "chappe/node/repeater.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/air.h"
#include "chappe/sim/air_log.h"
#include "chappe/sim/sim_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::scenarios {

/// One repeater with all that it needs of its own.
struct Node {
  Node(async::Executor& executor,
       sim::Air& air,
       std::span<const tx::Rule> rules,
       std::uint8_t number,
       std::uint64_t seed)
      : own(mesh::identity_of({number, 0x5a})),
        random(seed * 1000 + number),
        ledger(rules),
        radio(executor, air),
        repeater(executor, radio, ledger, random, node::Settings{}, own) {}

  std::uint8_t hash() const { return own.pub[0]; }

  const mesh::Identity own;
  SeededRandom random;
  tx::Ledger ledger;
  sim::SimRadio radio;
  node::Repeater repeater;
};

/// Some repeaters in one air; who hears whom is the scenario's.
struct Mesh {
  Mesh(std::size_t nodes_count, std::span<const tx::Rule> rules, std::uint64_t seed)
      : air(executor, nodes_count) {
    air.listen(log);
    for (std::size_t i = 0; i < nodes_count; ++i) {
      nodes.push_back(
          std::make_unique<Node>(executor, air, rules, static_cast<std::uint8_t>(i + 1), seed));
    }
  }
  void connect(std::size_t a, std::size_t b, double snr_db) {
    air.connect(nodes[a]->radio.station(), nodes[b]->radio.station(), sim::link_of_snr(snr_db));
  }
  void start() {
    for (const auto& node : nodes) node->repeater.start();
  }
  void run_for(Duration span) { port.run(executor, executor.now() + span); }

  /// A new group message of this many bytes.
  void flood(std::size_t from, std::size_t payload_bytes) {
    std::vector<std::uint8_t> payload(payload_bytes);
    nodes[from]->random.fill(payload);
    mesh::Packet packet;
    packet.route = mesh::Route::flood;
    packet.type = mesh::PayloadType::group_text;
    packet.payload = payload;
    CHAPPE_CHECK(nodes[from]->repeater.submit(
        mesh::write(packet), Duration::zero(), mesh::kPriorityOwnFlood, nullptr, {}));
  }

  port::VirtualPort port;
  async::Executor executor{port};
  sim::Air air;
  sim::AirLog log;
  std::vector<std::unique_ptr<Node>> nodes;
};

}  // namespace chappe::scenarios
