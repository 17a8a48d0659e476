#include "apps/chappe/patient_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <ostream>
#include <string>

namespace chappe::app {
namespace {

class PatientOutputTest : public testing::Test {
 protected:
  PatientOutputTest() {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    output_ = std::make_unique<PatientOutput>(port_, executor_, ends_[1], [](std::uint64_t count) {
      return "lost " + std::to_string(count) + "\n";
    });
    output_->start();
  }
  ~PatientOutputTest() override {
    output_.reset();
    for (const int end : ends_) ::close(end);
  }

  void run() {
    for (int quiet = 0; quiet < 3;) {
      port_.wait(Time{});
      port_.dispatch();
      quiet = executor_.step() ? 0 : quiet + 1;
    }
  }
  void say(int number) {
    std::ostream out(output_.get());
    out << std::string(100, 'x') << ' ' << number << '\n' << std::flush;
  }
  // All that can be had, as a reader who is awake has it.
  std::string read() {
    std::string all;
    std::array<char, 8192> part;
    for (;;) {
      const ssize_t count = ::read(ends_[0], part.data(), part.size());
      if (count <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(count));
      run();
    }
  }

  port::LinuxPort port_;
  async::Executor executor_{port_};
  std::array<int, 2> ends_{};
  std::unique_ptr<PatientOutput> output_;
};

// What it says, and how often something was left out.
struct Story {
  explicit Story(const std::string& text) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      const std::string line = text.substr(begin, end - begin);
      begin = end + 1;
      if (line.starts_with("lost ")) {
        ++gaps;
        next += std::stoi(line.substr(5));
        continue;
      }
      in_order = in_order && std::stoi(line.substr(101)) == next;
      ++next;
      ++lines;
    }
  }
  int next = 0;
  int lines = 0;
  int gaps = 0;
  bool in_order = true;
};

TEST_F(PatientOutputTest, WhoeverReadsGetsEachPieceAtOnce) {
  for (int i = 0; i < 10; ++i) {
    say(i);
    const Story story(read());
    EXPECT_EQ(story.lines, 1);
  }
  EXPECT_EQ(output_->lost(), 0u);
}

TEST_F(PatientOutputTest, APipeThatNobodyReadsForAWhileLosesNothingThatFits) {
  constexpr int kPieces = 2000;  // more than a pipe holds, less than is kept
  for (int i = 0; i < kPieces; ++i) say(i);
  const Story story(read());
  EXPECT_EQ(story.lines, kPieces);
  EXPECT_TRUE(story.in_order);
  EXPECT_EQ(output_->lost(), 0u);
  EXPECT_TRUE(output_->finish());
}

TEST_F(PatientOutputTest, WhatDoesNotFitIsCountedAndSaidInItsPlace) {
  constexpr int kPieces = 10'000;
  for (int i = 0; i < kPieces; ++i) say(i);
  EXPECT_GT(output_->lost(), 0u);
  std::string all = read();
  say(kPieces);
  all += read();
  const Story story(all);
  EXPECT_TRUE(story.in_order);
  EXPECT_EQ(story.gaps, 1);
  EXPECT_EQ(story.next, kPieces + 1);
  EXPECT_EQ(story.lines + static_cast<int>(output_->lost()), kPieces + 1);
}

TEST_F(PatientOutputTest, AtTheEndAReaderWhoSleepsIsNotWaitedForForEver) {
  for (int i = 0; i < 2000; ++i) say(i);
  EXPECT_FALSE(output_->finish());
}

TEST_F(PatientOutputTest, ADiskThatIsFullIsAFailure) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  {
    PatientOutput output(port_, executor_, full, [](std::uint64_t) { return std::string(); });
    std::ostream out(&output);
    out << "words" << std::flush;
    EXPECT_FALSE(out);
    EXPECT_FALSE(output.finish());
  }
  ::close(full);
}

}  // namespace
}  // namespace chappe::app
