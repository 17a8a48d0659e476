#include "apps/chappe/kept_state.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cmath>

#include "chappe/base/hex.h"
#include "chappe/config/identity_file.h"
#include "chappe/config/load.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/region_text.h"
#include "chappe/node/console_text.h"
#include "chappe/port/linux/files/private_file.h"

namespace chappe::app {
namespace {

constexpr std::string_view kSettings = "settings";
constexpr std::string_view kRegions = "regions";
constexpr std::string_view kAccess = "access";
constexpr std::string_view kIdentity = "identity";
// Far above what any of them can hold; a larger one is not ours.
constexpr std::size_t kFileMax = 64 * 1024;

constexpr std::string_view kPassword = "password";
constexpr std::string_view kRadio = "radio";
constexpr std::string_view kSet = "set ";
constexpr std::string_view kSaved = "saved ";
constexpr std::string_view kRemark = "# Changed by commands; the configuration decides the rest.\n";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

bool says_nothing(std::string_view line) {
  return line.empty() || line.starts_with('#');
}

std::string radio_words(const node::RadioPreferences& radio) {
  return fmt::format("{:.6f},{:.3f},{},{}",
                     radio.frequency_mhz,
                     radio.bandwidth_khz,
                     radio.spreading,
                     radio.coding);
}

void use(const node::RadioPreferences& radio, config::Configuration& configuration) {
  configuration.radio.frequency =
      Hertz{static_cast<std::uint32_t>(std::llround(radio.frequency_mhz * 1e6))};
  configuration.radio.bandwidth =
      Hertz{static_cast<std::uint32_t>(std::llround(radio.bandwidth_khz * 1e3))};
  configuration.radio.spreading_factor = radio.spreading;
  configuration.radio.coding_rate = radio.coding;
}

// The value of a setting in the file's text; the last one counts.
std::optional<std::string_view> value_in(std::string_view text, std::string_view name) {
  std::optional<std::string_view> value;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(kSet)) continue;
    line.remove_prefix(kSet.size());
    if (line.starts_with(name) && line.substr(name.size()).starts_with(' ')) {
      value = line.substr(name.size() + 1);
    }
  }
  return value;
}

}  // namespace

KeptState::KeptState(std::string directory,
                     const config::Configuration& configuration,
                     Complain complain,
                     Stop stop)
    : directory_(std::move(directory)),
      configuration_(configuration),
      complain_(std::move(complain)),
      stop_(std::move(stop)) {}

// --- Using what is kept --------------------------------------------------------------------------

void KeptState::apply(node::Repeater& repeater, node::AccessList& access, node::Console& console) {
  repeater_ = &repeater;
  console_ = &console;
  look_at(repeater.preferences());
  configured_ = values_;
  // What is applied comes from the files; it need not go there again.
  applying_ = true;
  if (const auto text = read(kSettings)) apply_settings(*text);
  if (const auto text = read(kRegions)) apply_regions(*text);
  if (const auto text = read(kAccess)) apply_access(*text, access);
  applying_ = false;
}

// The console checks a kept value as it checks a typed one.
void KeptState::apply_settings(std::string_view text) {
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (says_nothing(line)) continue;
    std::string_view rest = line;
    const bool is_setting = rest.starts_with(kSet);
    if (is_setting) rest.remove_prefix(kSet.size());
    const std::string name(rest.substr(0, rest.find(' ')));
    const bool is_known = is_setting ? values_.contains(name) : name == kPassword;
    node::Reply reply;
    // The radio was there before the node: see use_kept_radio().
    if (is_known && name != kRadio) console_->command(line, 0, reply);
    const std::string_view said = reply;
    if (!is_known || said.starts_with("Error") || said.starts_with("ERR")) {
      complain_(fmt::format("{}:{}: `{}` is not used: {}",
                            path(kSettings),
                            number,
                            line,
                            said.empty() ? "no such setting" : said));
      continue;
    }
    touched_.insert(name);
  }
}

void KeptState::apply_regions(std::string_view text) {
  std::uint32_t saved = 0;
  int lines_before = 0;
  if (text.starts_with(kSaved)) {
    const std::string_view digits = take_line(text).substr(kSaved.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), saved);
    lines_before = 1;
  }
  const auto regions = mesh::parse_lines(text);
  if (!regions) {
    complain_(fmt::format("{}:{}: is no line of a region table; no kept region is used",
                          path(kRegions),
                          regions.error() + lines_before));
    return;
  }
  repeater_->regions() = *regions;
  repeater_->preferences().modified_at = saved;
}

void KeptState::apply_access(std::string_view text, node::AccessList& access) {
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = take_line(text);
    if (says_nothing(line)) continue;
    std::array<std::uint8_t, 1> permissions{};
    mesh::PublicKey key{};
    const auto first = from_hex(line.substr(0, 2), permissions);
    const auto second = line.size() > 3 ? from_hex(line.substr(3), key) : std::nullopt;
    const auto secret = first == 1 && second == key.size()
                            ? mesh::crypto::shared_secret(repeater_->identity().prv, key)
                            : std::nullopt;
    if (!secret) {
      complain_(
          fmt::format("{}:{}: is not permissions and a key; not used", path(kAccess), number));
      continue;
    }
    node::AccessEntry& entry = access.put(key);
    entry.permissions = permissions[0];
    entry.secret = *secret;
  }
}

std::optional<std::string> use_kept_radio(const std::string& directory,
                                          config::Configuration& configuration) {
  const std::string file = fmt::format("{}/{}", directory, kSettings);
  const auto text = port::read_private_file(file, kFileMax);
  if (!text || !*text) return std::nullopt;  // apply() says what is wrong
  const auto words = value_in(**text, kRadio);
  if (!words) return std::nullopt;
  std::string_view rest;
  const auto radio = node::parse_radio(*words, rest);
  if (!radio) return fmt::format("{}: `set radio {}` is no radio; not used", file, *words);
  config::Configuration changed = configuration;
  use(*radio, changed);
  const auto wrong = config::contradictions(changed);
  if (!wrong.empty()) {
    return fmt::format("{}: `set radio {}` is not used: {}", file, *words, wrong.front());
  }
  configuration = changed;
  return std::nullopt;
}

// --- Keeping -------------------------------------------------------------------------------------

bool KeptState::allows(const radio::Modulation& modulation) const {
  config::Configuration changed = configuration_;
  use({static_cast<double>(modulation.frequency.count) / 1e6,
       static_cast<double>(modulation.bandwidth.nominal().count) / 1e3,
       modulation.spreading,
       modulation.coding},
      changed);
  return config::contradictions(changed).empty();
}

void KeptState::visit(std::string_view name, std::string_view value) {
  values_[std::string(name)] = value;
}

// As `get` tells them, but for the digits that its numbers lack.
void KeptState::look_at(const node::Preferences& preferences) {
  values_.clear();
  console_->settings().visit_kept(*this);
  values_[std::string(kRadio)] = radio_words(preferences.radio);
  values_["lat"] = fmt::format("{:.7f}", preferences.latitude);
  values_["lon"] = fmt::format("{:.7f}", preferences.longitude);
  values_[std::string(kPassword)] = preferences.admin_password.view();
}

void KeptState::keep_preferences(const node::Preferences& preferences) {
  if (applying_) return;
  look_at(preferences);
  std::string text(kRemark);
  for (const auto& [name, value] : values_) {
    if (value != configured_[name]) touched_.insert(name);
    if (!touched_.contains(name)) continue;
    text += fmt::format("{}{} {}\n", name == kPassword ? std::string_view() : kSet, name, value);
  }
  replace(kSettings, text);
}

bool KeptState::keep_regions(const mesh::RegionTable& regions) {
  mesh::RegionText lines;
  append_lines(lines, regions);
  return replace(
      kRegions,
      fmt::format("{}{}\n{}", kSaved, repeater_->preferences().modified_at, lines.view()));
}

void KeptState::keep_access(const node::AccessList& access) {
  std::string text(kRemark);
  for (const node::AccessEntry& entry : access.all()) {
    if (entry.permissions == 0) continue;
    text +=
        fmt::format("{:02x} {}\n", entry.permissions, Text<80>().add_hex(Bytes(entry.key)).view());
  }
  replace(kAccess, text);
}

// The old identity stays beside the new one: without it this node can never again be itself.
bool KeptState::keep_identity(const mesh::Identity& identity) {
  const auto old = read(kIdentity);
  if (!old) return false;
  const std::string before = fmt::format(
      "identity.{}", Text<16>().add_hex(Bytes(repeater_->identity().pub).first(4)).view());
  config::Identity keys;
  keys.private_key = identity.prv;
  keys.public_key = identity.pub;
  return replace(before, *old) && replace(kIdentity, config::print_identity(keys));
}

// The identity stays, and so does what the law has to remember.
bool KeptState::erase() {
  bool gone = true;
  for (const std::string_view file : {kSettings, kRegions, kAccess}) {
    if (::unlink(path(file).c_str()) != 0 && errno != ENOENT) gone = false;
  }
  touched_.clear();
  return gone;
}

// --- Files ---------------------------------------------------------------------------------------

std::string KeptState::path(std::string_view file) const {
  return fmt::format("{}/{}", directory_, file);
}

std::optional<std::string> KeptState::read(std::string_view file) {
  auto text = port::read_private_file(path(file), kFileMax);
  if (!text) {
    complain_(text.error() + "; not used");
    return std::nullopt;
  }
  if (*text && (*text)->size() > kFileMax) {
    complain_(path(file) + ": is too large to be ours; not used");
    return std::nullopt;
  }
  return *std::move(text);
}

bool KeptState::replace(std::string_view file, const std::string& text) {
  const std::string unique = fmt::format("{}-{}", ::getpid(), ++drafts_);
  const auto failure = port::replace_private_file(path(file), text, unique);
  if (failure) complain_(*failure);
  return !failure;
}

}  // namespace chappe::app
