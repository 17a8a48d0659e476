#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "chappe/base/random.h"
#include "tests/kill/fast_law.h"

namespace chappe::test {
namespace {

class KilledSender : public testing::Test {
 protected:
  KilledSender() {
    char path[] = "/tmp/chappe-kill-XXXXXX";
    folder_ = ::mkdtemp(path);
    EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK), 0);
  }
  ~KilledSender() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
    std::filesystem::remove_all(folder_);
  }

  void live(Duration span) {
    const std::string journal = folder_ + "/airtime";
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(pipe_[1], STDOUT_FILENO);
      ::execl(CHAPPE_SENDER, CHAPPE_SENDER, journal.c_str(), nullptr);
      ::_exit(127);
    }
    ::usleep(static_cast<useconds_t>(in_us(span)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
    Keyed keyed{};
    while (::read(pipe_[0], &keyed, sizeof keyed) == sizeof keyed) log_.push_back(keyed);
  }

  std::int64_t fullest_window() const {
    std::int64_t most = 0;
    for (std::size_t last = 0; last < log_.size(); ++last) {
      const std::int64_t edge = log_[last].to_us - in_us(kFastRule.window);
      std::int64_t sum = 0;
      for (std::size_t i = last + 1; i-- > 0 && log_[i].to_us > edge;) {
        sum += log_[i].to_us - std::max(log_[i].from_us, edge);
      }
      most = std::max(most, sum);
    }
    return most;
  }

  std::string folder_;
  int pipe_[2] = {-1, -1};
  std::vector<Keyed> log_;
};

// A hundred times, with CHAPPE_SOAK in the environment a thousand.
TEST_F(KilledSender, NeverExceedsTheLimitInAnyWindow) {
  const int kills = std::getenv("CHAPPE_SOAK") == nullptr ? 100 : 1000;
  const auto seed = static_cast<std::uint64_t>(::getpid());
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int i = 0; i < kills; ++i) {
    live(Duration(random.up_to(random.up_to(9) == 0 ? 800'000 : 200'000)));
  }
  EXPECT_LE(fullest_window(), in_us(kFastRule.limit));
  EXPECT_GT(log_.size(), static_cast<std::size_t>(kills) / 2);
}

TEST_F(KilledSender, UsesItsBudgetWhenLeftAlone) {
  live(seconds(6));
  EXPECT_LE(fullest_window(), in_us(kFastRule.limit));
  EXPECT_GT(fullest_window(), in_us(kFastRule.limit) * 9 / 10);
}

}  // namespace
}  // namespace chappe::test
