#include "chappe/node/console_settings.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "chappe/base/hex.h"
#include "chappe/mesh/identity.h"
#include "chappe/node/temporary_radio.h"

namespace chappe::node {
namespace {

constexpr std::string_view kOn = "on";
constexpr std::string_view kOff = "off";
constexpr std::string_view kUnsupported = "Error: unsupported";
constexpr std::string_view kBadDelay = "Error, must be 0-2";

// A key has a file of its own; the others are part of what `af` and `radio` hold.
constexpr std::array<std::string_view, 3> kHeldElsewhere = {"prv.key", "dutycycle", "freq"};

constexpr std::array<std::string_view, 4> kLoopWords = {"off", "minimal", "moderate", "strict"};

void append_word(Reply& out, std::string_view word) {
  out.append("> ").append(word);
}
void append_switch(Reply& out, bool on) {
  append_word(out, on ? kOn : kOff);
}

template <std::integral N>
void append_value(Reply& out, N number) {
  out.append("> ");
  append_number(out, number);
}
void append_value(Reply& out, float number) {
  out.append("> ");
  append_float(out, number);
}

// What a cast of the firmware's makes of it.
std::uint8_t low_byte(std::int32_t number) {
  return static_cast<std::uint8_t>(number);
}

}  // namespace

// In the order in which they are compared: a name that another begins with stands behind it.
const SettingsCommands::Setting SettingsCommands::kSettings[] = {
    {"dutycycle", &SettingsCommands::get_dutycycle, &SettingsCommands::set_dutycycle},
    {"af", &SettingsCommands::get_af, &SettingsCommands::set_af},
    {"int.thresh", &SettingsCommands::get_int_thresh, &SettingsCommands::set_int_thresh},
    {"cad", &SettingsCommands::get_cad, &SettingsCommands::set_cad},
    {"agc.reset.interval", &SettingsCommands::get_agc, &SettingsCommands::set_agc},
    {"multi.acks", &SettingsCommands::get_multi_acks, &SettingsCommands::set_multi_acks},
    {"allow.read.only", &SettingsCommands::get_read_only, &SettingsCommands::set_read_only},
    {"flood.advert.interval",
     &SettingsCommands::get_flood_advert,
     &SettingsCommands::set_flood_advert},
    {"advert.interval", &SettingsCommands::get_advert, &SettingsCommands::set_advert},
    {"guest.password",
     &SettingsCommands::get_guest_password,
     &SettingsCommands::set_guest_password},
    {"prv.key", &SettingsCommands::get_prv_key, &SettingsCommands::set_prv_key, Reach::local_get},
    {"public.key", &SettingsCommands::get_public_key, nullptr},
    {"name", &SettingsCommands::get_name, &SettingsCommands::set_name},
    {"repeat", &SettingsCommands::get_repeat, &SettingsCommands::set_repeat},
    {"radio.rxgain", &SettingsCommands::get_rx_gain, &SettingsCommands::set_rx_gain},
    {"radio.fem.rxgain", &SettingsCommands::get_unsupported, &SettingsCommands::set_unsupported},
    {"radio.fem.txgain", &SettingsCommands::get_unsupported, &SettingsCommands::set_unsupported},
    {"radio", &SettingsCommands::get_radio, &SettingsCommands::set_radio},
    {"freq", &SettingsCommands::get_freq, &SettingsCommands::set_freq, Reach::local_set},
    {"txdelay", &SettingsCommands::get_txdelay, &SettingsCommands::set_txdelay},
    {"tx", &SettingsCommands::get_tx, &SettingsCommands::set_tx, Reach::everywhere, Match::exact},
    {"lat", &SettingsCommands::get_lat, &SettingsCommands::set_lat},
    {"lon", &SettingsCommands::get_lon, &SettingsCommands::set_lon},
    {"rxdelay", &SettingsCommands::get_rxdelay, &SettingsCommands::set_rxdelay},
    {"direct.txdelay",
     &SettingsCommands::get_direct_txdelay,
     &SettingsCommands::set_direct_txdelay},
    {"flood.max.unscoped",
     &SettingsCommands::get_flood_max_unscoped,
     &SettingsCommands::set_flood_max_unscoped},
    {"flood.max.advert",
     &SettingsCommands::get_flood_max_advert,
     &SettingsCommands::set_flood_max_advert},
    {"flood.max", &SettingsCommands::get_flood_max, &SettingsCommands::set_flood_max},
    {"owner.info", &SettingsCommands::get_owner_info, &SettingsCommands::set_owner_info},
    {"path.hash.mode",
     &SettingsCommands::get_path_hash_mode,
     &SettingsCommands::set_path_hash_mode},
    {"loop.detect", &SettingsCommands::get_loop_detect, &SettingsCommands::set_loop_detect},
    {"adc.multiplier", &SettingsCommands::get_unsupported, &SettingsCommands::set_unsupported},
    {"role", &SettingsCommands::get_role, nullptr},
    {"bridge.type", &SettingsCommands::get_bridge_type, nullptr},
    {"bootloader.ver", &SettingsCommands::get_unsupported, nullptr},
    {"pwrmgt.support", &SettingsCommands::get_power_support, nullptr},
    {"pwrmgt.bootreason", &SettingsCommands::get_power_reason, nullptr},
    {"pwrmgt.source", &SettingsCommands::get_power, nullptr},
    {"pwrmgt.bootmv", &SettingsCommands::get_power, nullptr},
    {"extra.sf", &SettingsCommands::get_extra_sf, nullptr},
};

void SettingsCommands::get(std::string_view line, Origin origin, Reply& out) {
  for (const Setting& setting : kSettings) {
    if (setting.reach == Reach::local_get && origin == Origin::remote) continue;
    const bool is_it =
        setting.match == Match::exact ? line == setting.name : line.starts_with(setting.name);
    if (is_it) return (this->*setting.get)(out);
  }
  out.append("??: ").append(line);
}

void SettingsCommands::set(std::string_view line, Origin origin, Reply& out) {
  for (const Setting& setting : kSettings) {
    if (setting.set == nullptr) continue;
    if (setting.reach == Reach::local_set && origin == Origin::remote) continue;
    if (!line.starts_with(setting.name) || !line.substr(setting.name.size()).starts_with(' ')) {
      continue;
    }
    return (this->*setting.set)(line.substr(setting.name.size() + 1), out);
  }
  out.append("unknown config: ").append(line);
}

void SettingsCommands::visit_kept(Visitor& visitor) {
  constexpr std::string_view kValue = "> ";
  for (const Setting& setting : kSettings) {
    if (setting.set == nullptr || std::ranges::count(kHeldElsewhere, setting.name) > 0) continue;
    Reply reply;
    (this->*setting.get)(reply);
    // The others are refusals: this board has no such thing.
    if (!reply.view().starts_with(kValue)) continue;
    visitor.visit(setting.name, reply.view().substr(kValue.size()));
  }
}

void SettingsCommands::set_password(std::string_view password, Reply& out) {
  preferences().admin_password = password;
  keep();
  out.append("password now: ").append(preferences().admin_password);
}

// --- Reading -------------------------------------------------------------------------------------

std::optional<double> SettingsCommands::read(std::string_view value) const {
  return is_checked() ? whole_number(value) : leading_number(value);
}

std::optional<std::int32_t> SettingsCommands::read_integer(std::string_view value) const {
  if (!is_checked()) return leading_integer(value);
  const auto number = whole_number(value);
  constexpr double kMost = 1e9;
  if (!number || *number != std::floor(*number) || std::abs(*number) > kMost) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

std::optional<double> SettingsCommands::read_within(std::string_view value,
                                                    double low,
                                                    double high) const {
  const auto number = read(value);
  if (is_checked() && number && (*number < low || *number > high)) return std::nullopt;
  return number;
}

void SettingsCommands::saved(Reply& out, std::string_view reply) {
  keep();
  out.append(reply);
}

// The first setting that is saved ends the frequent adverts of a new installation. A timer that
// runs already fires once more.
void SettingsCommands::keep() {
  constexpr std::uint16_t kFewestMinutes = 60;
  if (preferences().local_advert_minutes < kFewestMinutes) preferences().local_advert_minutes = 0;
  board_.keep_preferences(preferences());
}

// --- Airtime -------------------------------------------------------------------------------------

void SettingsCommands::get_af(Reply& out) {
  append_value(out, preferences().airtime_factor);
}

void SettingsCommands::set_af(std::string_view value, Reply& out) {
  constexpr double kMost = 999;  // a share of a thousandth
  if (bucket_ == nullptr) {
    out.append(kUnsupported);
    return;
  }
  const auto factor = read_within(value, 0, kMost);
  if (!factor) {
    out.append("Error, must be 0-999");
    return;
  }
  preferences().airtime_factor = static_cast<float>(*factor);
  bucket_->set_factor(preferences().airtime_factor);
  saved(out);
}

namespace {

std::int64_t tenths_of_duty(float factor) {
  return std::llround(1000.0 / (1.0 + factor));
}

}  // namespace

void SettingsCommands::get_dutycycle(Reply& out) {
  out.append("> ");
  append_tenths(out, tenths_of_duty(preferences().airtime_factor));
  out.append('%');
}

void SettingsCommands::set_dutycycle(std::string_view value, Reply& out) {
  if (bucket_ == nullptr) {
    out.append(kUnsupported);
    return;
  }
  const auto percent = read(value);
  if (!percent || *percent < 1 || *percent > 100) {
    out.append("ERROR: dutycycle must be 1-100");
    return;
  }
  preferences().airtime_factor = 100.0F / static_cast<float>(*percent) - 1.0F;
  bucket_->set_factor(preferences().airtime_factor);
  keep();
  out.append("OK - ");
  append_tenths(out, tenths_of_duty(preferences().airtime_factor));
  out.append('%');
}

// --- The radio -----------------------------------------------------------------------------------

void SettingsCommands::get_int_thresh(Reply& out) {
  append_value(out, preferences().interference_threshold);
}

void SettingsCommands::set_int_thresh(std::string_view value, Reply& out) {
  const auto threshold = read_integer(value);
  if (!threshold || (is_checked() && (*threshold < 0 || *threshold > 255))) {
    out.append("Error, must be 0-255");
    return;
  }
  preferences().interference_threshold = low_byte(*threshold);
  saved(out);
}

void SettingsCommands::get_cad(Reply& out) {
  append_switch(out, preferences().cad);
}

void SettingsCommands::set_cad(std::string_view value, Reply& out) {
  preferences().cad = value.starts_with(kOn);
  saved(out);
}

void SettingsCommands::get_agc(Reply& out) {
  append_value(out, preferences().agc_reset_seconds);
}

void SettingsCommands::set_agc(std::string_view value, Reply& out) {
  constexpr int kUnit = 4;  // seconds, stored in a byte
  const auto interval = read_integer(value);
  if (!interval || (is_checked() && (*interval < 0 || *interval > 255 * kUnit + kUnit - 1))) {
    out.append("Error, must be 0-1020");
    return;
  }
  preferences().agc_reset_seconds = static_cast<std::uint16_t>(low_byte(*interval / kUnit) * kUnit);
  keep();
  out.append("OK - interval rounded to ");
  append_number(out, preferences().agc_reset_seconds);
}

void SettingsCommands::get_rx_gain(Reply& out) {
  append_switch(out, board_.has_receive_gain() && preferences().receive_gain);
}

void SettingsCommands::set_rx_gain(std::string_view value, Reply& out) {
  const bool on = value.starts_with(kOn);
  if (!board_.set_receive_gain(on)) {
    out.append(kUnsupported);
    return;
  }
  preferences().receive_gain = on;
  saved(out);
}

void SettingsCommands::get_tx(Reply& out) {
  append_value(out, preferences().transmit_dbm);
}

void SettingsCommands::set_tx(std::string_view value, Reply& out) {
  const auto dbm = read_integer(value);
  if (!dbm || (is_checked() && (*dbm < -9 || *dbm > 30))) {
    out.append("Error, must be -9 to 30");
    return;
  }
  preferences().transmit_dbm = static_cast<std::int8_t>(*dbm);
  board_.set_transmit_dbm(preferences().transmit_dbm);
  saved(out);
}

std::optional<RadioPreferences> parse_radio(std::string_view words, std::string_view& rest) {
  constexpr std::size_t kParts = 4;
  std::array<std::string_view, kParts> parts;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t comma = words.find(',');
    parts[i] = words.substr(0, comma);
    words = comma == std::string_view::npos ? std::string_view() : words.substr(comma + 1);
  }
  rest = words;
  const double mhz = leading_number(parts[0]);
  const double khz = leading_number(parts[1]);
  const std::int32_t spreading = leading_integer(parts[2]);
  const std::int32_t coding = leading_integer(parts[3]);
  const bool fits = mhz >= 150 && mhz <= 2500 && khz >= 7 && khz <= 500 &&
                    spreading >= radio::kSpreadingMin && spreading <= radio::kSpreadingMax &&
                    coding >= 5 && coding <= 8;
  if (!fits) return std::nullopt;
  return RadioPreferences{mhz, khz, low_byte(spreading), low_byte(coding)};
}

void SettingsCommands::get_radio(Reply& out) {
  const RadioPreferences& radio = preferences().radio;
  out.append("> ");
  append_float(out, static_cast<float>(radio.frequency_mhz));
  out.append(',');
  append_bandwidth(out, radio.bandwidth_khz);
  out.append(',');
  append_number(out, radio.spreading);
  out.append(',');
  append_number(out, radio.coding);
}

void SettingsCommands::set_radio(std::string_view value, Reply& out) {
  std::string_view rest;
  const auto radio = parse_radio(value, rest);
  const auto modulation = radio ? modulation_of(*radio) : std::nullopt;
  if (!modulation || !board_.allows(*modulation)) {
    out.append("Error, invalid radio params");
    return;
  }
  preferences().radio = *radio;
  board_.keep_preferences(preferences());
  out.append("OK - reboot to apply");
}

void SettingsCommands::get_freq(Reply& out) {
  append_value(out, static_cast<float>(preferences().radio.frequency_mhz));
}

void SettingsCommands::set_freq(std::string_view value, Reply& out) {
  const auto mhz = read_within(value, 150, 2500);
  if (!mhz) {
    out.append("Error, must be 150-2500");
    return;
  }
  preferences().radio.frequency_mhz = *mhz;
  saved(out, "OK - reboot to apply");
}

// --- Who we are ----------------------------------------------------------------------------------

void SettingsCommands::get_name(Reply& out) {
  append_word(out, preferences().name);
}

void SettingsCommands::set_name(std::string_view value, Reply& out) {
  if (value.find_first_of("[]\\:,?*") != std::string_view::npos) {
    out.append("Error, bad chars");
    return;
  }
  preferences().name = value;
  saved(out);
}

void SettingsCommands::get_owner_info(Reply& out) {
  out.append("> ");
  for (const char letter : preferences().owner_info.view())
    out.append(letter == '\n' ? '|' : letter);
}

void SettingsCommands::set_owner_info(std::string_view value, Reply& out) {
  preferences().owner_info.clear();
  for (const char letter : value) preferences().owner_info.append(letter == '|' ? '\n' : letter);
  saved(out);
}

void SettingsCommands::get_lat(Reply& out) {
  append_value(out, static_cast<float>(preferences().latitude));
}
void SettingsCommands::get_lon(Reply& out) {
  append_value(out, static_cast<float>(preferences().longitude));
}
void SettingsCommands::set_lat(std::string_view value, Reply& out) {
  set_degrees(value, 90, preferences().latitude, out);
}
void SettingsCommands::set_lon(std::string_view value, Reply& out) {
  set_degrees(value, 180, preferences().longitude, out);
}

void SettingsCommands::set_degrees(std::string_view value,
                                   double most,
                                   double& degrees,
                                   Reply& out) {
  const auto number = read_within(value, -most, most);
  if (!number) {
    out.append("Error, must be -");
    append_number(out, static_cast<int>(most));
    out.append(" to ");
    append_number(out, static_cast<int>(most));
    return;
  }
  degrees = *number;
  saved(out);
}

void SettingsCommands::get_guest_password(Reply& out) {
  append_word(out, preferences().guest_password);
}
void SettingsCommands::set_guest_password(std::string_view value, Reply& out) {
  preferences().guest_password = value;
  saved(out);
}

void SettingsCommands::get_public_key(Reply& out) {
  out.append("> ");
  append_hex(out, repeater_.identity().pub);
}

void SettingsCommands::get_prv_key(Reply& out) {
  out.append("> ");
  append_hex(out, repeater_.identity().prv);
}

void SettingsCommands::set_prv_key(std::string_view value, Reply& out) {
  mesh::PrivateKey key;
  const auto size = from_hex(value, key);
  const auto identity = size && *size == key.size() ? mesh::import_identity(key) : std::nullopt;
  if (!identity) {
    out.append("Error, bad key");
    return;
  }
  if (!board_.keep_identity(*identity)) {
    out.append("Error, failed to save");
    return;
  }
  out.append("OK, reboot to apply! New pubkey: ");
  append_hex(out, identity->pub);
}

void SettingsCommands::get_role(Reply& out) {
  append_word(out, "repeater");
}

// --- Repeating -----------------------------------------------------------------------------------

void SettingsCommands::get_repeat(Reply& out) {
  append_switch(out, rules().forwarding == mesh::Forwarding::on);
}

void SettingsCommands::set_repeat(std::string_view value, Reply& out) {
  repeater_.set_forwarding(value.starts_with(kOff) ? mesh::Forwarding::off : mesh::Forwarding::on);
  const bool is_on = rules().forwarding == mesh::Forwarding::on;
  saved(out, is_on ? "OK - repeat is now ON" : "OK - repeat is now OFF");
}

void SettingsCommands::get_multi_acks(Reply& out) {
  append_value(out, preferences().multi_acks);
}

void SettingsCommands::set_multi_acks(std::string_view value, Reply& out) {
  const auto copies = read_integer(value);
  if (!copies || (is_checked() && (*copies < 0 || *copies > mesh::kMultiAcksMax))) {
    out.append("Error, must be 0 or 1");
    return;
  }
  preferences().multi_acks = low_byte(*copies);
  rules().multi_acks = std::min(preferences().multi_acks, mesh::kMultiAcksMax);
  saved(out);
}

void SettingsCommands::get_read_only(Reply& out) {
  append_switch(out, preferences().read_only_allowed);
}
void SettingsCommands::set_read_only(std::string_view value, Reply& out) {
  preferences().read_only_allowed = value.starts_with(kOn);
  saved(out);
}

void SettingsCommands::get_rxdelay(Reply& out) {
  append_value(out, rules().receive_delay_base);
}
void SettingsCommands::get_txdelay(Reply& out) {
  append_value(out, rules().flood_delay_factor);
}
void SettingsCommands::get_direct_txdelay(Reply& out) {
  append_value(out, rules().direct_delay_factor);
}
void SettingsCommands::set_rxdelay(std::string_view value, Reply& out) {
  set_delay(value, 20, "Error, must be 0-20", rules().receive_delay_base, out);
}
void SettingsCommands::set_txdelay(std::string_view value, Reply& out) {
  set_delay(value, 2, kBadDelay, rules().flood_delay_factor, out);
}
void SettingsCommands::set_direct_txdelay(std::string_view value, Reply& out) {
  set_delay(value, 2, kBadDelay, rules().direct_delay_factor, out);
}

void SettingsCommands::set_delay(
    std::string_view value, float most, std::string_view error, float& delay, Reply& out) {
  const auto number = read(value);
  if (!number || *number < 0 || static_cast<float>(*number) > most) {
    out.append(error);
    return;
  }
  delay = static_cast<float>(*number);
  saved(out);
}

void SettingsCommands::get_flood_max(Reply& out) {
  append_value(out, rules().flood_max);
}
void SettingsCommands::get_flood_max_unscoped(Reply& out) {
  append_value(out, rules().flood_max_unscoped);
}
void SettingsCommands::get_flood_max_advert(Reply& out) {
  append_value(out, rules().flood_max_advert);
}
void SettingsCommands::set_flood_max(std::string_view value, Reply& out) {
  set_hops(value, rules().flood_max, out);
}
void SettingsCommands::set_flood_max_unscoped(std::string_view value, Reply& out) {
  set_hops(value, rules().flood_max_unscoped, out);
}
void SettingsCommands::set_flood_max_advert(std::string_view value, Reply& out) {
  set_hops(value, rules().flood_max_advert, out);
}

void SettingsCommands::set_hops(std::string_view value, std::uint8_t& hops, Reply& out) {
  constexpr std::uint8_t kMost = 64;
  const auto number = read_integer(value);
  const bool wraps = is_checked() && number && (*number < 0 || *number > kMost);
  if (!number || wraps || low_byte(*number) > kMost) {
    out.append("Error, max 64");
    return;
  }
  hops = low_byte(*number);
  saved(out);
}

void SettingsCommands::get_path_hash_mode(Reply& out) {
  append_value(out, preferences().path_hash_mode);
}

void SettingsCommands::set_path_hash_mode(std::string_view value, Reply& out) {
  const auto mode = read_integer(value);
  if (!mode || *mode < 0 || *mode > 2) {
    out.append("Error, must be 0,1, or 2");
    return;
  }
  preferences().path_hash_mode = low_byte(*mode);
  saved(out);
}

void SettingsCommands::get_loop_detect(Reply& out) {
  append_word(out, kLoopWords[static_cast<std::size_t>(rules().loop_detection)]);
}

void SettingsCommands::set_loop_detect(std::string_view value, Reply& out) {
  const auto found = std::ranges::find_if(
      kLoopWords, [&](std::string_view word) { return value.starts_with(word); });
  if (found == kLoopWords.end()) {
    out.append("Error, must be: off, minimal, moderate, or strict");
    return;
  }
  rules().loop_detection = static_cast<mesh::LoopDetection>(found - kLoopWords.begin());
  saved(out);
}

// --- Adverts -------------------------------------------------------------------------------------

namespace {

// The reference reads these without a sign: what is none is 0, which means off.
std::optional<std::int32_t> interval_of(std::optional<std::int32_t> number,
                                        std::string_view value,
                                        bool is_checked) {
  if (!is_checked && trim_front(value).starts_with('-')) return 0;
  return number;
}

}  // namespace

void SettingsCommands::get_flood_advert(Reply& out) {
  append_value(out, preferences().flood_advert_hours);
}

void SettingsCommands::set_flood_advert(std::string_view value, Reply& out) {
  const auto interval = interval_of(read_integer(value), value, is_checked());
  if (!interval || (*interval != 0 && (*interval < 3 || *interval > 168))) {
    out.append("Error: interval range is 3-168 hours");
    return;
  }
  preferences().flood_advert_hours = low_byte(*interval);
  repeater_.adverts().restart_flood();
  saved(out);
}

void SettingsCommands::get_advert(Reply& out) {
  append_value(out, preferences().local_advert_minutes);
}

void SettingsCommands::set_advert(std::string_view value, Reply& out) {
  const auto interval = interval_of(read_integer(value), value, is_checked());
  if (!interval || (*interval != 0 && (*interval < 60 || *interval > 240))) {
    out.append("Error: interval range is 60-240 minutes");
    return;
  }
  // Kept in two-minute steps.
  preferences().local_advert_minutes = static_cast<std::uint16_t>(*interval / 2 * 2);
  repeater_.adverts().restart_local();
  saved(out);
}

// --- What this board has not ---------------------------------------------------------------------

void SettingsCommands::get_bridge_type(Reply& out) {
  append_word(out, "none");
}
void SettingsCommands::get_extra_sf(Reply& out) {
  out.append("No extra SF configured");
}
void SettingsCommands::get_power_support(Reply& out) {
  append_word(out, "unsupported");
}
void SettingsCommands::get_power_reason(Reply& out) {
  append_word(out, "Reset: Not available; Shutdown: Not available");
}
void SettingsCommands::get_power(Reply& out) {
  out.append("ERROR: Power management not supported");
}
void SettingsCommands::get_unsupported(Reply& out) {
  out.append(kUnsupported);
}
void SettingsCommands::set_unsupported(std::string_view, Reply& out) {
  out.append(kUnsupported);
}

}  // namespace chappe::node
