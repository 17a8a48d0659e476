// A program that uses the client library and may be killed at any moment: link_client SOCKET FILE
// SERIAL COUNT. It keeps what it wants sent in FILE before it asks for it, and what became of it;
// started again, it goes on. Ends when COUNT submissions have ended.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/base/hex.h"
#include "chappe/client/link.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/os_random.h"
#include "chappe/port/linux/unix_socket.h"

namespace {

using namespace chappe;

class UnixConnector final : public client::Connector {
 public:
  UnixConnector(port::LinuxPort& port, async::Executor& executor, std::string path)
      : port_(port), executor_(executor), path_(std::move(path)) {}
  std::unique_ptr<async::Stream> connect() override {
    const auto fd = port::connect_unix(path_);
    if (!fd) return nullptr;
    return std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), *fd);
  }

 private:
  port::LinuxPort& port_;
  async::Executor& executor_;
  const std::string path_;
};

class Client final : public client::LinkListener {
 public:
  Client(const char* socket, const char* file, unsigned serial, std::size_t count)
      : file_(::open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)),
        connector_(port_, executor_, socket),
        link_(executor_, connector_, random_, *this, "link-client"),
        serial_(serial),
        count_(count) {
    remember(file);
  }

  int run() {
    link_.start(known_);
    for (const auto& [key, hex] : open_) present(key, hex);
    more();
    if (ended_ >= count_) return 0;
    executor_.run();
    link_.stop();
    return 0;
  }

 private:
  // One write, so that a kill leaves a line whole or not at all.
  void note(const std::string& line) {
    const std::string whole = line + "\n";
    if (::write(file_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) {
      std::abort();
    }
  }

  void remember(const char* path) {
    std::ifstream file(path);
    std::string what;
    std::string key;
    std::string rest;
    while (file >> what >> key >> rest) {
      if (what == "want") {
        open_[key] = rest;
        ++wanted_;
      } else if (what == "result") {
        open_.erase(key);
        ++ended_;
      } else if (what == "generation") {
        known_ = static_cast<std::uint32_t>(std::stoul(key));
      }
    }
  }

  void present(const std::string& key, const std::string& hex) {
    std::vector<std::uint8_t> frame(hex.size() / 2);
    if (!from_hex(hex, frame) || !link_.submit(key, frame)) std::abort();
  }

  void more() {
    while (open_.size() < client::kSubmissionsPerLane && wanted_ < count_) {
      const std::string key = link_.new_key();
      // A flood of a group text that nobody else has: the client's and its own number in it.
      char hex[32];
      std::snprintf(hex, sizeof hex, "15004368%04x%08zx", serial_, wanted_);
      ++wanted_;
      note("want " + key + " " + hex);
      open_[key] = hex;
      present(key, hex);
    }
  }

  void on_connected(std::uint32_t generation) override { learn(generation); }
  void on_restarted(std::uint32_t generation) override {
    note("restarted " + std::to_string(generation) + " -");
    learn(generation);
  }
  void learn(std::uint32_t generation) {
    if (known_ == generation) return;
    known_ = generation;
    note("generation " + std::to_string(generation) + " -");
  }
  void on_accepted(std::string_view key, bool durable) override {
    note("accepted " + std::string(key) + (durable ? " durable" : " fleeting"));
  }
  void on_result(const client::LinkResult& result) override {
    note("result " + result.key +
         (result.sent           ? " sent"
          : result.perhaps_sent ? " perhaps"
                                : " " + result.why));
    if (open_.erase(result.key) != 1) std::abort();
    ++ended_;
    more();
    if (ended_ >= count_) executor_.stop();
  }

  port::LinuxPort port_;
  async::Executor executor_{port_};
  port::OsRandom random_;
  const int file_;
  UnixConnector connector_;
  client::Link link_;
  const unsigned serial_;
  const std::size_t count_;
  std::size_t wanted_ = 0;
  std::size_t ended_ = 0;
  std::optional<std::uint32_t> known_;
  std::map<std::string, std::string> open_;
};

}  // namespace

int main(int count, char** words) {
  if (count != 5) return 2;
  Client client(words[1],
                words[2],
                static_cast<unsigned>(std::atoi(words[3])),
                static_cast<std::size_t>(std::atoi(words[4])));
  return client.run();
}
