// Daemon and clients are killed at random while frames flow, and start again. What was accepted is
// answered for, nothing is sent twice, nobody is told more often than he may be.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/client/json_object.h"
#include "chappe/port/linux/unix_socket.h"

namespace chappe {
namespace {

using client::JsonObject;
namespace fs = std::filesystem;

int kills() {
  return std::getenv("CHAPPE_SOAK") != nullptr ? 1000 : 100;
}

/// A process whose standard output goes to the end of a file.
class Process {
 public:
  Process(const std::vector<std::string>& words, const std::string& out) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int fd = ::open(out.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~Process() { kill(SIGKILL); }
  Process(const Process&) = delete;

  void kill(int number) {
    if (pid_ <= 0) return;
    ::kill(pid_, number);
    ::waitpid(pid_, &status_, 0);
    pid_ = -1;
  }
  /// True once it has ended by itself.
  bool has_ended() {
    if (pid_ <= 0 || ::waitpid(pid_, &status_, WNOHANG) != pid_) return pid_ <= 0;
    pid_ = -1;
    return true;
  }
  int status() const { return status_; }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

void pause(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

class KilledProcesses : public testing::Test {
 protected:
  KilledProcesses() {
    char path[] = "/tmp/chappe-killed-XXXXXX";
    home_ = ::mkdtemp(path);
    // Short frames where there is no budget: in others each kill costs what the promise had left.
    std::ofstream(home_ + "/chappe.toml")
        << "region = \"in865\"\n"
           "[radio]\nfrequency = \"866 MHz\"\nspreading_factor = 5\nbandwidth = \"250 kHz\"\n";
  }
  ~KilledProcesses() override { fs::remove_all(home_); }

  std::unique_ptr<Process> daemon() const {
    return std::make_unique<Process>(std::vector<std::string>{CHAPPE_PROGRAM,
                                                              "run",
                                                              "--config",
                                                              home_ + "/chappe.toml",
                                                              "--state",
                                                              home_ + "/state",
                                                              "--json"},
                                     home_ + "/events");
  }
  std::string socket() const { return home_ + "/state/chappe.sock"; }
  std::string file_of(int serial) const { return home_ + "/client-" + std::to_string(serial); }
  std::unique_ptr<Process> client(int serial) const {
    return std::make_unique<Process>(
        std::vector<std::string>{
            LINK_CLIENT, socket(), file_of(serial), std::to_string(serial), "40"},
        home_ + "/talk");
  }
  int connect() const {
    for (int tries = 0; tries < 500; ++tries) {
      const auto fd = port::connect_unix(socket());
      if (fd) return *fd;
      pause(20);
    }
    return -1;
  }
  /// What the node answers to one request, until a line that holds `last`.
  std::vector<std::string> ask(const std::string& request, const std::string& last) const {
    std::vector<std::string> lines;
    const int fd = connect();
    if (::write(fd, request.data(), request.size()) < 0) return lines;
    std::string line;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      char letter = 0;
      const ssize_t count = ::read(fd, &letter, 1);
      if (count == 0) break;
      if (count < 0) {
        pause(1);
        continue;
      }
      if (letter != '\n') {
        line += letter;
        continue;
      }
      lines.push_back(std::exchange(line, {}));
      if (lines.back().find(last) != std::string::npos) break;
    }
    ::close(fd);
    return lines;
  }

  // The frames whose record says that they were handed to the radio, with no word of the result.
  std::set<std::string> marked() const {
    constexpr std::size_t kRecord = 512;
    std::set<std::string> frames;
    std::ifstream file(home_ + "/state/submissions", std::ios::binary);
    std::vector<unsigned char> all((std::istreambuf_iterator<char>(file)), {});
    for (std::size_t at = 2 * kRecord; at + 2 * kRecord <= all.size(); at += 2 * kRecord) {
      const auto serial = [&](std::size_t copy) {
        const unsigned char* const word = all.data() + at + copy * kRecord + 4;
        return word[0] | word[1] << 8 | word[2] << 16 | word[3] << 24;
      };
      const unsigned char* const newer =
          all.data() + at + (serial(1) > serial(0) ? kRecord : std::size_t{0});
      if (newer[8] != 2) continue;
      std::string hex;
      for (int i = 0; i < newer[14]; ++i) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", newer[144 + i]);
        hex += digits;
      }
      frames.insert(hex);
    }
    return frames;
  }

  std::string home_;
};

TEST_F(KilledProcesses, NoAcceptedSubmissionIsLostAndNoneIsSentTwice) {
  constexpr int kClients = 2;
  SeededRandom random(7);
  auto node = daemon();
  int serial = 0;
  std::vector<std::unique_ptr<Process>> clients;
  std::vector<int> serials;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(client(++serial));
    serials.push_back(serial);
  }
  std::map<std::string, std::uintmax_t> marked_at;  // a frame, and what had been told by then
  int node_kills = 0;
  for (int i = 0; i < kills(); ++i) {
    pause(20 + static_cast<int>(random.up_to(230)));
    const std::uint32_t victim = random.up_to(kClients + 1);
    if (victim < kClients) {
      if (clients[victim]->has_ended()) {
        EXPECT_EQ(clients[victim]->status(), 0);
        serials[victim] = ++serial;
      }
      clients[victim].reset();
      clients[victim] = client(serials[victim]);
      continue;
    }
    ++node_kills;
    node.reset();
    for (const std::string& hex : marked()) {
      marked_at.emplace(hex, fs::file_size(home_ + "/events"));
    }
    node = daemon();
  }
  for (auto& process : clients) {
    for (int tries = 0; !process->has_ended() && tries < 6000; ++tries) pause(10);
    EXPECT_TRUE(process->has_ended());
    EXPECT_EQ(process->status(), 0);
  }

  // Posts within the bound, for everybody who is there.
  const auto watched =
      ask("{\"do\":\"hello\",\"generation\":0}\n{\"do\":\"clients\"}\n", "\"clients\"");
  ASSERT_FALSE(watched.empty());
  for (const std::string& line : watched) {
    auto object = JsonObject::parse(line);
    ASSERT_TRUE(object) << line;
    if (!object->has("posts")) continue;
    EXPECT_LE(object->number("posts", 0, 1'000'000, 0),
              object->number("refusals", 0, 1'000'000, 0) + 1);
  }
  node->kill(SIGTERM);

  std::map<std::string, int> sent;
  {
    std::ifstream events(home_ + "/events");
    std::string line;
    std::uintmax_t at = 0;
    for (; std::getline(events, line); at += line.size() + 1) {
      if (line.find("\"event\":\"sent\"") == std::string::npos) continue;
      auto object = JsonObject::parse(line);
      if (!object) continue;  // cut by a kill
      const std::string hex = object->text("hex");
      ++sent[hex];
      const auto marked = marked_at.find(hex);
      EXPECT_TRUE(marked == marked_at.end() || at < marked->second) << "sent again: " << line;
    }
  }
  int submissions = 0;
  int perhaps = 0;
  int told_sent = 0;
  int restarts = 0;
  for (int i = 1; i <= serial; ++i) {
    std::map<std::string, std::string> wanted;
    std::map<std::string, int> results;
    std::uint32_t generation = 0;
    std::ifstream file(file_of(i));
    std::string what;
    std::string key;
    std::string rest;
    while (file >> what >> key >> rest) {
      if (what == "want") wanted[key] = rest;
      if (what == "restarted") {
        ++restarts;
        // Twice only if the client died between being told and having noted it.
        const auto number = static_cast<std::uint32_t>(std::stoul(key));
        EXPECT_GE(number, generation);
        generation = number;
      }
      if (what != "result") continue;
      EXPECT_EQ(++results[key], 1) << key;
      EXPECT_NE(rest, "forgotten");
      perhaps += rest == "perhaps" ? 1 : 0;
      told_sent += rest == "sent" ? 1 : 0;
    }
    submissions += static_cast<int>(wanted.size());
    EXPECT_EQ(results.size(), wanted.size()) << "of client " << i;
    for (const auto& [name, hex] : wanted) EXPECT_LE(sent[hex], 1) << hex;
  }
  EXPECT_GT(submissions, 2 * kills() / 10);
  EXPECT_GT(told_sent, submissions / 2);
  EXPECT_LE(perhaps, node_kills);  // one frame is on the air at a time
  EXPECT_GT(restarts, 0);
}

TEST_F(KilledProcesses, ClientsThatDieLeaveNothingBehind) {
  auto node = daemon();
  const auto descriptors = [&] {
    const fs::directory_iterator entries("/proc/" + std::to_string(node->pid()) + "/fd");
    return std::distance(begin(entries), end(entries));
  };
  const auto memory_kb = [&] {
    std::ifstream file("/proc/" + std::to_string(node->pid()) + "/status");
    std::string word;
    while (file >> word) {
      if (word != "VmRSS:") continue;
      long kb = 0;
      file >> kb;
      return kb;
    }
    return 0L;
  };
  const std::string status = "{\"do\":\"status\"}\n";
  const auto settle = [&] {
    for (int i = 0; i < 200; ++i) {
      const auto lines = ask(status, "status");
      if (!lines.empty() && lines.back().find("\"clients\":1,") != std::string::npos) return;
      pause(20);
    }
    ADD_FAILURE() << "clients remain";
  };
  const auto come_and_die = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const int fd = connect();
      const std::string words = i % 3 == 0   ? "{\"do\":\"subscribe\"}\n{\"do\":\"sta"
                                : i % 3 == 1 ? std::string(100, '\xff') + "\n" + status
                                             : "{\"do\":\"submit\",\"hex\":\"1500aa\"}\n";
      EXPECT_GT(::write(fd, words.data(), words.size()), 0);
      ::close(fd);
      if (i % 50 == 49) settle();
    }
  };
  come_and_die(300);
  settle();
  const auto descriptors_before = descriptors();
  const long memory_before = memory_kb();
  come_and_die(600);
  settle();
  // The last to ask may not have been noticed to be gone.
  for (int i = 0; i < 200 && descriptors() > descriptors_before; ++i) pause(20);
  EXPECT_LE(descriptors(), descriptors_before);
  EXPECT_LT(memory_kb() - memory_before, 16 * 1024);  // a sanitizer keeps what was freed a while
}

}  // namespace
}  // namespace chappe
