#include "chappe/config/boards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace chappe::config {
namespace {

using testing::HasSubstr;

std::string wrong_with(const Board& board) {
  const auto wired = wired_board(board);
  return wired ? std::string() : wired.error();
}

TEST(Boards, EachMakesSenseAndIsNamedOnce) {
  std::set<std::string_view> names;
  for (const BoardPreset& board : boards()) {
    EXPECT_TRUE(names.insert(board.name).second) << board.name;
    EXPECT_EQ(wrong_with({.name = std::string(board.name)}), "");
  }
  EXPECT_EQ(names.size(), 74u);
}

TEST(Boards, OfferWhatTheirUsersWired) {
  const auto waveshare = wired_board({.name = "waveshare"});
  ASSERT_TRUE(waveshare);
  EXPECT_EQ(waveshare->reset, Pin{.line = 18});
  EXPECT_EQ(waveshare->busy, Pin{.line = 20});
  EXPECT_EQ(waveshare->irq, Pin{.line = 16});
  EXPECT_EQ(waveshare->cs, Pin{.line = 21});
  EXPECT_FALSE(waveshare->tcxo_decivolts);
  EXPECT_FALSE(waveshare->dio2_switch);
  const auto orange = wired_board({.name = "mt-ws-raspberry-pico-to-orangepi-03"});
  ASSERT_TRUE(orange);
  EXPECT_EQ(orange->busy, (Pin{.chip = 1, .line = 78}));
  EXPECT_EQ(orange->spi, "/dev/spidev1.1");
  EXPECT_EQ(orange->tcxo_decivolts, 18);
}

TEST(Boards, AreOverruledWireByWire) {
  const auto wired = wired_board({.name = "waveshare",
                                  .spi = "/dev/spidev9.9",
                                  .busy = "2:5",
                                  .cs = "none",
                                  .dio2 = Dio2::on});
  ASSERT_TRUE(wired);
  EXPECT_EQ(wired->spi, "/dev/spidev9.9");
  EXPECT_EQ(wired->reset, Pin{.line = 18});
  EXPECT_EQ(wired->busy, (Pin{.chip = 2, .line = 5}));
  EXPECT_FALSE(wired->cs);
  EXPECT_TRUE(wired->dio2_switch);
}

TEST(Boards, SayWhatIsMissing) {
  EXPECT_THAT(wrong_with({}), HasSubstr("'chappe boards' lists them"));
  EXPECT_THAT(wrong_with({.name = "wavesahre"}), HasSubstr("did you mean \"waveshare\"?"));
  EXPECT_THAT(wrong_with({.reset = "1", .busy = "2"}), HasSubstr("irq is missing"));
  EXPECT_EQ(wrong_with({.reset = "1", .busy = "2", .irq = "3"}), "");
  EXPECT_THAT(wrong_with({.name = "waveshare", .busy = "none"}), HasSubstr("busy is missing"));
  EXPECT_THAT(wrong_with({.name = "waveshare", .busy = "GPIO20"}), HasSubstr("is no pin"));
  EXPECT_THAT(wrong_with({.name = "waveshare", .busy = "1:"}), HasSubstr("is no pin"));
  EXPECT_THAT(wrong_with({.name = "waveshare", .busy = "1,2"}), HasSubstr("wants one pin"));
  EXPECT_THAT(wrong_with({.name = "waveshare", .tcxo = "1.9"}), HasSubstr("tcxo wants"));
}

TEST(Boards, StandOnTheirPage) {
  const std::string path = CHAPPE_SOURCE_DIR "/docs/boards.md";
  if (std::getenv("CHAPPE_WRITE_DOCS") != nullptr) std::ofstream(path) << boards_page();
  std::ifstream file(path);
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(page.str() == boards_page())
      << "write it anew: CHAPPE_WRITE_DOCS=1 build/dev/test_config --gtest_filter=Boards.*";
}

}  // namespace
}  // namespace chappe::config
