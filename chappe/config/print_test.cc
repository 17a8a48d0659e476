#include "chappe/config/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include "chappe/config/load.h"
#include "chappe/config/schema.h"

namespace chappe::config {
namespace {

using testing::HasSubstr;
using testing::Not;

Configuration reread(const Configuration& configuration) {
  const std::string text = to_toml(configuration, Secrets::shown);
  const Loaded loaded = parse(text);
  EXPECT_TRUE(loaded) << describe("printed", loaded.error()) << text;
  return loaded ? *loaded : Configuration{};
}

TEST(Print, TheDefaultsReadBackEqual) {
  EXPECT_EQ(reread(Configuration{}), Configuration{});
}

TEST(Print, EveryMemberReadsBackEqual) {
  // Each member differs from its default, so that a key that is not printed, or not read, shows.
  Configuration other;
  other.name = "Z\"ürich ⛰";
  other.owner = "a\"b\\c\nd 'e' #f";
  other.latitude = -0.1;
  other.longitude = 179.99999999999997;
  other.region = "us915";
  other.band = "US";
  other.mode = Mode::no_tx;
  other.path_hash_size = 2;
  other.multi_acks = 1;
  other.radio = Radio{.kind = {RadioSource::Kind::replay, "a:b \"c\".jsonl"},
                      .frequency = Hertz{910'525'001},
                      .bandwidth = Hertz{7'810},
                      .spreading_factor = 12,
                      .coding_rate = 5,
                      .preamble = 65'535,
                      .tx_power_dbm = -9,
                      .pa_gain_db = 0.1,
                      .feeder_loss_db = std::numeric_limits<double>::denorm_min(),
                      .antenna_gain_dbi = -3.25};
  other.modem = Modem{.line = "tcp:modem:5000", .speed = 9600};
  other.law = Law{.kind = LawKind::bucket,
                  .rules = {{hours(1), microseconds(1)}, {seconds(90), milliseconds(1500)}},
                  .dwell = true,
                  .over_budget = OverBudget::drop,
                  .unknown_past = UnknownPast::paced};
  other.listen = Listen{.cad = false,
                        .noise_margin_db = 7,
                        .busy_max = microseconds(1'234'567),
                        .when_busy = WhenBusy::drop};
  other.delays = Delays{.flood_factor = 1.0 / 3, .direct_factor = 0, .receive_base = 20};
  other.hops = Hops{.flood_max = 1,
                    .flood_max_unscoped = 2,
                    .flood_max_advert = 3,
                    .loop_detect = LoopDetect::moderate,
                    .flood_copies_enough = 2};
  other.expiry = Expiry{
      .relay = seconds(1), .answer = seconds(2), .local = minutes(30), .advert = minutes(31)};
  other.adverts =
      Adverts{.at_start = false, .zero_hop_interval = hours(1), .flood_interval = Duration::zero()};
  other.access = Access{.admin_password = "geheim", .guest_password = "\\\"'"};
  other.state.directory = "/var/lib/ch appe";
  other.socket = Socket{.enabled = false, .path = "/run/chappe.sock"};
  other.kiss =
      Kiss{.pty = true, .pty_path = "/run/kiss", .tcp = "[::1]:8001", .password = "geheim"};
  other.watchdog = Watchdog{.limit = seconds(5), .on_hang = OnHang::report};
  EXPECT_EQ(reread(other), other);

  const Configuration defaults;
  for (const Setting& setting : schema()) {
    EXPECT_NE(print_value(setting, other), print_value(setting, defaults))
        << setting.section << "." << setting.key;
  }
}

TEST(Print, HidesWhatIsSecret) {
  Configuration configuration;
  configuration.access.admin_password = "geheim";
  EXPECT_THAT(to_toml(configuration, Secrets::shown), HasSubstr("geheim"));
  const std::string text = to_toml(configuration, Secrets::hidden);
  EXPECT_THAT(text, Not(HasSubstr("geheim")));
  EXPECT_THAT(text, HasSubstr("# admin_password is set, and not shown.\n"));
  EXPECT_THAT(text, HasSubstr("guest_password = \"\"\n"));
  EXPECT_TRUE(parse(text));
}

TEST(Schema, NamesEveryKeyOnceAndEverySectionIsDescribed) {
  std::set<std::string_view> known{""};
  for (const Section& section : sections()) EXPECT_TRUE(known.insert(section.name).second);
  std::set<std::string> names;
  for (const Setting& setting : schema()) {
    EXPECT_TRUE(known.contains(setting.section)) << setting.section;
    const std::string name = std::string(setting.section) + "." + std::string(setting.key);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_FALSE(setting.help.empty()) << name;
    EXPECT_FALSE(allowed(setting).empty()) << name;
  }
}

// With CHAPPE_WRITE_DOCS=1 in the environment this test writes the page instead.
TEST(Documentation, TheConfigurationPageIsWhatTheSchemaSays) {
  const std::string path = CHAPPE_SOURCE_DIR "/docs/configuration.md";
  if (std::getenv("CHAPPE_WRITE_DOCS") != nullptr) std::ofstream(path) << reference_page();
  std::ifstream file(path);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(page, reference_page())
      << "run test_config with CHAPPE_WRITE_DOCS=1 to write the page anew";
}

}  // namespace
}  // namespace chappe::config
