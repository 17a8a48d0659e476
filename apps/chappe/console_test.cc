#include "apps/chappe/console.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>

#include "chappe/client/event_line.h"

namespace chappe::app {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// A flood of two hops, each of two bytes, and events about it.
class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    packet_.type = mesh::PayloadType::group_text;
    packet_.hash_size = 2;
    packet_.hop_count = 2;
    packet_.path = path_;
    packet_.payload = frame_;
    event_.at = at_us(12'345'678);
    event_.id = 7;
    event_.frame = frame_;
    event_.packet = &packet_;
    event_.hash.word = 0x0102030405060708;
    event_.snr = Decibels{29};
    event_.rssi = Dbm{-352};
  }

  std::array<std::uint8_t, 4> path_{0xaa, 0xbb, 0x99, 0x0c};
  std::array<std::uint8_t, 2> frame_{0x15, 0x01};
  mesh::Packet packet_;
  node::Event event_;
};

TEST_F(ConsoleTest, PrintsEachEventAtOnceInTheFormChosen) {
  event_.kind = node::EventKind::heard;
  std::ostringstream lines;
  Console console(lines, Form::lines, Colours::off, at_us(2'000'000));
  std::string line;
  client::append_line(event_, at_us(2'000'000), Colours::off, line);
  console.on_event(event_);
  EXPECT_EQ(lines.str(), line);
  console.on_event(event_);
  EXPECT_EQ(lines.str(), line + line);

  std::ostringstream json;
  Console printer(json, Form::json, Colours::on, at_us(2'000'000));
  printer.on_event(event_);
  EXPECT_THAT(json.str(), HasSubstr("{\"t_us\":12345678,\"event\":\"heard\",\"id\":7,"));
  EXPECT_THAT(json.str(), EndsWith("}\n"));
  EXPECT_THAT(json.str(), Not(HasSubstr("\x1b")));
}

TEST(Summary, ShowsBooksThatBalance) {
  node::Books books;
  books.heard = 100;
  books.forwarded = 40;
  books.delivered = 10;
  books.dropped_by_judge[static_cast<std::size_t>(mesh::Why::duplicate)] = 45;
  books.dropped_by_transmitter[static_cast<std::size_t>(tx::Why::expired)] = 3;
  books.waiting = 2;
  tx::Statistics statistics;
  statistics.submitted = 50;
  statistics.sent = 44;
  statistics.forced = 1;
  statistics.refused_early[static_cast<std::size_t>(tx::Why::expired)] = 2;
  statistics.refused_at_gate[static_cast<std::size_t>(tx::Why::expired)] = 3;
  statistics.waiting = 1;
  statistics.airtime = milliseconds(30'123);
  EXPECT_EQ(print_summary({.books = books,
                           .statistics = statistics,
                           .ran = seconds(600),
                           .hour = {.usage = {milliseconds(30'123), seconds(360), hours(1)},
                                    .free = seconds(2),
                                    .next = milliseconds(443),
                                    .undebited = Duration::zero()}},
                          Colours::off),
            "frames heard                             100\n"
            "  forwarded                               40\n"
            "  delivered                               10\n"
            "  dropped                                 48\n"
            "      duplicate                           45\n"
            "      not sent: expired                    3\n"
            "  waiting                                  2\n"
            "  sum                                    100  balances\n"
            "\n"
            "transmissions submitted                   50\n"
            "  sent                                    44\n"
            "      of them over a busy channel          1\n"
            "  refused                                  5\n"
            "      expired                              5\n"
            "  waiting                                  1\n"
            "  sum                                     50  balances\n"
            "\n"
            "ran 600.000 s, on air 30.123 s\n"
            "budget 30.123 s of 360.000 s spent in the last 3600.000 s\n"
            "the longest frame may go in 2.000 s\n"
            "next in line: a frame of 0.443 s\n");
}

TEST(HourLine, TellsWhatIsSpentWhenItIsFreeWhoIsNextAndWhatWasRefusedWhy) {
  tx::Statistics statistics;
  Hour quiet;
  quiet.usage = {Duration::zero(), seconds(360), hours(1)};
  quiet.free = Duration::zero();
  EXPECT_EQ(print_hour(quiet, statistics, milliseconds(61'500)),
            "     61.500  airtime 0.000 s of 360.000 s spent in 1h; free; waiting 0\n");

  statistics.waiting = 3;
  statistics.refused_early[static_cast<std::size_t>(tx::Why::expired)] = 2;
  statistics.refused_at_gate[static_cast<std::size_t>(tx::Why::expired)] = 3;
  statistics.refused_early[static_cast<std::size_t>(tx::Why::no_room)] = 1;
  const Hour busy{.usage = {seconds(359), seconds(360), hours(1)},
                  .free = seconds(40),
                  .next = milliseconds(443),
                  .undebited = Duration(1)};
  EXPECT_EQ(print_hour(busy, statistics, milliseconds(61'500)),
            "     61.500  airtime 359.000 s of 360.000 s spent in 1h; the longest frame may go in "
            "40.000 s; waiting 3, next a frame of 0.443 s; refused expired 5 no_room 1; THE RADIO "
            "HAS RADIATED MORE THAN WAS DEBITED\n");

  EXPECT_EQ(print_hour({}, {}, milliseconds(61'500)),
            "     61.500  airtime 0.000 s; the longest frame never fits; waiting 0\n");
}

TEST(Summary, SaysLoudlyIfABookDoesNotBalance) {
  node::Books books;
  tx::Statistics statistics;
  books.heard = 1;
  const Summary summary{.books = books, .statistics = statistics};
  EXPECT_THAT(print_summary(summary, Colours::off), HasSubstr("0  DOES NOT BALANCE\n"));
  EXPECT_THAT(print_summary(summary, Colours::on), HasSubstr("\x1b[31mDOES NOT BALANCE\x1b[0m\n"));
  books.heard = 0;
  statistics.submitted = 1;
  EXPECT_THAT(print_summary(summary, Colours::off), HasSubstr("0  DOES NOT BALANCE\n"));
  statistics.waiting = 1;
  EXPECT_THAT(print_summary(summary, Colours::off), Not(HasSubstr("DOES NOT BALANCE")));
}

TEST(Colours, AreForTerminalsOnlyAndOnlyIfNobodyObjects) {
  const int leader = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (leader < 0) GTEST_SKIP() << "no pseudo terminals here";
  ASSERT_EQ(::grantpt(leader), 0);
  ASSERT_EQ(::unlockpt(leader), 0);
  const int terminal = ::open(::ptsname(leader), O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  EXPECT_EQ(colours_for(terminal, nullptr), Colours::on);
  EXPECT_EQ(colours_for(terminal, ""), Colours::on);
  EXPECT_EQ(colours_for(terminal, "1"), Colours::off);
  EXPECT_EQ(colours_for(terminal, "0"), Colours::off);
  ::close(terminal);
  ::close(leader);

  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  EXPECT_EQ(colours_for(pipe[1], nullptr), Colours::off);
  ::close(pipe[0]);
  ::close(pipe[1]);
  EXPECT_EQ(colours_for(-1, nullptr), Colours::off);
}

}  // namespace
}  // namespace chappe::app
