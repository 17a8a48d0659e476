#include "apps/chappe/wiring.h"

#include <algorithm>
#include <string_view>

#include "chappe/config/regions.h"

namespace chappe::app {

radio::Modulation modulation_of(const config::Configuration& configuration) {
  const config::Radio& radio = configuration.radio;
  radio::Modulation modulation;
  modulation.frequency = radio.frequency;
  modulation.bandwidth = *radio::Bandwidth::from_nominal(radio.bandwidth);
  modulation.spreading = static_cast<std::uint8_t>(radio.spreading_factor);
  modulation.coding = static_cast<std::uint8_t>(radio.coding_rate);
  modulation.preamble = radio.preamble ? static_cast<std::uint16_t>(*radio.preamble)
                                       : radio::preamble_for(modulation.spreading);
  return modulation;
}

namespace {

// Where a law asks for carrier sense, it names a level: that one, and not one above the noise.
tx::CarrierSense sense_of(const config::Configuration& configuration) {
  const config::Limits limits = config::limits_of(configuration);
  if (limits.listen_min > Duration::zero()) {
    return {.against = tx::CarrierSense::Against::level,
            .span = limits.listen_min,
            .level = Dbm{static_cast<std::int16_t>(limits.listen_threshold_cdbm / 25)},
            .margin = {}};
  }
  const std::int32_t margin_db = configuration.listen.noise_margin_db;
  if (margin_db == 0) return {};
  constexpr Duration kLook = milliseconds(1);
  return {.against = tx::CarrierSense::Against::noise_floor,
          .span = kLook,
          .level = {},
          .margin = Decibels{static_cast<std::int16_t>(4 * margin_db)}};
}

// Nothing is sent over a busy channel, however long it is, and waits grow: as the mesh's Japanese
// nodes do it.
void obey_law(tx::Policy& policy) {
  policy.busy_channel = tx::BusyChannel::drop;
  policy.busy_step = seconds(2);
  policy.busy_steps_max = 1;
  policy.busy_doublings = 3;
  policy.busy_cap = std::max<Duration>(policy.busy_cap, seconds(30));
}

}  // namespace

node::Settings settings_of(const config::Configuration& configuration) {
  node::Settings settings;
  switch (configuration.mode) {
    case config::Mode::forward:
      settings.mode = node::Mode::forward;
      break;
    case config::Mode::monitor:
      settings.mode = node::Mode::monitor;
      break;
    case config::Mode::no_tx:
      settings.mode = node::Mode::no_tx;
      break;
  }
  mesh::Rules& rules = settings.rules;
  rules.flood_max = static_cast<std::uint8_t>(configuration.hops.flood_max);
  rules.flood_max_unscoped = static_cast<std::uint8_t>(configuration.hops.flood_max_unscoped);
  rules.flood_max_advert = static_cast<std::uint8_t>(configuration.hops.flood_max_advert);
  rules.loop_detection = static_cast<mesh::LoopDetection>(configuration.hops.loop_detect);
  rules.multi_acks = static_cast<std::uint8_t>(configuration.multi_acks);
  rules.receive_delay_base = static_cast<float>(configuration.delays.receive_base);
  rules.flood_delay_factor = static_cast<float>(configuration.delays.flood_factor);
  rules.direct_delay_factor = static_cast<float>(configuration.delays.direct_factor);

  node::Preferences& preferences = settings.preferences;
  preferences.name = std::string_view(configuration.name);
  preferences.owner_info = std::string_view(configuration.owner);
  preferences.admin_password = std::string_view(configuration.access.admin_password);
  preferences.guest_password = std::string_view(configuration.access.guest_password);
  preferences.latitude = configuration.latitude;
  preferences.longitude = configuration.longitude;
  preferences.path_hash_mode = static_cast<std::uint8_t>(configuration.path_hash_size - 1);
  preferences.radio = {static_cast<double>(configuration.radio.frequency.count) / 1e6,
                       static_cast<double>(configuration.radio.bandwidth.count) / 1e3,
                       static_cast<std::uint8_t>(configuration.radio.spreading_factor),
                       static_cast<std::uint8_t>(configuration.radio.coding_rate)};
  preferences.transmit_dbm = static_cast<std::int8_t>(configuration.radio.tx_power_dbm);
  preferences.local_advert_minutes =
      static_cast<std::uint16_t>(configuration.adverts.zero_hop_interval / minutes(1));
  preferences.flood_advert_hours =
      static_cast<std::uint8_t>(configuration.adverts.flood_interval / hours(1));
  settings.boot_advert =
      configuration.adverts.at_start ? node::BootAdvert::on : node::BootAdvert::off;

  settings.policy.listening = configuration.listen.cad ? tx::Listening::cad : tx::Listening::off;
  settings.policy.over_budget = configuration.law.over_budget == config::OverBudget::defer
                                    ? tx::OverBudget::defer
                                    : tx::OverBudget::drop;
  settings.policy.busy_channel = configuration.listen.when_busy == config::WhenBusy::transmit
                                     ? tx::BusyChannel::transmit
                                     : tx::BusyChannel::drop;
  settings.policy.busy_cap = configuration.listen.busy_max;
  settings.policy.sense = sense_of(configuration);
  if (settings.policy.sense.against == tx::CarrierSense::Against::level) obey_law(settings.policy);
  settings.copies_enough = static_cast<std::uint8_t>(configuration.hops.flood_copies_enough);
  settings.expiry = {.relay = configuration.expiry.relay,
                     .answer = configuration.expiry.answer,
                     .local = configuration.expiry.local,
                     .advert = configuration.expiry.advert};
  return settings;
}

std::vector<tx::Rule> rules_of(const config::Configuration& configuration) {
  std::vector<tx::Rule> rules;
  for (const config::Rule& rule : config::limits_of(configuration).rules) {
    rules.push_back({rule.window, rule.limit});
  }
  return rules;
}

tx::SingleLimits single_limits_of(const config::Configuration& configuration) {
  const config::Limits limits = config::limits_of(configuration);
  return {limits.transmission_max, limits.pause_min};
}

static_assert(static_cast<int>(config::LoopDetect::strict) ==
              static_cast<int>(mesh::LoopDetection::strict));

}  // namespace chappe::app
