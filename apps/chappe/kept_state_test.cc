#include "apps/chappe/kept_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "apps/chappe/wiring.h"
#include "chappe/config/identity_file.h"
#include "chappe/config/load.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::app {
namespace {

constexpr std::uint32_t kNow = 1'763'640'000;

mesh::Identity some_identity(std::uint8_t letter) {
  mesh::Seed seed{};
  seed.fill(letter);
  return mesh::identity_of(seed);
}

config::Identity keys_of(const mesh::Identity& identity) {
  config::Identity keys;
  keys.private_key = identity.prv;
  keys.public_key = identity.pub;
  return keys;
}

/// One run of a node on a state directory.
struct NodeRun {
  NodeRun(const std::string& directory, const config::Configuration& configuration)
      : kept(
            directory,
            configuration,
            [this](const std::string& words) { complaints += words + "\n"; },
            [this](node::Halt how) { halted = how; }),
        repeater(executor, radio, ledger, random, settings_of(configuration), some_identity(1)) {
    repeater.clock().start(kNow, executor.now());
    kept.apply(repeater, access, console);
    repeater.start();
  }

  std::string type(std::string_view line) {
    node::Reply reply;
    console.command(line, 0, reply);
    return std::string(reply.view());
  }
  void pass(Duration span) { port.run(executor, executor.now() + span); }

  port::VirtualPort port;
  async::Executor executor{port};
  sim::ScriptedRadio radio{executor};
  tx::Ledger ledger{{}};
  SeededRandom random{1};
  std::string complaints;
  std::optional<node::Halt> halted;
  KeptState kept;
  node::Repeater repeater;
  node::AccessList access;
  node::Console console{{executor, repeater, access, kept, kept}};
};

class KeptStateTest : public testing::Test {
 protected:
  KeptStateTest() {
    char path[] = "/tmp/chappe-kept-XXXXXX";
    directory_ = ::mkdtemp(path);
    configuration_.adverts.at_start = false;
    write("identity", config::print_identity(keys_of(some_identity(1))));
  }
  ~KeptStateTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<NodeRun> start() { return std::make_unique<NodeRun>(directory_, configuration_); }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(directory_ + "/" + name).rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
    std::filesystem::permissions(directory_ + "/" + name, std::filesystem::perms(0600));
  }

  std::string directory_;
  config::Configuration configuration_;
};

TEST_F(KeptStateTest, WhatACommandHasSetIsSetAtTheNextStart) {
  auto run = start();
  EXPECT_EQ(run->type("set flood.max 12"), "OK");
  EXPECT_EQ(run->type("set name Roof over the sea"), "OK");
  EXPECT_EQ(run->type("set lat 48.8566969"), "OK");
  EXPECT_EQ(run->type("set owner.info one|two"), "OK");
  EXPECT_EQ(run->type("set repeat off"), "OK - repeat is now OFF");
  EXPECT_EQ(run->type("password correct horse"), "password now: correct horse");
  run = start();
  EXPECT_EQ(run->complaints, "");
  EXPECT_EQ(run->repeater.rules().flood_max, 12);
  EXPECT_EQ(run->repeater.preferences().name, "Roof over the sea");
  EXPECT_EQ(run->repeater.preferences().latitude, 48.8566969);
  EXPECT_EQ(run->repeater.preferences().owner_info, "one\ntwo");
  EXPECT_EQ(run->type("get repeat"), "> off");
  EXPECT_EQ(run->repeater.preferences().admin_password, "correct horse");
}

TEST_F(KeptStateTest, WhatNoCommandHasTouchedGoesOnComingFromTheConfiguration) {
  start()->type("set flood.max 12");
  configuration_.name = "other";
  configuration_.hops.flood_max = 3;
  const auto run = start();
  EXPECT_EQ(run->repeater.preferences().name, "other");
  EXPECT_EQ(run->repeater.rules().flood_max, 12);
  EXPECT_EQ(read("settings").find("name"), std::string::npos) << read("settings");
}

TEST_F(KeptStateTest, ATouchedSettingStaysEvenWhenItIsSetBackToTheConfigurations) {
  start()->type("set flood.max 12");
  start()->type("set flood.max 64");
  configuration_.hops.flood_max = 3;
  EXPECT_EQ(start()->repeater.rules().flood_max, 64);
}

// The firmware forgets when its regions were saved, so those who ask "what is new since" get no
// answer after it has restarted.
TEST_F(KeptStateTest, DiscoveryStillKnowsAfterARestartWhenRegionsWereSaved) {
  auto run = start();
  EXPECT_EQ(run->type("region put europe"), "OK - (flood allowed)");
  run->pass(seconds(100));
  EXPECT_EQ(run->type("region save"), "OK");
  const std::uint32_t saved = kNow + 100;
  EXPECT_EQ(run->repeater.preferences().modified_at, saved);

  for (const bool restarted : {false, true}) {
    if (restarted) run = start();
    for (const std::uint32_t since : {saved, saved + 1}) {
      radio::Frame frame;
      // CONTROL, direct, no path; a question to repeaters about changes since then.
      frame.bytes.append(std::array<std::uint8_t, 7>{0x2e, 0x00, 0x80, 0x04, 1, 2, 3});
      frame.bytes.append(static_cast<std::uint8_t>(restarted));
      frame.bytes.append_le32(since);
      const std::size_t before = run->radio.log.size();
      run->radio.hear(frame);
      run->pass(seconds(60));
      EXPECT_EQ(run->radio.log.size() - before, since == saved ? 1u : 0u) << restarted << since;
    }
  }
  ASSERT_NE(run->repeater.regions().find("europe"), nullptr);
  EXPECT_EQ(run->repeater.regions().find("europe")->floods, mesh::Floods::allowed);
}

TEST_F(KeptStateTest, WhoMayDoWhatIsKept) {
  const std::string key = Text<80>().add_hex(Bytes(some_identity(2).pub)).view().data();
  const std::string digits = key.substr(0, 64);
  EXPECT_EQ(start()->type("setperm " + digits + " 3"), "OK");
  auto run = start();
  ASSERT_EQ(run->access.all().size(), 1u);
  EXPECT_EQ(run->access.all()[0].role(), node::Role::admin);
  EXPECT_EQ(run->access.all()[0].secret,
            *mesh::crypto::shared_secret(some_identity(2).prv, some_identity(1).pub));
  EXPECT_EQ(run->type("setperm " + digits + " 0"), "OK");
  EXPECT_TRUE(start()->access.all().empty());
}

TEST_F(KeptStateTest, ARadioThatTheLawForbidsIsNeitherKeptNorUsed) {
  EXPECT_EQ(start()->type("set radio 433.0,62.5,8,8"), "Error, invalid radio params");
  EXPECT_EQ(start()->type("set radio 869.525,125,9,5"), "OK - reboot to apply");
  config::Configuration changed = configuration_;
  EXPECT_EQ(use_kept_radio(directory_, changed), std::nullopt);
  EXPECT_EQ(changed.radio.frequency.count, 869'525'000u);
  EXPECT_EQ(changed.radio.spreading_factor, 9);

  write("settings", "set radio 433.0,62.5,8,8\n");
  changed = configuration_;
  const auto unused = use_kept_radio(directory_, changed);
  ASSERT_TRUE(unused);
  EXPECT_NE(unused->find("433.0"), std::string::npos) << *unused;
  EXPECT_EQ(changed, configuration_);
}

// Another band would be another ledger, so a node that runs stays where it is.
TEST_F(KeptStateTest, ANodeThatRunsIsNotRetuned) {
  auto run = start();
  EXPECT_EQ(run->type("tempradio 869.525,125,9,5,10"), "Error: unsupported");
  EXPECT_EQ(run->type("set radio 869.525,125,9,5"), "OK - reboot to apply");
  run->pass(minutes(1));
  EXPECT_EQ(run->radio.modulation(), radio::Modulation{});
}

TEST_F(KeptStateTest, ADamagedFileIsNamedByLineAndTheRestIsUsed) {
  write("settings", "set flood.max 12\nset flod.max 3\nset tx 99\nreboot\nset txdelay 1\n");
  write("regions", "saved 5\nregion 1 0 F europe\nnonsense\n");
  write("access", "03 zz\n");
  const auto run = start();
  EXPECT_EQ(run->repeater.rules().flood_max, 12);
  EXPECT_EQ(run->repeater.rules().flood_delay_factor, 1);
  EXPECT_EQ(run->halted, std::nullopt) << "a file types no other commands";
  EXPECT_TRUE(run->repeater.regions().named().empty());
  for (const char* const words : {"settings:2: `set flod.max 3`",
                                  "settings:3: `set tx 99` is not used: Error, must be -9 to 30",
                                  "settings:4: `reboot`",
                                  "regions:3:",
                                  "access:1:"}) {
    EXPECT_NE(run->complaints.find(words), std::string::npos) << words << run->complaints;
  }
}

TEST_F(KeptStateTest, WhatCannotBeKeptIsSaidAndTheNodeGoesOn) {
  const auto run = start();
  std::filesystem::remove_all(directory_);
  EXPECT_EQ(run->type("region save"), "Err - save failed");
  EXPECT_EQ(run->repeater.preferences().modified_at, 0u);
  EXPECT_NE(run->complaints.find("regions"), std::string::npos) << run->complaints;
  EXPECT_EQ(run->type("set flood.max 12"), "OK");
  EXPECT_NE(run->complaints.find("settings"), std::string::npos) << run->complaints;
}

TEST_F(KeptStateTest, FilesAreForTheirOwnerAlone) {
  start()->type("password secret");
  struct stat status{};
  ASSERT_EQ(::stat((directory_ + "/settings").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(KeptStateTest, ANewKeyTakesThePlaceOfTheOldWhichStaysBesideIt) {
  const auto run = start();
  const std::string before = read("identity");
  ASSERT_TRUE(run->kept.keep_identity(some_identity(3)));
  EXPECT_EQ(read("identity"), config::print_identity(keys_of(some_identity(3))));
  const std::string name =
      "identity." + std::string(Text<16>().add_hex(Bytes(some_identity(1).pub).first(4)).view());
  EXPECT_EQ(read(name), before);
}

TEST_F(KeptStateTest, EraseForgetsCommandsAndKeepsTheIdentity) {
  auto run = start();
  run->type("set flood.max 12");
  run->type("region save");
  EXPECT_EQ(run->type("erase"), "File system erase: OK");
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/settings"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/regions"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/identity"));
  EXPECT_EQ(start()->repeater.rules().flood_max, 64);
}

TEST_F(KeptStateTest, ARebootIsHandedOver) {
  const auto run = start();
  run->type("reboot");
  EXPECT_EQ(run->halted, node::Halt::restart);
}

}  // namespace
}  // namespace chappe::app
