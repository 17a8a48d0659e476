#include "chappe/node/console.h"

#include <algorithm>
#include <array>

#include "chappe/base/hex.h"
#include "chappe/mesh/crypto.h"
#include "chappe/node/console_replies.h"

namespace chappe::node {
namespace {

// What the reference sets its clock to before it restarts to lose a wrong one.
constexpr std::uint32_t kClockBeforeRestart = 1'715'770'351;

// Three characters in front, "ab|", come back in front of the reply: so answers find their
// question.
constexpr std::size_t kTagSize = 3;
bool is_tagged(std::string_view line) {
  return line.size() > kTagSize + 1 && line[kTagSize - 1] == '|';
}

}  // namespace

Console::Console(const World& world)
    : world_(world),
      regions_(world.repeater, world.board),
      settings_(world.repeater, world.board, world.bucket),
      temporary_radio_(world.executor, world.repeater, world.board, world.bucket) {}

// In the order in which they are compared: one that begins like another stands before it.
const Console::Command Console::kCommands[] = {
    {"setperm ", &Console::set_permissions},
    {"discover.neighbors", &Console::discover},
    {"poweroff", &Console::power_off},
    {"shutdown", &Console::power_off},
    {"reboot", &Console::restart},
    {"clkreboot", &Console::restart_clock},
    {"advert", &Console::advert},
    {"clock sync", &Console::sync_clock},
    {"start ota", &Console::start_update},
    {"clock", &Console::show_clock},
    {"time ", &Console::set_time},
    {"neighbors", &Console::neighbours},
    {"neighbor.remove ", &Console::remove_neighbour},
    {"tempradio ", &Console::temporary_radio},
    {"password ", &Console::password},
    {"clear stats", &Console::clear_stats},
    {"get ", &Console::get},
    {"set ", &Console::set},
    {"erase", &Console::erase, Who::local_only},
    {"ver", &Console::version},
    {"board", &Console::board},
    {"sensor get ", &Console::sensor_get},
    {"sensor set ", &Console::sensor_set},
    {"sensor list", &Console::sensor_list},
    {"region", &Console::region},
    {"powersaving", &Console::power_saving},
    {"log start", &Console::log_start},
    {"log stop", &Console::log_stop},
    {"log erase", &Console::log_erase},
    {"log", &Console::log, Who::local_only},
    {"stats-core", &Console::stats_core, Who::local_only},
    {"stats-radio", &Console::stats_radio, Who::local_only},
    {"stats-packets", &Console::stats_packets, Who::local_only},
};

void Console::command(std::string_view line, std::uint32_t sender_timestamp, Reply& out) {
  if (regions_.is_loading()) return regions_.load_line(line, out);
  line = trim_front(line);
  if (!is_tagged(line)) return run(line, sender_timestamp, out);
  Reply reply;
  run(line.substr(kTagSize), sender_timestamp, reply);
  if (!reply.empty()) out.append(line.substr(0, kTagSize)).append(reply);
}

void Console::run(std::string_view line, std::uint32_t timestamp, Reply& out) {
  for (const Command& command : kCommands) {
    if (command.who == Who::local_only && timestamp != 0) continue;
    if (!line.starts_with(command.words)) continue;
    return (this->*command.run)({line.substr(command.words.size()), timestamp}, out);
  }
  out.append("Unknown command");
}

// --- Settings, regions ---------------------------------------------------------------------------

void Console::get(const Line& line, Reply& out) {
  if (line.rest == "acl" && line.origin() == Origin::local) return print_access(line, out);
  settings_.get(line.rest, line.origin(), out);
}
void Console::set(const Line& line, Reply& out) {
  settings_.set(line.rest, line.origin(), out);
}
void Console::password(const Line& line, Reply& out) {
  settings_.set_password(line.rest, out);
}
void Console::region(const Line& line, Reply& out) {
  regions_.command(line.rest, out);
}

// --- Who may do what -----------------------------------------------------------------------------

void Console::set_permissions(const Line& line, Reply& out) {
  std::string_view rest = line.rest;
  const std::string_view digits = take_word(rest);
  const std::string_view number = take_word(rest);
  if (number.empty()) {
    out.append("Err - bad params");
    return;
  }
  mesh::PublicKey key{};
  const bool is_whole = digits.size() == 2 * key.size();
  const auto size = from_hex(digits, key);
  if (digits.size() % 2 != 0 || digits.size() > 2 * key.size() || (is_whole && !size)) {
    out.append("Err - bad pubkey");
    return;
  }
  const auto permissions = static_cast<std::uint8_t>(leading_integer(number));
  bool done = false;
  if (role_of(permissions) == Role::guest) {
    const AccessEntry* const entry =
        size && *size > 0 ? world_.access.find_prefix(Bytes(key).first(*size)) : nullptr;
    done = entry != nullptr;
    if (done) world_.access.remove(*entry);
  } else if (is_whole) {
    const auto secret = mesh::crypto::shared_secret(world_.repeater.identity().prv, key);
    done = secret.has_value();
    if (done) {
      AccessEntry& entry = world_.access.put(key);
      entry.permissions = permissions;
      entry.secret = *secret;
    }
  }
  if (done) world_.board.keep_access(world_.access);
  out.append(done ? "OK" : "Err - invalid params");
}

void Console::print_access(const Line&, Reply&) {
  world_.printer.print("ACL:\r\n");
  for (const AccessEntry& entry : world_.access.all()) {
    if (entry.permissions == 0) continue;
    Reply line;
    append_hex(line, std::array{entry.permissions});
    line.append(' ');
    append_hex(line, entry.key);
    line.append('\n');
    world_.printer.print(line);
  }
}

// --- Neighbours and adverts ----------------------------------------------------------------------

void Console::discover(const Line& line, Reply& out) {
  if (!trim(line.rest).empty()) {
    out.append("Err - discover.neighbors has no options");
    return;
  }
  world_.repeater.discovery().ask(world_.repeater.now());
  out.append("OK - Discover sent");
}

// "advert.zerohop" and nothing else, or a space behind it; any other continuation is a flood.
void Console::advert(const Line& line, Reply& out) {
  constexpr std::string_view kZeroHop = ".zerohop";
  const std::string_view word = line.rest.substr(0, line.rest.find(' '));
  const Reach reach = word == kZeroHop ? Reach::zero_hop : Reach::flood;
  world_.repeater.adverts().send(reach, kCommandAdvertDelay);
  out.append(reach == Reach::zero_hop ? "OK - zerohop advert sent" : "OK - Advert sent");
}

void Console::neighbours(const Line&, Reply& out) {
  append_neighbours(out, world_.repeater.neighbours(), world_.repeater.unix_now());
}

void Console::remove_neighbour(const Line& line, Reply& out) {
  std::array<std::uint8_t, std::tuple_size_v<mesh::PublicKey>> prefix{};
  const auto size = from_hex(line.rest, prefix);
  if (!size) {
    out.append("ERR: bad pubkey");
    return;
  }
  world_.repeater.neighbours().remove(Bytes(prefix).first(*size));
  out.append("OK");
}

// --- The clock -----------------------------------------------------------------------------------

void Console::show_clock(const Line&, Reply& out) {
  append_date(out, world_.repeater.unix_now());
}

void Console::sync_clock(const Line& line, Reply& out) {
  if (line.timestamp <= world_.repeater.unix_now()) {
    out.append("ERR: clock cannot go backwards");
    return;
  }
  set_clock(line.timestamp + 1, out);
}

void Console::set_time(const Line& line, Reply& out) {
  const double seconds = std::clamp(leading_number(line.rest), 0.0, 4'294'967'295.0);
  const auto unix_seconds = static_cast<std::uint32_t>(seconds);
  if (unix_seconds <= world_.repeater.unix_now()) {
    out.append("(ERR: clock cannot go backwards)");
    return;
  }
  set_clock(unix_seconds, out);
}

void Console::set_clock(std::uint32_t unix_seconds, Reply& out) {
  world_.repeater.clock().set(unix_seconds, world_.repeater.now());
  out.append("OK - clock set: ");
  append_date(out, unix_seconds);
}

// --- The machine ---------------------------------------------------------------------------------

void Console::halt(Halt how) {
  halted_ = true;
  world_.board.halt(how);
}
void Console::power_off(const Line&, Reply&) {
  halt(Halt::power_off);
}
void Console::restart(const Line&, Reply&) {
  halt(Halt::restart);
}
void Console::restart_clock(const Line&, Reply&) {
  world_.repeater.clock().set(kClockBeforeRestart, world_.repeater.now());
  halt(Halt::restart);
}

void Console::start_update(const Line&, Reply& out) {
  out.append("Error");
}

void Console::temporary_radio(const Line& line, Reply& out) {
  constexpr std::int32_t kMost = 7 * 24 * 60;  // a week; who wants more sets it for good
  std::string_view rest;
  const auto radio = parse_radio(line.rest, rest);
  const auto modulation = radio ? modulation_of(*radio) : std::nullopt;
  const std::int32_t span = leading_integer(rest);
  if (!modulation || span <= 0 || span > kMost || !world_.board.allows(*modulation)) {
    out.append("Error, invalid params");
    return;
  }
  if (!world_.board.can_tune()) {
    out.append("Error: unsupported");
    return;
  }
  temporary_radio_.use(*modulation, minutes(span));
  out.append("OK - temp params for ");
  append_number(out, span);
  out.append(" mins");
}

void Console::erase(const Line&, Reply& out) {
  out.append("File system erase: ").append(world_.board.erase() ? "OK" : "Err");
}

void Console::version(const Line&, Reply& out) {
  out.append(world_.board.firmware_version());
  out.append(" (Build: ").append(world_.board.build_date()).append(')');
}
void Console::board(const Line&, Reply& out) {
  out.append(world_.board.name());
}

void Console::sensor_get(const Line&, Reply& out) {
  out.append("null");
}
void Console::sensor_set(const Line&, Reply& out) {
  out.append("can't find custom var");
}
void Console::sensor_list(const Line&, Reply& out) {
  out.append("no custom var");
}

void Console::power_saving(const Line& line, Reply& out) {
  out.append(line.rest.starts_with(" on") ? "Board not supported" : "off");
}

// --- Log and statistics --------------------------------------------------------------------------

void Console::log_start(const Line&, Reply& out) {
  world_.board.set_packet_log(true);
  out.append("   logging on");
}
void Console::log_stop(const Line&, Reply& out) {
  world_.board.set_packet_log(false);
  out.append("   logging off");
}
void Console::log_erase(const Line&, Reply& out) {
  world_.board.erase_packet_log();
  out.append("   log erased");
}
void Console::log(const Line&, Reply& out) {
  world_.board.print_packet_log(world_.printer);
  out.append("   EOF");
}

void Console::clear_stats(const Line&, Reply& out) {
  world_.repeater.counters().clear();
  world_.board.clear_receive_errors();
  out.append("(OK - stats reset)");
}
void Console::stats_core(const Line&, Reply& out) {
  append_core_statistics(out, world_.repeater, world_.board);
}
void Console::stats_radio(const Line&, Reply& out) {
  append_radio_statistics(out, world_.repeater, world_.board);
}
void Console::stats_packets(const Line&, Reply& out) {
  append_packet_statistics(out, world_.repeater, world_.board);
}

}  // namespace chappe::node
