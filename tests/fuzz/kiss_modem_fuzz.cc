// Any bytes to the node as a KISS modem, cut anywhere, with and without a password before them:
// what it says is frames of its dialect, nothing is said behind a closed gate, the node keeps its
// books, and the connection ends when its bytes do.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "chappe/base/check.h"
#include "chappe/base/random.h"
#include "chappe/client/kiss_connection.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/kiss/framing.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "tests/fuzz/tape_stream.h"

namespace {

using namespace chappe;

constexpr std::string_view kPassword = "secret";

enum class Way { local, remote };

std::string answers_to(Bytes input, Way way) {
  std::string answers;
  port::VirtualPort port;
  async::Executor executor(port);
  SeededRandom random(1);
  sim::ScriptedRadio radio(executor);
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger(rules);
  node::Repeater repeater(
      executor, radio, ledger, random, node::Settings{}, {mesh::PublicKey{0x42}, {}});
  repeater.start();
  {
    client::Service service(executor, repeater);
    client::KissServer server(service, random, kPassword);
    server.start();
    auto stream = std::make_unique<test::TapeStream>(input, answers);
    if (way == Way::local) {
      server.adopt_local(std::move(stream));
    } else {
      server.adopt_remote(std::move(stream));
    }
    // Something to hear, while they talk.
    radio::Frame heard;
    heard.bytes.append(std::array<std::uint8_t, 9>{0x15, 1, 0x99, 0xc0, 0xdb, 0x33, 0x44, 9, 1});
    radio.hear(heard);
    port.run(executor, executor.now() + hours(3));
    CHAPPE_CHECK(server.connection_count() == 0);
    CHAPPE_CHECK(service.restarts(client::Cause::fault) == 0);
    CHAPPE_CHECK(repeater.statistics().balances());
    server.stop();
  }
  repeater.stop();
  return answers;
}

void check_frames(const std::string& line) {
  radio::kiss::Decoder decoder;
  const auto is_mark = [](char letter) {
    return static_cast<std::uint8_t>(letter) == radio::kiss::kFend;
  };
  CHAPPE_CHECK(line.empty() || (is_mark(line.front()) && is_mark(line.back())));
  std::size_t in_frames = 0;
  for (const char letter : line) {
    const Bytes frame = decoder.push(static_cast<std::uint8_t>(letter));
    if (frame.empty()) continue;
    // Data, or an answer, or an event: nothing that a program would say.
    CHAPPE_CHECK(frame[0] == 0x00 || (frame[0] == 0x06 && frame.size() > 1 && frame[1] >= 0x80));
    in_frames += radio::kiss::encode(frame).size();
  }
  CHAPPE_CHECK(decoder.too_long_count() == 0);
  CHAPPE_CHECK(in_frames == line.size());  // and nothing between them
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Bytes input(bytes, std::min<std::size_t>(size, 4'000));
  check_frames(answers_to(input, Way::local));
  const std::string guarded = answers_to(input, Way::remote);
  check_frames(guarded);
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  CHAPPE_CHECK(guarded.empty() || text.starts_with(kPassword));
  return 0;
}
