#include "apps/chappe/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chappe::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;

template <class Options>
Options chosen(const Words& words) {
  const Command command = parse_command_line(words);
  const auto* options = std::get_if<Options>(&command);
  if (options != nullptr) return *options;
  const auto* answer = std::get_if<Answer>(&command);
  ADD_FAILURE() << (answer != nullptr ? answer->talk : "another command");
  return {};
}

Answer answered(const Words& words) {
  const Command command = parse_command_line(words);
  const auto* answer = std::get_if<Answer>(&command);
  if (answer != nullptr) return *answer;
  ADD_FAILURE() << "accepted";
  return {};
}

/// The first line of what a refused command line is told.
std::string refused(const Words& words) {
  const Answer answer = answered(words);
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_EQ(answer.out, "") << "talk belongs on standard error";
  return answer.talk.substr(0, answer.talk.find('\n'));
}

TEST(CommandLine, RunHasDefaults) {
  const auto run = chosen<RunOptions>({"run"});
  EXPECT_EQ(run.config, "");
  EXPECT_EQ(run.radio, "");
  EXPECT_EQ(run.state, "");
  EXPECT_EQ(run.for_seconds, std::nullopt);
  EXPECT_EQ(run.seed, std::nullopt);
  EXPECT_FALSE(run.json);
  EXPECT_FALSE(run.print_config);
}

TEST(CommandLine, CtlHasActionsWithOptionsOfTheirOwn) {
  using Action = CtlOptions::Action;
  EXPECT_EQ(chosen<CtlOptions>({"ctl", "status"}).action, Action::status);
  EXPECT_EQ(chosen<CtlOptions>({"ctl", "restart-clients"}).action, Action::restart_clients);
  const auto watch = chosen<CtlOptions>({"ctl",
                                         "--state",
                                         "d",
                                         "watch",
                                         "--events",
                                         "heard,sent",
                                         "--types=ADVERT",
                                         "--count",
                                         "3",
                                         "--json"});
  EXPECT_EQ(watch.action, Action::watch);
  EXPECT_EQ(watch.state, "d");
  EXPECT_THAT(watch.events, ElementsAre("heard", "sent"));
  EXPECT_THAT(watch.types, ElementsAre("ADVERT"));
  EXPECT_EQ(watch.count, 3u);
  EXPECT_TRUE(watch.json);
  const auto send = chosen<CtlOptions>({"ctl", "send", "1500", "--key", "k", "--delay", "5"});
  EXPECT_EQ(send.hex, "1500");
  EXPECT_EQ(send.key, "k");
  EXPECT_EQ(send.delay_ms, 5u);
  EXPECT_THAT(refused({"ctl", "watch", "--events", "seen"}), HasSubstr("chappe ctl watch"));
  EXPECT_THAT(refused({"ctl", "watch", "--types", "a\"b"}), HasSubstr("ADVERT"));
  EXPECT_THAT(refused({"ctl", "send", "00", "--kye", "k"}), HasSubstr("did you mean '--key'"));
  EXPECT_THAT(refused({"ctl"}), HasSubstr("chappe ctl"));
  EXPECT_THAT(answered({"ctl", "--help"}).out, HasSubstr("restart-clients"));
  EXPECT_THAT(answered({"ctl", "send", "--help"}).out, HasSubstr("--priority"));
}

TEST(CommandLine, RunTakesAllItsOptions) {
  const auto run = chosen<RunOptions>({"run",
                                       "--config",
                                       "a b.toml",
                                       "--radio=replay:x.jsonl",
                                       "--state",
                                       "/s",
                                       "--for",
                                       "0.5",
                                       "--seed",
                                       "18446744073709551615",
                                       "--json",
                                       "--print-config"});
  EXPECT_EQ(run.config, "a b.toml");
  EXPECT_EQ(run.radio, "replay:x.jsonl");
  EXPECT_EQ(run.state, "/s");
  EXPECT_EQ(run.for_seconds, 0.5);
  EXPECT_EQ(run.seed, 18446744073709551615u);
  EXPECT_TRUE(run.json);
  EXPECT_TRUE(run.print_config);
}

TEST(CommandLine, RunRefusesWhatItCannotDo) {
  EXPECT_THAT(refused({"run", "--radio", "modem"}),
              HasSubstr("there is: sim, chip, sx126x, kiss, replay:FILE"));
  EXPECT_THAT(refused({"run", "--radio", "sin"}), HasSubstr("did you mean \"sim\"?"));
  EXPECT_THAT(refused({"run", "--for", "-1"}), HasSubstr("--for"));
  EXPECT_THAT(refused({"run", "--for", "nan"}), HasSubstr("--for"));
  EXPECT_THAT(refused({"run", "--for", "inf"}), HasSubstr("--for"));
  EXPECT_THAT(refused({"run", "--for", "soon"}), HasSubstr("--for"));
  EXPECT_THAT(refused({"run", "--seed", "-1"}), HasSubstr("--seed"));
  EXPECT_THAT(refused({"run", "--seed", "18446744073709551616"}), HasSubstr("--seed"));
  EXPECT_THAT(refused({"run", "--config"}), HasSubstr("--config"));
  EXPECT_EQ(refused({"run", "fast"}), "chappe run: one word too many: 'fast'");
}

TEST(CommandLine, DecodeTakesPacketsAndKeys) {
  const auto decode = chosen<play::DecodeOptions>(
      {"decode", "--key", "channel:00ff", "1100", "--json", "1500", "--key", "secret:AA"});
  EXPECT_THAT(decode.hex, ElementsAre("1100", "1500"));
  EXPECT_THAT(decode.keys, ElementsAre("channel:00ff", "secret:AA"));
  EXPECT_TRUE(decode.json);
  EXPECT_THAT(refused({"decode"}), HasSubstr("hex"));
  EXPECT_THAT(refused({"decode", "11", "--key", "00ff"}), HasSubstr("channel:HEX or secret:HEX"));
  EXPECT_THAT(refused({"decode", "11", "--key", "channel:0"}), HasSubstr("pairs of hexadecimal"));
  EXPECT_THAT(refused({"decode", "11", "--key", "channel:"}), HasSubstr("pairs of hexadecimal"));
  EXPECT_THAT(refused({"decode", "11", "--key", "secret:0g"}), HasSubstr("pairs of hexadecimal"));
}

TEST(CommandLine, AirtimeWantsTheWholeModulation) {
  const auto airtime = chosen<play::AirtimeOptions>(
      {"airtime", "--sf", "8", "--bw", "62.5", "--cr", "8", "--len", "255"});
  EXPECT_EQ(airtime.sf, 8);
  EXPECT_EQ(airtime.bw_khz, 62.5);
  EXPECT_EQ(airtime.cr, 8);
  EXPECT_EQ(airtime.len, 255);
  EXPECT_EQ(airtime.preamble, 0);  // as MeshCore chooses it
  EXPECT_EQ(airtime.ldro, "auto");
  EXPECT_FALSE(airtime.implicit || airtime.no_crc || airtime.json);

  const auto other = chosen<play::AirtimeOptions>({"airtime",
                                                   "--sf=12",
                                                   "--bw=125",
                                                   "--cr=5",
                                                   "--len=0",
                                                   "--preamble=16",
                                                   "--implicit",
                                                   "--no-crc",
                                                   "--ldro=on",
                                                   "--json"});
  EXPECT_EQ(other.preamble, 16);
  EXPECT_EQ(other.ldro, "on");
  EXPECT_TRUE(other.implicit && other.no_crc && other.json);

  EXPECT_THAT(refused({"airtime", "--sf", "8", "--bw", "62.5", "--cr", "8"}), HasSubstr("--len"));
  const auto with = [](const std::string& option, const std::string& value) {
    Words words{"airtime", "--sf", "8", "--bw", "62.5", "--cr", "8", "--len", "1", "--ldro", "on"};
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == option) words[i + 1] = value;
    }
    return refused(words);
  };
  EXPECT_THAT(with("--sf", "4"), HasSubstr("--sf"));
  EXPECT_THAT(with("--sf", "13"), HasSubstr("--sf"));
  EXPECT_THAT(with("--sf", "8x"), HasSubstr("--sf"));
  EXPECT_THAT(with("--bw", "6.9"), HasSubstr("--bw"));
  EXPECT_THAT(with("--bw", "nan"), HasSubstr("--bw"));
  EXPECT_THAT(with("--sf", "4294967304"), HasSubstr("--sf"));
  EXPECT_THAT(with("--cr", "9"), HasSubstr("--cr"));
  EXPECT_THAT(with("--len", "256"), HasSubstr("--len"));
  EXPECT_THAT(with("--len", "-1"), HasSubstr("--len"));
  EXPECT_THAT(with("--ldro", "maybe"), HasSubstr("--ldro"));
}

TEST(CommandLine, ConformanceTakesOneKindAnOption) {
  const auto conformance = chosen<play::ConformanceOptions>(
      {"conformance", "--kind", "airtime", "a.json", "b.jsonl", "--kind", "ack", "--verbose"});
  EXPECT_THAT(conformance.files, ElementsAre("a.json", "b.jsonl"));
  EXPECT_THAT(conformance.kinds, ElementsAre("airtime", "ack"));
  EXPECT_TRUE(conformance.verbose);
  EXPECT_FALSE(conformance.json);
  EXPECT_THAT(refused({"conformance", "--verbose"}), HasSubstr("file"));
}

TEST(CommandLine, ReplayTakesOneRecording) {
  const auto replay = chosen<play::ReplayOptions>({"replay", "a.jsonl#3", "--seed", "7", "--json"});
  EXPECT_EQ(replay.file, "a.jsonl#3");
  EXPECT_EQ(replay.seed, 7u);
  EXPECT_TRUE(replay.json);
  EXPECT_EQ(chosen<play::ReplayOptions>({"replay", "a"}).seed, std::nullopt);
  EXPECT_EQ(refused({"replay", "a", "b"}), "chappe replay: one word too many: 'b'");
}

TEST(CommandLine, NamesTheNearestCommandAndOption) {
  EXPECT_EQ(refused({"rum"}), "chappe: there is no command 'rum'; did you mean 'run'?");
  EXPECT_EQ(refused({"quetzal"}), "chappe: there is no command 'quetzal'");
  EXPECT_EQ(refused({""}), "chappe: there is no command ''");
  EXPECT_EQ(refused({"run", "--jsno"}),
            "chappe run: there is no option '--jsno'; did you mean '--json'?");
  EXPECT_EQ(refused({"run", "--confg=x"}),
            "chappe run: there is no option '--confg'; did you mean '--config'?");
  EXPECT_EQ(refused({"airtime", "--spreading", "8"}),
            "chappe airtime: there is no option '--spreading'");
  EXPECT_EQ(refused({"--verson"}),
            "chappe: there is no option '--verson'; did you mean "
            "'--version'?");
  EXPECT_EQ(refused({"run", "-x"}), "chappe run: there is no option '-x'");
}

TEST(CommandLine, WithoutWordsTellsWhatThereIsAndFails) {
  const Answer answer = answered({});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.talk, HasSubstr("conformance"));
}

TEST(CommandLine, HelpIsDataAndHasOptionsExamplesAndExitCodes) {
  for (const Words& words : {Words{},
                             Words{"run"},
                             Words{"decode"},
                             Words{"airtime"},
                             Words{"conformance"},
                             Words{"replay"}}) {
    Words asking = words;
    asking.push_back("--help");
    const Answer answer = answered(asking);
    EXPECT_EQ(answer.exit_code, 0);
    EXPECT_EQ(answer.talk, "");
    for (const char* part : {"--help", "--version", "Examples:", "Exit codes:", "chappe "}) {
      EXPECT_THAT(answer.out, HasSubstr(part));
    }
    std::size_t start = 0;
    while (start < answer.out.size()) {
      const std::size_t end = std::min(answer.out.find('\n', start), answer.out.size());
      EXPECT_LE(end - start, 100u) << answer.out.substr(start, end - start);
      start = end + 1;
    }
  }
  EXPECT_THAT(answered({"run", "--help"}).out, HasSubstr("--print-config"));
  EXPECT_THAT(answered({"run", "--help"}).out, HasSubstr("Run the repeater until"));
  EXPECT_THAT(answered({"run", "--help"}).out, Not(HasSubstr("--ldro")));
  EXPECT_EQ(answered({"run", "-h"}).out, answered({"run", "--help"}).out);
  // Asking for help wins over what is missing.
  EXPECT_EQ(answered({"airtime", "--help"}).exit_code, 0);
}

TEST(CommandLine, TellsItsVersionOnTopAndPerCommand) {
  for (const Words& words : {Words{"--version"},
                             Words{"run", "--version"},
                             Words{"decode", "--version"},
                             Words{"airtime", "--version"}}) {
    const Answer answer = answered(words);
    EXPECT_EQ(answer.exit_code, 0);
    EXPECT_EQ(answer.out, "chappe " CHAPPE_VERSION "\n");
    EXPECT_EQ(answer.talk, "");
  }
}

}  // namespace
}  // namespace chappe::app
