#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/program/child.h"

namespace chappe::test {
namespace {

class Program : public testing::Test {
 protected:
  Program() {
    char path[] = "/tmp/chappe-program-XXXXXX";
    home_ = ::mkdtemp(path);
  }
  ~Program() override { std::filesystem::remove_all(home_); }

  std::vector<std::string> environment() const { return {"HOME=" + home_}; }
  std::string state() const { return home_ + "/.local/state/chappe"; }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = home_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  std::string home_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

enum class Until { line, closed };

// What the node answers: its first line, or all until it closes.
std::string ask(const std::string& path, const std::string& request, Until until = Until::line) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::write(fd, (request + "\n").data(), request.size() + 1) > 0) {
    char letter = 0;
    while (::read(fd, &letter, 1) == 1 && (letter != '\n' || until == Until::closed)) {
      answer += letter;
    }
  }
  ::close(fd);
  return answer;
}

TEST_F(Program, RunsOnNothingAtAllAndItsBooksBalance) {
  Child child({"run", "--for", "2"}, environment());
  EXPECT_EQ(child.wait(), 0) << child.err();
  EXPECT_TRUE(has(child.out(), "heard")) << child.out();
  EXPECT_TRUE(has(child.out(), "judged")) << child.out();
  EXPECT_TRUE(has(child.out(), "balances")) << child.out();
  EXPECT_FALSE(has(child.out(), "\x1b[")) << "colours in a pipe";
  EXPECT_TRUE(has(child.err(), "a new identity")) << child.err();
}

TEST_F(Program, KeepsItsIdentityForItsOwnerAlone) {
  Child first({"run", "--for", "0"}, environment());
  EXPECT_EQ(first.wait(), 0) << first.err();
  struct stat status{};
  ASSERT_EQ(::stat((state() + "/identity").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string name = first.err().substr(first.err().find("chappe, "), 20);
  Child second({"run", "--for", "0"}, environment());
  EXPECT_EQ(second.wait(), 0);
  EXPECT_TRUE(has(second.err(), name)) << second.err();
  EXPECT_FALSE(has(second.err(), "a new identity"));
}

TEST_F(Program, SpeaksJsonLinesOnStandardOutputAndNothingElse) {
  Child child({"run", "--for", "2", "--json"}, environment());
  EXPECT_EQ(child.wait(), 0) << child.err();
  ASSERT_FALSE(child.out().empty());
  std::size_t begin = 0;
  while (begin < child.out().size()) {
    const std::size_t end = child.out().find('\n', begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(child.out()[begin], '{');
    EXPECT_EQ(child.out()[end - 1], '}');
    begin = end + 1;
  }
  EXPECT_TRUE(has(child.err(), "balances"));
}

TEST_F(Program, ShowsColoursOnATerminalUnlessToldNotTo) {
  {
    Child coloured({"run"}, environment(), Child::Output::terminal);
    EXPECT_TRUE(coloured.wait_for_output("forward"));
    EXPECT_TRUE(has(coloured.out(), "\x1b[")) << coloured.out();
  }  // killed: the socket it leaves behind is dead, and replaced
  auto plain_environment = environment();
  plain_environment.push_back("NO_COLOR=1");
  Child plain({"run"}, plain_environment, Child::Output::terminal);
  EXPECT_TRUE(plain.wait_for_output("forward"));
  EXPECT_FALSE(has(plain.out(), "\x1b[")) << plain.out();
}

TEST_F(Program, EndsWithItsSummaryOnASignal) {
  Child child({"run"}, environment());
  EXPECT_TRUE(child.wait_for_output("judged"));
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
  EXPECT_TRUE(has(child.out(), "balances"));
  EXPECT_TRUE(has(child.err(), "SIGTERM"));
}

TEST_F(Program, TellsTheHourWhenSignalled) {
  Child child({"run"}, environment());
  ASSERT_TRUE(child.wait_for_output("judged")) << child.err();
  child.signal(SIGUSR1);
  EXPECT_TRUE(child.wait_for_output("; waiting ")) << child.out();
  EXPECT_TRUE(has(child.out(), "s of 360.000 s spent in 1h")) << child.out();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0) << child.err();
}

TEST_F(Program, AnswersOnItsSocketAndRefusesASecondOneInTheSamePlace) {
  Child child({"run", "--json"}, environment());
  EXPECT_TRUE(child.wait_for_output("judged"));
  const std::string answer = ask(state() + "/chappe.sock", R"({"do":"status","ref":"q"})");
  EXPECT_TRUE(has(answer, "{\"ref\":\"q\",\"reply\":\"status\"")) << answer;

  Child second({"run", "--for", "0"}, environment());
  EXPECT_EQ(second.wait(), 1);
  EXPECT_TRUE(has(second.err(), "another process is sending")) << second.err();

  // With a state of its own it still may not have that socket.
  const std::string elsewhere =
      write("elsewhere.toml", "[socket]\npath = \"" + state() + "/chappe.sock\"\n");
  Child third({"run", "--for", "0", "--config", elsewhere, "--state", home_ + "/other"},
              environment());
  EXPECT_EQ(third.wait(), 1);
  EXPECT_TRUE(has(third.err(), "another chappe answers here")) << third.err();
}

TEST_F(Program, KeepsWhatACommandHasSetThroughARebootOfTheNode) {
  const std::string path = state() + "/chappe.sock";
  Child child({"run", "--json"}, environment());
  ASSERT_TRUE(child.wait_for_output("heard"));
  EXPECT_EQ(ask(path, R"({"do":"command","line":"set name lighthouse"})"),
            R"({"reply":"command","text":"OK"})");
  EXPECT_EQ(ask(path, R"({"do":"command","line":"reboot"})", Until::closed),
            "{\"reply\":\"command\",\"text\":\"\"}\n");
  std::string name;
  while (name.empty()) name = ask(path, R"({"do":"command","line":"get name"})");
  EXPECT_EQ(name, R"({"reply":"command","text":"> lighthouse"})");
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0) << child.err();
  EXPECT_TRUE(has(child.err(), "a command restarts the node")) << child.err();
}

TEST_F(Program, IsNotRestartedByACommandThatASignalOvertakes) {
  Child child({"run", "--json"}, environment());
  ASSERT_TRUE(child.wait_for_output("heard"));
  ask(state() + "/chappe.sock", R"({"do":"command","line":"reboot"})");
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0) << child.err();
}

TEST_F(Program, WhoeverStopsReadingItsOutputStopsNothingElse) {
  Child child({"run", "--json"}, environment(), Child::Output::stuck);
  const auto has_sent = [&] {
    const std::string answer = ask(state() + "/chappe.sock", R"({"do":"status"})");
    return has(answer, "\"sent\":") && !has(answer, "\"sent\":0,");
  };
  bool sends = false;
  for (int i = 0; i < 600 && !sends; ++i) {
    ::usleep(50'000);
    sends = has_sent();
  }
  EXPECT_TRUE(sends);
  // And whoever reads again has missed nothing that there was room for.
  EXPECT_TRUE(child.wait_for_output("\"event\":\"sent\""));
  EXPECT_TRUE(has(child.out(), "\"event\":\"heard\",\"id\":1,") || has(child.out(), "\"id\":1,"))
      << child.out().substr(child.out().find('{'));
  EXPECT_FALSE(has(child.out(), "\"event\":\"lost\""));
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Program, TellsWhoAsksWithCtl) {
  Child child({"run", "--json"}, environment());
  EXPECT_TRUE(child.wait_for_output("judged"));
  Child set({"ctl", "command", "set name Turm"}, environment());
  EXPECT_EQ(set.wait(), 0) << set.err();
  Child get({"ctl", "command", "get name"}, environment());
  EXPECT_EQ(get.wait(), 0) << get.err();
  EXPECT_EQ(get.out(), "> Turm\n");
  Child status({"ctl", "status"}, environment());
  EXPECT_EQ(status.wait(), 0) << status.err();
  EXPECT_TRUE(has(status.out(), "generation")) << status.out();
  Child send({"ctl", "send", "1500010203", "--key", "once", "--json"}, environment());
  EXPECT_EQ(send.wait(), 0) << send.err();
  EXPECT_TRUE(has(send.out(), "\"durable\":true")) << send.out();
  EXPECT_TRUE(has(send.out(), "\"sent\":true")) << send.out();
  Child restart({"ctl", "restart-clients", "--json"}, environment());
  EXPECT_EQ(restart.wait(), 0);
  EXPECT_EQ(restart.out(), "{\"event\":\"restarted\",\"generation\":1}\n");
  child.signal(SIGKILL);
  EXPECT_EQ(child.wait(), -SIGKILL);
  Child nobody({"ctl", "status"}, environment());
  EXPECT_EQ(nobody.wait(), 1);
  EXPECT_TRUE(has(nobody.err(), "is 'chappe run' running")) << nobody.err();

  Child again({"run", "--json"}, environment());
  EXPECT_TRUE(again.wait_for_output("judged"));
  Child same({"ctl", "send", "1500010203", "--key", "once", "--json"}, environment());
  EXPECT_EQ(same.wait(), 0);
  // The answer of the process that was killed: what it sent is not sent again.
  EXPECT_EQ(same.out().substr(same.out().find("keyed_us")),
            send.out().substr(send.out().find("keyed_us")));
  Child later({"ctl", "status", "--json"}, environment());
  EXPECT_EQ(later.wait(), 0);
  EXPECT_TRUE(has(later.out(), "\"generation\":2")) << later.out();
}

TEST_F(Program, NamesEveryMistakeOfAConfigurationAndStartsNothing) {
  const std::string path =
      write("bad.toml", "mode = \"forwards\"\n[hops]\nflod_max = 3\n[radio]\nfrequency = 869\n");
  Child child({"run", "--config", path}, environment());
  EXPECT_EQ(child.wait(), 2);
  EXPECT_TRUE(has(child.err(), path + ":1:8: ")) << child.err();
  EXPECT_TRUE(has(child.err(), path + ":3:1: ")) << child.err();
  EXPECT_TRUE(has(child.err(), "flood_max")) << child.err();
  EXPECT_TRUE(has(child.err(), path + ":5:13: ")) << child.err();
  EXPECT_FALSE(std::filesystem::exists(state()));
}

TEST_F(Program, TakesAConfigurationThatSaysSomethingElse) {
  const std::string path = write("monitor.toml", "name = \"tower\"\nmode = \"monitor\"\n");
  Child child({"run", "--config", path, "--for", "2"}, environment());
  EXPECT_EQ(child.wait(), 0) << child.err();
  EXPECT_TRUE(has(child.err(), "tower")) << child.err();
  EXPECT_FALSE(has(child.out(), "forward:")) << child.out();
  EXPECT_TRUE(has(child.out(), "forwarding_disabled")) << child.out();
}

TEST_F(Program, SaysWhatIsThereWhenAskedForWhatIsNot) {
  Child radio({"run", "--radio", "sx126x"}, environment());
  EXPECT_EQ(radio.wait(), 2);
  EXPECT_TRUE(has(radio.err(), "sim")) << radio.err();
  Child command({"rn"}, environment());
  EXPECT_EQ(command.wait(), 2);
  EXPECT_TRUE(has(command.err(), "run")) << command.err();
  Child help({"--help"}, environment());
  EXPECT_EQ(help.wait(), 0);
  EXPECT_TRUE(has(help.out(), "decode")) << help.out();
}

TEST_F(Program, ExplainsAPacketAndRefusesOtherBytes) {
  Child good({"decode", "0d04b891647ebb40ba70"}, environment());
  EXPECT_EQ(good.wait(), 0) << good.err();
  EXPECT_TRUE(has(good.out(), "ACK")) << good.out();
  Child cut({"decode", "00"}, environment());
  EXPECT_EQ(cut.wait(), 1) << cut.out();
  Child nonsense({"decode", "xyz"}, environment());
  EXPECT_EQ(nonsense.wait(), 2);
}

/// What `chappe recorder` prints about a file of this state directory.
class Recorder : public Program {
 protected:
  std::string recorded(const std::string& name, int exit_code = 0) const {
    Child reader({"recorder", state() + "/" + name}, environment());
    EXPECT_EQ(reader.wait(), exit_code) << reader.err();
    return reader.out();
  }
};

TEST_F(Recorder, ARunThatWasKilledIsReadAndTheNextOneSaysSoAndKeepsTheFile) {
  Child child({"run"}, environment());
  ASSERT_TRUE(child.wait_for_output("judged"));
  child.signal(SIGKILL);
  EXPECT_EQ(child.wait(), -SIGKILL);
  const std::string evidence = recorded("recorder");
  EXPECT_TRUE(has(evidence, "did not say that it ended")) << evidence;
  EXPECT_TRUE(has(evidence, "start")) << evidence;
  EXPECT_TRUE(has(evidence, "task    receive ")) << evidence;

  Child next({"run", "--for", "0"}, environment());
  EXPECT_EQ(next.wait(), 0);
  EXPECT_TRUE(has(next.err(), "the last run was killed")) << next.err();
  EXPECT_EQ(recorded("recorder.1"), evidence);
  EXPECT_TRUE(has(recorded("recorder"), "ended in good order"));

  Child last({"run", "--for", "0"}, environment());
  EXPECT_EQ(last.wait(), 0);
  EXPECT_FALSE(has(last.err(), "the last run")) << last.err();
}

TEST_F(Recorder, ARunThatHangsIsReadWhileItHangs) {
  Child child({"run"}, environment());
  ASSERT_TRUE(child.wait_for_output("judged"));
  child.signal(SIGSTOP);
  const std::string evidence = recorded("recorder");
  EXPECT_TRUE(has(evidence, "task    receive ")) << evidence;
  Child reader({"recorder", "--json", state() + "/recorder"}, environment());
  EXPECT_EQ(reader.wait(), 0) << reader.err();
  EXPECT_TRUE(has(reader.out(), "{\"record\":\"recorder\",\"program\":\"chappe ")) << reader.out();
  EXPECT_TRUE(has(reader.out(), "\"context\":\"task\",\"note\":\"receive\",\"bytes\":"))
      << reader.out();
  child.signal(SIGCONT);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Recorder, TheNextRunTellsThePanicThatEndedTheLastOne) {
  Child child({"run"}, environment());
  ASSERT_TRUE(child.wait_for_output("judged"));
  // What the watchdog does to the thread that hangs.
  child.signal(SIGRTMIN);
  EXPECT_EQ(child.wait(), -SIGABRT);
  EXPECT_TRUE(has(child.err(), "panic: watchdog: ")) << child.err();
  const std::string evidence = recorded("recorder");
  EXPECT_TRUE(has(evidence, "panic      watchdog: ")) << evidence;
  EXPECT_TRUE(has(evidence, "ended in a panic")) << evidence;
  EXPECT_TRUE(has(evidence, " panic            code=4")) << evidence;

  Child next({"run", "--for", "0"}, environment());
  EXPECT_EQ(next.wait(), 0);
  EXPECT_TRUE(has(next.err(), "the last run ended in a panic: watchdog: ")) << next.err();
  EXPECT_EQ(recorded("recorder.1"), evidence);
}

TEST_F(Recorder, ADamagedFileIsSaid) {
  Child child({"run", "--for", "0"}, environment());
  ASSERT_EQ(child.wait(), 0);
  std::filesystem::resize_file(state() + "/recorder", 5000);
  EXPECT_TRUE(has(recorded("recorder", 1), "start"));
  std::filesystem::resize_file(state() + "/recorder", 300);
  recorded("recorder", 2);
  recorded("identity", 2);
  recorded("nothing", 2);
}

TEST_F(Program, AFullDiskDoesNotLookLikeSuccess) {
  if (::access("/dev/full", W_OK) != 0) FAIL() << "no /dev/full on this system";
  const std::string command = "HOME=" + home_ +
                              " " CHAPPE_PROGRAM
                              " airtime --sf 8 --bw 62.5 --cr 8 --preamble 32 --len 20 >/dev/full";
  EXPECT_NE(std::system((command + " 2>/dev/null").c_str()), 0);
}

// --- The airtime budget across runs
// ---------------------------------------------------------------

TEST_F(Program, RemembersItsAirtimeAndSaysWhatItKnows) {
  Child first({"run", "--for", "0"}, environment());
  EXPECT_EQ(first.wait(), 0) << first.err();
  EXPECT_TRUE(has(first.err(), "airtime  nothing was ever sent")) << first.err();
  struct stat status{};
  ASSERT_EQ(::stat((state() + "/airtime-eu868-P").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);

  Child killed({"run"}, environment());
  ASSERT_TRUE(killed.wait_for_output("heard"));
  killed.signal(SIGKILL);
  killed.wait();
  Child again({"run", "--for", "0"}, environment());
  EXPECT_EQ(again.wait(), 0);
  EXPECT_TRUE(has(again.err(), "known from before, in this boot")) << again.err();
  EXPECT_FALSE(has(again.err(), "nothing is sent for")) << again.err();
}

// And one that it has never used: what was sent there before is not known.
TEST_F(Program, InAnotherBandItObeysThatBandsLedgerAndForgetsNoneOfTheFirst) {
  const std::string other =
      write("other.toml", "[radio]\nfrequency = \"868.3 MHz\"\ntx_power_dbm = 10\n");
  Child first({"run", "--for", "0"}, environment());
  EXPECT_EQ(first.wait(), 0) << first.err();
  Child second({"run", "--config", other, "--for", "0"}, environment());
  EXPECT_EQ(second.wait(), 0) << second.err();
  EXPECT_TRUE(has(second.err(), "at most 36s on the air in any 1h")) << second.err();
  EXPECT_TRUE(has(second.err(), "its record is missing")) << second.err();
  EXPECT_TRUE(std::filesystem::exists(state() + "/airtime-eu868-M"));
  Child back({"run", "--for", "0"}, environment());
  EXPECT_EQ(back.wait(), 0) << back.err();
  EXPECT_TRUE(has(back.err(), "at most 6min on the air in any 1h")) << back.err();
  EXPECT_TRUE(has(back.err(), "known from before, in this boot")) << back.err();
}

TEST_F(Program, SendsNothingForMostOfAnHourIfItsRecordIsLost) {
  Child first({"run", "--for", "0"}, environment());
  EXPECT_EQ(first.wait(), 0);
  std::filesystem::remove(state() + "/airtime-eu868-P");
  Child second({"run", "--for", "3"}, environment());
  EXPECT_EQ(second.wait(), 0);
  EXPECT_TRUE(has(second.err(), "its record is missing")) << second.err();
  EXPECT_TRUE(has(second.err(), "nothing is sent for the next 5")) << second.err();
  EXPECT_TRUE(has(second.out(), "on air 0.000 s")) << second.out();

  // A damaged one is no better.
  std::ofstream(state() + "/airtime-eu868-P") << "rubbish";
  Child third({"run", "--for", "0"}, environment());
  EXPECT_EQ(third.wait(), 0);
  EXPECT_TRUE(has(third.err(), "its record is damaged")) << third.err();
}

}  // namespace
}  // namespace chappe::test
