// The daemon as a KISS modem, driven by a program in another language, and on a KISS modem itself.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "tests/program/child.h"

namespace chappe::test {
namespace {

// A port of this machine that nobody has at this moment.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

struct Report {
  int code = -1;
  std::string out;
};

// Runs the client in Perl to its end.
Report client(const std::string& arguments) {
  const std::string command =
      "exec " CHAPPE_PERL " " CHAPPE_SOURCE_DIR "/tests/kiss/kiss_client.pl " + arguments + " 2>&1";
  Report report;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return report;
  for (int letter = ::fgetc(pipe); letter != EOF; letter = ::fgetc(pipe)) {
    report.out += static_cast<char>(letter);
  }
  const int status = ::pclose(pipe);
  report.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return report;
}

class KissProgram : public testing::Test {
 protected:
  KissProgram() {
    char path[] = "/tmp/chappe-kiss-XXXXXX";
    home_ = ::mkdtemp(path);
  }
  ~KissProgram() override { std::filesystem::remove_all(home_); }

  // A daemon of this name with these settings, its state in a directory of that name.
  std::unique_ptr<Child> daemon(const std::string& name, const std::string& settings) const {
    const std::string file = home_ + "/" + name + ".toml";
    std::ofstream(file) << "name = \"" << name << "\"\n" << settings;
    return std::make_unique<Child>(
        std::vector<std::string>{"run", "--config", file, "--state", home_ + "/" + name, "--json"},
        std::vector<std::string>{"HOME=" + home_});
  }

  std::string home_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(KissProgram, AClientInAnotherLanguageDrivesItByTcp) {
  const std::string port = std::to_string(free_port());
  const auto node = daemon("alpha", "[kiss]\ntcp = \"" + port + "\"\npassword = \"off\"\n");
  ASSERT_TRUE(node->wait_for_output("judged")) << node->err();
  const Report report = client("tcp 127.0.0.1 " + port);
  EXPECT_EQ(report.code, 0) << report.out;
  EXPECT_TRUE(has(report.out, "all of it")) << report.out;
}

TEST_F(KissProgram, AClientInAnotherLanguageDrivesItByAPtyAndTwoDoAtOnce) {
  const auto node = daemon("alpha", "[kiss]\npty = true\n");
  ASSERT_TRUE(node->wait_for_output("judged")) << node->err();
  const std::string path = home_ + "/alpha/kiss";
  // Once somebody has opened the link it leads to a line for the next one.
  const auto first_line = std::filesystem::read_symlink(path);
  Report other;
  std::thread second([&] {
    while (std::filesystem::read_symlink(path) == first_line) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    other = client("pty " + path);
  });
  const Report report = client("pty " + path);
  second.join();
  EXPECT_EQ(report.code, 0) << report.out;
  EXPECT_EQ(other.code, 0) << other.out;

  node->signal(SIGTERM);
  EXPECT_EQ(node->wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(path)));
}

TEST_F(KissProgram, APasswordStandsBeforeIt) {
  const std::string port = std::to_string(free_port());
  const auto node =
      daemon("alpha", "[kiss]\ntcp = \"0.0.0.0:" + port + "\"\npassword = \"geheim\"\n");
  ASSERT_TRUE(node->wait_for_output("judged")) << node->err();
  const Report right = client("tcp 127.0.0.1 " + port + " geheim");
  EXPECT_EQ(right.code, 0) << right.out;
  const Report wrong = client("tcp 127.0.0.1 " + port + " gehein");
  EXPECT_NE(wrong.code, 0) << wrong.out;
  EXPECT_TRUE(has(wrong.out, "has hung up")) << wrong.out;
}

TEST_F(KissProgram, APlaceThatIsTakenIsSaidAndNothingStarts) {
  const std::string port = std::to_string(free_port());
  const std::string settings = "[kiss]\ntcp = \"" + port + "\"\npassword = \"off\"\n";
  const auto first = daemon("alpha", settings);
  ASSERT_TRUE(first->wait_for_output("judged")) << first->err();
  const auto second = daemon("beta", settings);
  EXPECT_EQ(second->wait(), 1);
  EXPECT_TRUE(has(second->err(), "127.0.0.1:" + port + ": cannot be had")) << second->err();
}

TEST_F(KissProgram, OneNodeIsTheRadioOfAnotherAndMayGoAndComeBack) {
  // The air is alpha's; beta has none but through alpha's line.
  const std::string settings = "[kiss]\npty = true\n";
  auto alpha = daemon("alpha", settings);
  ASSERT_TRUE(alpha->wait_for_output("judged")) << alpha->err();
  const auto beta =
      daemon("beta", "[radio]\nkind = \"kiss\"\n[modem]\nline = \"" + home_ + "/alpha/kiss\"\n");
  EXPECT_TRUE(beta->wait_for_output("\"event\":\"heard\"")) << beta->err();
  EXPECT_TRUE(beta->wait_for_output("\"event\":\"sent\"")) << beta->out();

  alpha->signal(SIGTERM);
  EXPECT_EQ(alpha->wait(), 0);
  alpha = daemon("alpha", settings);
  ASSERT_TRUE(alpha->wait_for_output("judged")) << alpha->err();
  const std::size_t before = beta->out().size();
  EXPECT_TRUE(beta->wait_for_output("\"event\":\"heard\"", before)) << beta->out();
  beta->signal(SIGTERM);
  EXPECT_EQ(beta->wait(), 0);
  EXPECT_TRUE(has(beta->err(), "is ready")) << beta->err();
  EXPECT_TRUE(has(beta->err(), "the line was cut")) << beta->err();
  EXPECT_TRUE(has(beta->err(), "balances")) << beta->err();
}

}  // namespace
}  // namespace chappe::test
