#include "chappe/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "chappe/config/document.h"
#include "chappe/config/print.h"

namespace chappe::config {
namespace {

using testing::HasSubstr;

/// The mistakes as a terminal would show them.
std::string mistakes(std::string_view text) {
  const Loaded loaded = parse(text);
  return loaded ? "" : describe("chappe.toml", loaded.error());
}

Configuration accepted(std::string_view text) {
  const Loaded loaded = parse(text);
  EXPECT_TRUE(loaded) << mistakes(text);
  return loaded ? *loaded : Configuration{};
}

TEST(Load, TheEmptyTextIsTheDefaultNode) {
  EXPECT_EQ(accepted(""), Configuration{});
  EXPECT_EQ(accepted("# nothing to say\n"), Configuration{});
  EXPECT_EQ(accepted("\xef\xbb\xbf"), Configuration{});
}

TEST(Load, ReadsEverySectionOfAFile) {
  const Configuration read = accepted(R"(
name = "Zürich ⛰"
owner = "me\nmy street"
latitude = 47.3769
longitude = 8
region = "us915"
mode = "monitor"
path_hash_size = 3
multi_acks = 1

[radio]
kind = "replay:/tmp/a b.jsonl"
frequency = "910.525 MHz"
bandwidth = "250 kHz"
spreading_factor = 10
coding_rate = 5
preamble = 16
tx_power_dbm = -9
antenna_gain_dbi = 2.15

[law]
kind = "bucket"
rules = [{ window = "1h", limit = "10 %" }, { window = "60s", limit = "3600 ms" }]
dwell = true
over_budget = "drop"

[hops]
flood_max = 0
loop_detect = "strict"

[adverts]
zero_hop_interval = "2h"
flood_interval = "off"

[socket]
enabled = false
)");
  Configuration expected;
  expected.name = "Zürich ⛰";
  expected.owner = "me\nmy street";
  expected.latitude = 47.3769;
  expected.longitude = 8;
  expected.region = "us915";
  expected.mode = Mode::monitor;
  expected.path_hash_size = 3;
  expected.multi_acks = 1;
  expected.radio.kind = RadioSource{RadioSource::Kind::replay, "/tmp/a b.jsonl"};
  expected.radio.frequency = Hertz{910'525'000};
  expected.radio.bandwidth = Hertz{250'000};
  expected.radio.spreading_factor = 10;
  expected.radio.coding_rate = 5;
  expected.radio.preamble = 16;
  expected.radio.tx_power_dbm = -9;
  expected.radio.antenna_gain_dbi = 2.15;
  expected.law.kind = LawKind::bucket;
  expected.law.rules = {{hours(1), seconds(360)}, {seconds(60), milliseconds(3600)}};
  expected.law.dwell = true;
  expected.law.over_budget = OverBudget::drop;
  expected.hops.flood_max = 0;
  expected.hops.loop_detect = LoopDetect::strict;
  expected.adverts.zero_hop_interval = hours(2);
  expected.adverts.flood_interval = Duration::zero();
  expected.socket.enabled = false;
  EXPECT_EQ(read, expected);
}

TEST(Load, ReportsAllMistakesInTheOrderOfTheFile) {
  EXPECT_EQ(mistakes("nmae = \"x\"\n"
                     "[hops]\n"
                     "  flod_max = 3\n"
                     "  flood_max_advert = 65\n"
                     "[radio]\n"
                     "frequency = 869.618\n"),
            "chappe.toml:1:1: unknown key \"nmae\" at the top; did you mean \"name\"?\n"
            "chappe.toml:3:3: unknown key \"flod_max\" in [hops]; did you mean \"flood_max\"?\n"
            "chappe.toml:4:22: \"flood_max_advert\" in [hops] wants a whole number from 0 to 64 "
            "hops, found 65\n"
            "chappe.toml:6:13: \"frequency\" in [radio] wants a frequency from \"150 MHz\" to "
            "\"2500 MHz\", found 869.618 (a number needs its unit and quotes)\n");
}

TEST(Load, TellsWhereAMisplacedKeyBelongs) {
  EXPECT_EQ(mistakes("flood_max = 3"),
            "chappe.toml:1:1: unknown key \"flood_max\" at the top; \"flood_max\" belongs in "
            "[hops]\n");
  EXPECT_EQ(mistakes("[hops]\nname = \"x\""),
            "chappe.toml:2:1: unknown key \"name\" in [hops]; \"name\" belongs at the top\n");
  EXPECT_EQ(mistakes("[hops]\nbandwith = 1"),
            "chappe.toml:2:1: unknown key \"bandwith\" in [hops]; did you mean \"bandwidth\" in "
            "[radio]?\n");
  EXPECT_EQ(mistakes("[hop]\nflood_max = 3"),
            "chappe.toml:1:2: unknown section [hop]; did you mean [hops]?\n");
  EXPECT_EQ(mistakes("quetzalcoatl = 1"),
            "chappe.toml:1:1: unknown key \"quetzalcoatl\" at the top\n");
}

TEST(Load, RefusesWrongTypes) {
  EXPECT_THAT(mistakes("name = 7"), HasSubstr(":1:8: \"name\" wants a text of 1 to 31 bytes"));
  EXPECT_THAT(mistakes("name = 7"), HasSubstr("found 7"));
  EXPECT_THAT(mistakes("hops = 3"), HasSubstr(":1:1: \"hops\" is a section: write [hops]"));
  EXPECT_THAT(mistakes("[name]"), HasSubstr("found a table"));
  EXPECT_THAT(mistakes("[[hops]]"), HasSubstr("\"hops\" is a section"));
  EXPECT_THAT(mistakes("path_hash_size = 2.0"), HasSubstr("from 1 to 3 bytes, found 2"));
  EXPECT_THAT(mistakes("path_hash_size = \"2\""), HasSubstr("found the text \"2\""));
  EXPECT_THAT(mistakes("path_hash_size = 1979-05-27"), HasSubstr("found a date or time"));
  EXPECT_THAT(mistakes("[socket]\nenabled = 1"), HasSubstr("wants true or false, found 1"));
  EXPECT_THAT(mistakes("[law]\nrules = \"10 %\""), HasSubstr("a list of at most 8 rules"));
  EXPECT_THAT(mistakes("latitude = []"), HasSubstr("found a list"));
}

TEST(Load, RefusesWhatIsOneTooMany) {
  EXPECT_EQ(accepted("name = \"" + std::string(31, 'a') + "\"").name.size(), 31u);
  EXPECT_THAT(mistakes("name = \"" + std::string(32, 'a') + "\""), HasSubstr("1 to 31 bytes"));
  EXPECT_THAT(mistakes("name = \"\""), HasSubstr("1 to 31 bytes"));
  // 16 letters of two bytes each.
  EXPECT_THAT(mistakes("name = \"üüüüüüüüüüüüüüüü\""), HasSubstr("1 to 31 bytes"));
  EXPECT_THAT(mistakes("[hops]\nflood_max = -1"), HasSubstr("from 0 to 64"));
  EXPECT_EQ(accepted("[hops]\nflood_max = 64").hops.flood_max, 64);
  EXPECT_THAT(mistakes("[radio]\nspreading_factor = 4"), HasSubstr("from 5 to 12"));
  EXPECT_THAT(mistakes("[radio]\nspreading_factor = 13"), HasSubstr("from 5 to 12"));
  EXPECT_THAT(mistakes("[delays]\nflood_factor = 2.0000001"), HasSubstr("from 0 to 2"));
  EXPECT_THAT(mistakes("[delays]\nflood_factor = nan"), HasSubstr("from 0 to 2"));
  EXPECT_THAT(mistakes("[delays]\nflood_factor = inf"), HasSubstr("from 0 to 2"));
  EXPECT_THAT(mistakes("[adverts]\nflood_interval = \"2h\""), HasSubstr("from \"3h\" to \"7d\""));
  EXPECT_THAT(mistakes("[expiry]\nrelay = \"0s\""), HasSubstr("from \"1s\" to \"1h\""));
}

TEST(Load, RefusesTheLettersThatTheReferenceRefusesInNames) {
  for (const char letter : std::string_view("[]:,?*")) {
    EXPECT_THAT(mistakes(std::string("name = \"a") + letter + "b\""),
                HasSubstr("without [ ] \\ : , ? *"))
        << letter;
  }
  EXPECT_THAT(mistakes("name = 'a\\b'"), HasSubstr("without [ ] \\ : , ? *"));
  EXPECT_THAT(mistakes("name = \"a\\nb\""), HasSubstr("may not hold control characters"));
  for (const std::string code : {"0000", "001b", "001f", "007f"}) {
    EXPECT_THAT(mistakes("[state]\ndirectory = \"/a\\u" + code + "b\""),
                HasSubstr("control characters"))
        << code;
    EXPECT_THAT(mistakes("[radio]\nkind = \"replay:a\\u" + code + "b\""),
                HasSubstr("control characters"))
        << code;
  }
  EXPECT_EQ(mistakes("[state]\ndirectory = \"/a\\u0020b\""), "");
}

TEST(Load, RefusesWrongUnits) {
  EXPECT_THAT(mistakes("[radio]\nfrequency = \"869618000\""),
              HasSubstr("has no unit: one of GHz, MHz, kHz, Hz"));
  EXPECT_THAT(mistakes("[radio]\nfrequency = \"869.618 mhz\""),
              HasSubstr("unknown unit \"mhz\": one of GHz, MHz, kHz, Hz; did you mean \"MHz\"?"));
  EXPECT_THAT(mistakes("[radio]\nbandwidth = \"60 kHz\""), HasSubstr("\"62.5 kHz\", \"125 kHz\""));
  EXPECT_THAT(mistakes("[listen]\nbusy_max = \"4 dBm\""), HasSubstr("unknown unit \"dBm\""));
  EXPECT_THAT(mistakes("[listen]\nbusy_max = \"soon\""), HasSubstr("wants a number"));
  EXPECT_THAT(mistakes("[listen]\nbusy_max = \"0.0000001s\""), HasSubstr("at most six decimals"));
  EXPECT_THAT(mistakes("[listen]\nbusy_max = \"0.000001ms\""), HasSubstr("finer than one us"));
}

TEST(Load, NamesTheNearestOfSeveralWords) {
  EXPECT_THAT(mistakes("mode = \"foward\""),
              HasSubstr("one of \"forward\", \"monitor\", \"no_tx\", found the text \"foward\"; "
                        "did you mean \"forward\"?"));
  EXPECT_THAT(mistakes("region = \"eu886\""),
              HasSubstr("\"cn470\", found the text \"eu886\"; did "
                        "you mean \"eu868\"?"));
}

TEST(Load, NamesTheRadiosThatThereAre) {
  EXPECT_EQ(mistakes("[radio]\nkind = \"chip\""), "");
  EXPECT_EQ(mistakes("[radio]\nkind = \"kiss\"\ntx_power_dbm = 14"), "");
  EXPECT_THAT(
      mistakes("[radio]\nkind = \"sin\""),
      HasSubstr("unknown radio \"sin\"; there is: sim, chip, sx126x, kiss, replay:FILE; did "
                "you mean \"sim\"?"));
  EXPECT_THAT(mistakes("[radio]\nkind = \"replay\""), HasSubstr("replay:FILE"));
  EXPECT_THAT(mistakes("[radio]\nkind = \"replay:\""), HasSubstr("replay:FILE"));
  EXPECT_THAT(mistakes("[radio]\nkind = \"sim:5\""), HasSubstr("nothing behind a colon"));
}

TEST(Load, WantsASpeedThatSerialLinesHave) {
  EXPECT_EQ(mistakes("[modem]\nspeed = 57600"), "");
  EXPECT_THAT(mistakes("[modem]\nspeed = 57601"),
              HasSubstr("wants one of 9600, 19200, 38400, 57600, 115200"));
}

TEST(Load, WantsALineOfTheModemThatLeadsSomewhere) {
  const auto line = [](std::string_view text) {
    return mistakes("[radio]\nkind = \"kiss\"\ntx_power_dbm = 14\n[modem]\nline = \"" +
                    std::string(text) + "\"");
  };
  EXPECT_EQ(line("/dev/serial/by-id/usb-x"), "");
  EXPECT_EQ(line("tcp:modem.local:5000"), "");
  EXPECT_THAT(line("tcp:modem.local"), HasSubstr("is not tcp:HOST:PORT"));
}

TEST(Load, WantsAPasswordWhereOthersCanReachTheModem) {
  const auto kiss = [](std::string_view tcp, std::string_view password) {
    std::string text = "[kiss]\ntcp = \"" + std::string(tcp) + "\"";
    if (!password.empty()) text += "\npassword = \"" + std::string(password) + "\"";
    return mistakes(text);
  };
  EXPECT_EQ(kiss("8001", "off"), "");
  EXPECT_EQ(kiss("0.0.0.0:8001", "geheim"), "");
  EXPECT_THAT(kiss("8001", ""), HasSubstr("needs a password"));
  EXPECT_THAT(kiss("0.0.0.0:8001", "off"), HasSubstr("which others can reach"));
  EXPECT_THAT(kiss("nowhere", "geheim"), HasSubstr("neither HOST:PORT nor PORT"));
}

TEST(Load, RefusesRulesThatMakeNoSense) {
  const auto rules = [](std::string_view list) {
    return mistakes("[law]\nrules = " + std::string(list));
  };
  EXPECT_EQ(rules("[]"), "");
  EXPECT_THAT(rules("[{ window = \"1h\" }]"), HasSubstr("without both \"window\" and \"limit\""));
  EXPECT_THAT(rules("[{ window = \"1h\", limt = \"1s\" }]"),
              HasSubstr("unknown key \"limt\"; did you mean \"limit\"?"));
  EXPECT_THAT(rules("[{ window = \"1h\", limit = \"2h\" }]"), HasSubstr("longer than its window"));
  EXPECT_THAT(rules("[{ window = \"1h\", limit = \"0s\" }]"), HasSubstr("limit that is zero"));
  EXPECT_THAT(rules("[{ window = \"1h\", limit = \"101 %\" }]"), HasSubstr("more than 100 %"));
  EXPECT_THAT(rules("[{ window = \"1h\", limit = 10 }]"), HasSubstr("limit is 10, not a text"));
  EXPECT_THAT(rules("[{ window = \"2d\", limit = \"1s\" }]"), HasSubstr("not from 1s to 1d"));
  EXPECT_THAT(rules("[7]"), HasSubstr("found 7"));
  // Both mistakes of one list are told, each at its own place.
  const std::string both = rules("[{ window = 1, limit = \"1s\" },\n{ window = \"1h\" }]");
  EXPECT_THAT(both, HasSubstr("chappe.toml:2:21: "));
  EXPECT_THAT(both, HasSubstr("chappe.toml:3:1: "));
}

TEST(Load, RefusesAChannelOutsideTheRegionsBands) {
  // 869.400 to 869.650 is band P: a channel 250 kHz wide fits in exactly one place.
  EXPECT_EQ(mistakes("[radio]\nbandwidth = \"250 kHz\"\nfrequency = \"869.525 MHz\""), "");
  EXPECT_EQ(mistakes("[radio]\nbandwidth = \"250 kHz\"\nfrequency = \"869.525001 MHz\""),
            "chappe.toml:3:13: the channel 869.525001 MHz, 250 kHz wide, lies in no band of the "
            "region \"eu868\", which has 863 MHz to 865 MHz, 865 MHz to 868 MHz, 868 MHz to 868.6 "
            "MHz, 868.7 MHz to 869.2 MHz, 869.4 MHz to 869.65 MHz, 869.7 MHz to 870 MHz\n");
  EXPECT_NE(mistakes("[radio]\nbandwidth = \"250 kHz\"\nfrequency = \"869.524999 MHz\""), "");
  // The default channel does not fit the region that was chosen: blame the choice.
  EXPECT_THAT(mistakes("region = \"us915\""),
              HasSubstr("chappe.toml:1:10: the channel 869.618 MHz, 62.5 kHz wide, lies in no"));
  // The gaps between bands belong to alarms.
  EXPECT_NE(mistakes("[radio]\nfrequency = \"868.65 MHz\""), "");
  EXPECT_NE(mistakes("[radio]\nfrequency = \"869.3 MHz\""), "");
}

TEST(Load, RefusesMorePowerThanTheBandAllows) {
  // 27 dBm ERP are 29.15 dBm EIRP.
  EXPECT_EQ(mistakes("[radio]\nantenna_gain_dbi = 7.15"), "");
  EXPECT_EQ(mistakes("[radio]\nantenna_gain_dbi = 7.16"),
            "chappe.toml:2:20: the power of 27.01 dBm ERP is more than the band P of the region "
            "\"eu868\" allows, 27.00 dBm ERP\n");
  EXPECT_EQ(mistakes("[radio]\nantenna_gain_dbi = 10.15\nfeeder_loss_db = 3"), "");
  EXPECT_THAT(mistakes("[radio]\nfrequency = \"868.3 MHz\""),
              HasSubstr("chappe.toml:2:13: the power of 19.85 dBm ERP is more than the band M"));
}

TEST(Load, RefusesADwellLimitThatTheBandDoesNotHave) {
  EXPECT_THAT(mistakes("[law]\ndwell = true"), HasSubstr("has no dwell limit to keep"));
}

TEST(Load, KeepsTheLeakyLawOffTheAir) {
  Configuration configuration;
  configuration.law.kind = LawKind::bucket;
  EXPECT_TRUE(contradictions(configuration).empty());
  configuration.radio.kind.kind = RadioSource::Kind::sx126x;
  configuration.board.name = "waveshare";
  EXPECT_EQ(contradictions(configuration).size(), 1u);
  configuration.law.kind = LawKind::exact;
  EXPECT_TRUE(contradictions(configuration).empty());
}

TEST(Load, PlacesSyntaxErrors) {
  EXPECT_THAT(mistakes("name = \"x\"\nname = \"y\""), HasSubstr("chappe.toml:2:"));
  EXPECT_THAT(mistakes("name = \"x\"\nname = \"y\""), HasSubstr("cannot redefine"));
  EXPECT_THAT(mistakes("[radio]\n[radio]"), HasSubstr("chappe.toml:2:"));
  EXPECT_THAT(mistakes("name = "), HasSubstr("chappe.toml:1:"));
  EXPECT_THAT(mistakes("name = \"x"), HasSubstr("chappe.toml:1:"));
  EXPECT_THAT(mistakes("[radio\n"), HasSubstr("chappe.toml:1:"));
  EXPECT_THAT(mistakes("[radio]\nfrequency = 869.618 MHz"), HasSubstr("chappe.toml:2:"));
}

TEST(Load, RefusesBytesThatAreNotText) {
  EXPECT_THAT(mistakes("name = \"\xff\""), HasSubstr("chappe.toml:1:"));
  EXPECT_THAT(mistakes("# \xc3\x28"), HasSubstr("chappe.toml:1:"));
  EXPECT_THAT(mistakes(std::string_view("name = \"a\0b\"", 12)), HasSubstr("chappe.toml:1:"));
}

TEST(Load, ShieldsTheParserFromWhatItDoesNotSurvive) {
  EXPECT_EQ(mistakes("x = 1\n  größe = 1"),
            "chappe.toml:2:5: a letter beyond ASCII is only allowed in quotes or a comment\n");
  EXPECT_THAT(mistakes("[\xc3\xbc]"), HasSubstr("chappe.toml:1:2: a letter beyond ASCII"));
  EXPECT_THAT(mistakes("\xc2\xa0name = 1"), HasSubstr("chappe.toml:1:1: a letter beyond ASCII"));
  // Behind each kind of string the rule holds again; inside of it, it does not.
  for (const std::string text :
       {R"("ü\"")", "'ü'", "\"\"\"ü\\\"\n\"\"\"", "'''ü\n'''", "\"\"\"ü\"\"\"\"\"", "'''ü'''''"}) {
    EXPECT_THAT(mistakes("owner = " + text + "\n# ü\nü = 1"), HasSubstr("a letter beyond ASCII"))
        << text;
    EXPECT_EQ(mistakes("owner = " + text + "\n# ü\n").find("ASCII"), std::string::npos) << text;
  }
  for (const char* header :
       {"[\n", "[ #", "[.a]", "[[\n", "[[ [a]]]", "  [=]", "x = [\n1\n]\n[\n"}) {
    EXPECT_THAT(mistakes(header), HasSubstr("a section header needs a name behind its bracket"))
        << header;
  }
  for (const char* text : {"x = [}", "x = {]", "x = [[1]]]", "x = }", "]", "[x]]", "[[x]}"}) {
    EXPECT_THAT(mistakes(text), HasSubstr("a bracket closes that is not open")) << text;
  }
  EXPECT_THAT(mistakes("[hops.\"ü\"]\nx.\"ü\" = 1"), HasSubstr("1:7: unknown key \"ü\" in [hops]"));
  for (const char* text : {"x = 8\"ü\"", "x = 3y = \"ü\"", "x = +.\"ü\"", "x = 3[\"ü\"]"}) {
    EXPECT_THAT(mistakes(text), HasSubstr("chappe.toml:1:")) << text;
  }
  EXPECT_EQ(accepted("owner = \"\"\"a\\\n   ü\"\"\"").owner, "aü");
  EXPECT_THAT(mistakes("owner = \"\"\"\\ü\"\"\""), HasSubstr("escape"));
  EXPECT_THAT(mistakes("x = {y = {z = 1, a = 2}, b = [{c = 1}]}\ny = 1"),
              HasSubstr(":1:1: unknown"));
  EXPECT_THAT(mistakes("x = [\n[\n1\n],\n[{a = 1}]\n]"), HasSubstr("unknown key \"x\""));
  EXPECT_THAT(mistakes("["), HasSubstr("chappe.toml:1:"));
  EXPECT_THAT(mistakes("[]"), HasSubstr("chappe.toml:1:"));
  std::string deep = "a";
  for (int i = 0; i < 30'000; ++i) deep += ".a";
  EXPECT_THAT(mistakes(deep + " = 1"), HasSubstr("a name of more than 8 parts"));
  EXPECT_THAT(mistakes("[a.a.a.a.a.a.a.a.a]"), HasSubstr("a name of more than 8 parts"));
  EXPECT_THAT(mistakes("[a.a.a.a.a.a.a.a]"), HasSubstr("unknown section [a]"));
  EXPECT_THAT(mistakes("a = " + std::string(30'000, '[')), HasSubstr("nested"));
  EXPECT_THAT(mistakes(std::string(kDocumentBytesMax + 1, '\n')),
              HasSubstr("chappe.toml: larger than 65536 bytes"));
  EXPECT_EQ(mistakes(std::string(kDocumentBytesMax, '\n')), "");
}

class LoadFile : public testing::Test {
 protected:
  LoadFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "chappe-load-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LoadFile() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
};

TEST_F(LoadFile, ReadsAFile) {
  const auto path = directory_ / "chappe.toml";
  std::ofstream(path) << "name = \"hill\"\n";
  const Loaded loaded = load(path.string());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->name, "hill");
}

TEST_F(LoadFile, SaysWhyAFileCannotBeRead) {
  const Loaded missing = load((directory_ / "none.toml").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(describe("none.toml", missing.error()),
            "none.toml: cannot be read: No such file or directory\n");
  const Loaded folder = load(directory_.string());
  ASSERT_FALSE(folder);
  EXPECT_EQ(describe("d", folder.error()), "d: cannot be read: Is a directory\n");
}

TEST_F(LoadFile, RefusesAFileWithoutEnd) {
  const Loaded endless = load("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_THAT(describe("zero", endless.error()), HasSubstr("larger than 65536 bytes"));
}

}  // namespace
}  // namespace chappe::config
