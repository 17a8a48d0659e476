// Any bytes on a client's connection, cut anywhere: each line is answered or refused in words, both
// books of the node hold, and the connection ends when its bytes do.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "chappe/base/check.h"
#include "chappe/base/random.h"
#include "chappe/client/json_connection.h"
#include "chappe/client/json_object.h"
#include "chappe/client/link.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "tests/fuzz/tape_stream.h"

namespace {

using namespace chappe;

/// A node that says the input to a client of the library.
class Once final : public client::Connector {
 public:
  Once(Bytes bytes, std::string& said) : bytes_(bytes), said_(said) {}
  std::unique_ptr<async::Stream> connect() override {
    if (std::exchange(done_, true)) return nullptr;
    return std::make_unique<test::TapeStream>(bytes_, said_);
  }

 private:
  Bytes bytes_;
  std::string& said_;
  bool done_ = false;
};

void check_lines(const std::string& text) {
  CHAPPE_CHECK(text.empty() || text.back() == '\n');
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    CHAPPE_CHECK(
        client::JsonObject::parse(std::string_view(text).substr(begin, end - begin)).has_value());
    begin = end + 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Bytes input(bytes, std::min<std::size_t>(size, 20'000));
  std::string answers;
  {
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
      client::JsonServer server(service);
      server.start();
      server.adopt(std::make_unique<test::TapeStream>(input, answers));
      port.run(executor, executor.now() + hours(3));
      CHAPPE_CHECK(server.connection_count() == 0);
      CHAPPE_CHECK(service.restarts(client::Cause::fault) == 0);
      server.stop();
    }
    repeater.stop();
  }
  check_lines(answers);

  std::string said;
  {
    port::VirtualPort port;
    async::Executor executor(port);
    SeededRandom random(1);
    Once once(input, said);
    class : public client::LinkListener {
    } listener;
    client::Link link(executor, once, random, listener, "fuzz");
    const std::array<std::uint8_t, 4> frame{0x15, 0, 1, 2};
    CHAPPE_CHECK(link.submit("key", frame));
    link.start(3);
    port.run(executor, executor.now() + minutes(1));
    link.stop();
  }
  check_lines(said);
  return 0;
}
