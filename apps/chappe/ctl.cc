#include "apps/chappe/ctl.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/client/columns.h"
#include "chappe/client/json_object.h"
#include "chappe/client/json_writer.h"
#include "chappe/config/configuration.h"
#include "chappe/config/load.h"
#include "chappe/config/state_directory.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/os_random.h"
#include "chappe/port/linux/unix_socket.h"

namespace chappe::app {
namespace {

using client::JsonLine;
using client::JsonObject;
using Action = CtlOptions::Action;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// The names of a list as JSON: only letters that need no escape get this far.
std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "[\"" : ",\"") + name + "\"";
  }
  return list.empty() ? "[]" : list + "]";
}

Result<std::string, std::string> socket_path(const CtlOptions& options) {
  if (!options.socket.empty()) return options.socket;
  config::Configuration configuration;
  if (!options.config.empty()) {
    const auto loaded = config::load(options.config);
    if (!loaded) return Unexpected(config::describe(options.config, loaded.error()));
    configuration = *loaded;
  }
  if (!options.state.empty()) configuration.state.directory = options.state;
  if (!configuration.socket.path.empty() && options.state.empty()) return configuration.socket.path;
  const auto directory = config::state_directory(
      configuration.state.directory, std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
  if (!directory) return Unexpected(directory.error());
  return *directory + "/chappe.sock";
}

std::string random_key() {
  port::OsRandom random;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key = "ctl-";
  for (int i = 0; i < 4; ++i) {
    std::uint32_t word = random.next();
    for (int digit = 0; digit < 8; ++digit, word >>= 4) key += kDigits[word & 15];
  }
  return key;
}

/// One conversation with a node.
class Conversation {
 public:
  Conversation(const CtlOptions& options, int fd)
      : options_(options), stream_(port_, executor_.wakes(), fd) {}
  ~Conversation() { timeout_slot_.cancel(); }

  int run() {
    executor_.spawn(slot_, "ctl", &Conversation::talk, this);
    if (options_.action != Action::watch) {
      executor_.spawn(timeout_slot_, "timeout", &Conversation::give_up, this);
    }
    executor_.run();
    slot_.cancel();
    return exit_code_;
  }

 private:
  std::string request() const {
    std::string out;
    switch (options_.action) {
      case Action::status:
        JsonLine(out).text("do", "status");
        break;
      case Action::clients:
        JsonLine(out).text("do", "clients");
        break;
      case Action::command:
        JsonLine(out).text("do", "command").text("line", options_.line);
        break;
      case Action::restart_clients:
        JsonLine(out).text("do", "restart-clients");
        break;
      case Action::watch:
        out = "{\"do\":\"subscribe\"";
        if (!options_.events.empty()) out += ",\"events\":" + list_of(options_.events);
        if (!options_.types.empty()) out += ",\"types\":" + list_of(options_.types);
        if (!options_.whose.empty()) {
          out += std::string(",\"local\":") + (options_.whose == "ours" ? "true" : "false");
        }
        out += "}\n";
        break;
      case Action::send: {
        JsonLine line(out);
        line.text("do", "submit").text("hex", options_.hex);
        line.text("key", options_.key.empty() ? random_key() : options_.key);
        line.number("delay_ms", options_.delay_ms).number("priority", options_.priority);
        break;
      }
      case Action::raw:
        out = options_.line + "\n";
        break;
    }
    return out;
  }

  async::Task<> talk() {
    std::string hello;
    JsonLine(hello).text("do", "hello").text("name", "ctl");
    const std::string asked = hello + request();
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(asked.data()), asked.size());
    const auto written = co_await stream_.write(bytes);
    if (!written) end(kFailed, "the node closed the connection");
    std::array<std::uint8_t, 4096> buffer;
    std::string line;
    while (!ended_) {
      const auto count = co_await stream_.read(buffer);
      if (!count) {
        end(kFailed, "the node closed the connection");
        break;
      }
      for (std::size_t i = 0; i < *count && !ended_; ++i) {
        if (buffer[i] != '\n') {
          line += static_cast<char>(buffer[i]);
          continue;
        }
        hear(line);
        line.clear();
      }
      std::cout.flush();
      if (!std::cout) end(kFailed, "cannot write to standard output");
    }
    executor_.stop();
  }

  async::Task<> give_up() {
    co_await async::sleep_for(executor_,
                              microseconds(static_cast<std::int64_t>(options_.timeout_s * 1e6)));
    end(kFailed,
        options_.action == Action::send
            ? "no result yet; the node goes on: ask again with the same --key"
            : "no answer");
    executor_.stop();
  }

  void end(int exit_code, const std::string& words = {}) {
    if (ended_) return;
    ended_ = true;
    exit_code_ = exit_code;
    if (!words.empty()) std::cerr << "chappe ctl: " << words << '\n';
  }

  void hear(const std::string& line) {
    auto object = JsonObject::parse(line);
    if (!object) return end(kFailed, "the node does not speak our language: " + line);
    const std::string reply = object->text("reply");
    if (reply == "hello") return;
    const std::string event = object->text("event");
    if (object->has("error") && options_.action != Action::raw) {
      return end(object->text("code") == "malformed" ? kUsage : kFailed, object->text("error"));
    }
    switch (options_.action) {
      case Action::status:
        print(line, *object);
        return end(0);
      case Action::clients:
        if (!reply.empty()) return end(0);
        return print_client(line, *object);
      case Action::watch:
        if (!reply.empty()) return;
        print_event(line, *object, event);
        if (options_.count != 0 && ++printed_ == options_.count) end(0);
        return;
      case Action::send:
        print(line, *object);
        if (event == "result") return end(object->boolean("sent") ? 0 : kFailed);
        if (event == "claimed") return end(kFailed, "another client asked for it meanwhile");
        return;
      case Action::command:
        std::cout << (options_.json ? line : object->text("text")) << '\n';
        return end(0);
      case Action::restart_clients:
        if (event != "restarted") return;
        print(line, *object);
        return end(0);
      case Action::raw:
        std::cout << line << '\n';
        if (object->has("error")) return end(kFailed);
        if (!reply.empty()) end(0);
        return;
    }
  }

  void print(const std::string& line, const JsonObject& object) const {
    if (options_.json) {
      std::cout << line << '\n';
      return;
    }
    constexpr std::size_t kNameWidth = 22;
    for (const auto& [name, value] : object.fields()) {
      std::string row;
      client::append_left(row, name, kNameWidth);
      std::cout << row << ' ' << value << '\n';
    }
  }

  void print_client(const std::string& line, JsonObject& object) {
    if (options_.json) {
      std::cout << line << '\n';
      return;
    }
    constexpr const char* kColumns[] = {"client",
                                        "name",
                                        "refusals",
                                        "posts",
                                        "in_vain",
                                        "lost",
                                        "requests",
                                        "throttled",
                                        "malformed",
                                        "submitted",
                                        "bytes_in",
                                        "bytes_out"};
    constexpr std::size_t kWidth = 10;
    if (!std::exchange(titled_, true)) {
      std::string title;
      for (const char* const column : kColumns) client::append_right(title, column, kWidth);
      std::cout << title << '\n';
    }
    std::string row;
    for (const char* const column : kColumns) {
      const std::string value = std::string_view(column) == "name"
                                    ? " " + object.text(column).substr(0, kWidth - 1)
                                    : std::to_string(object.number(column, 0, 1LL << 62, 0));
      client::append_right(row, value, kWidth);
    }
    std::cout << row << '\n';
  }

  void print_event(const std::string& line, JsonObject& object, const std::string& event) const {
    if (options_.json) {
      std::cout << line << '\n';
      return;
    }
    const std::int64_t at_ms = object.number("t_us", 0, 1LL << 62, 0) / 1000;
    std::string row;
    client::append_right(row, client::fixed(at_ms, 3), 14);
    row += "  ";
    client::append_left(row, event, 10);
    client::append_left(row, object.text("type"), 11);
    client::append_left(row, object.text("route"), 17);
    for (const auto& [name, value] : object.fields()) {
      constexpr std::string_view kShown[] = {"t_us", "event", "type", "route", "hash", "hex"};
      if (std::find(std::begin(kShown), std::end(kShown), name) != std::end(kShown)) continue;
      row += ' ' + name + '=' + value;
    }
    std::cout << row << '\n';
  }

  const CtlOptions& options_;
  port::LinuxPort port_;
  async::Executor executor_{port_};
  port::DescriptorStream stream_;
  bool ended_ = false;
  bool titled_ = false;
  std::uint64_t printed_ = 0;
  int exit_code_ = kFailed;
  async::TaskSlot<16384> slot_;
  async::TaskSlot<1024> timeout_slot_;
};

}  // namespace

int ctl(const CtlOptions& options) {
  const auto path = socket_path(options);
  if (!path) {
    std::cerr << "chappe ctl: " << path.error() << '\n';
    return kUsage;
  }
  const auto fd = port::connect_unix(*path);
  if (!fd) {
    std::cerr << "chappe ctl: " << fd.error() << "; is 'chappe run' running with this state?\n";
    return kFailed;
  }
  return Conversation(options, *fd).run();
}

}  // namespace chappe::app
