#pragma once

#include <cstdint>
#include <string_view>

#include "chappe/async/executor.h"
#include "chappe/node/access_list.h"
#include "chappe/node/board.h"
#include "chappe/node/console_regions.h"
#include "chappe/node/console_settings.h"
#include "chappe/node/console_text.h"
#include "chappe/node/repeater.h"
#include "chappe/node/temporary_radio.h"
#include "chappe/tx/bucket.h"

namespace chappe::node {

/// A node's command line (protocol 13), local and for administrators far away: the reference's
/// words, order and replies, since people and tools know them. Its faults (protocol 19) are not
/// copied, unless settings ask for ranges as_recorded.
///
/// Commands are recognised by their beginning, in a fixed order.
/// Context: the node's executor. Memory: in place.
class Console {
 public:
  struct World {
    async::Executor& executor;
    Repeater& repeater;
    AccessList& access;
    Board& board;
    Printer& printer;              // of the local console
    tx::Bucket* bucket = nullptr;  // if that is the law in force
  };

  explicit Console(const World& world);

  /// Runs one line and appends the reply to `out`, which is empty. A `sender_timestamp` of 0 means
  /// the local console, else it is what an administrator's clock said.
  void command(std::string_view line, std::uint32_t sender_timestamp, Reply& out);

  SettingsCommands& settings() { return settings_; }

  /// Lines are taken for those of a region table that is being loaded.
  bool is_loading_regions() const { return regions_.is_loading(); }

  /// A command has ended this node; its board was told.
  bool halted() const { return halted_; }

 private:
  struct Line {
    std::string_view rest;  // behind the words by which the command was recognised
    std::uint32_t timestamp = 0;
    Origin origin() const { return timestamp == 0 ? Origin::local : Origin::remote; }
  };
  enum class Who : std::uint8_t { everybody, local_only };
  struct Command {
    std::string_view words;
    void (Console::*run)(const Line& line, Reply& out);
    Who who = Who::everybody;
  };
  static const Command kCommands[];

  void run(std::string_view line, std::uint32_t timestamp, Reply& out);

  void set_permissions(const Line& line, Reply& out);
  void print_access(const Line& line, Reply& out);
  void discover(const Line& line, Reply& out);
  void power_off(const Line& line, Reply& out);
  void restart(const Line& line, Reply& out);
  void restart_clock(const Line& line, Reply& out);
  void advert(const Line& line, Reply& out);
  void sync_clock(const Line& line, Reply& out);
  void start_update(const Line& line, Reply& out);
  void show_clock(const Line& line, Reply& out);
  void set_time(const Line& line, Reply& out);
  void neighbours(const Line& line, Reply& out);
  void remove_neighbour(const Line& line, Reply& out);
  void temporary_radio(const Line& line, Reply& out);
  void password(const Line& line, Reply& out);
  void clear_stats(const Line& line, Reply& out);
  void get(const Line& line, Reply& out);
  void set(const Line& line, Reply& out);
  void erase(const Line& line, Reply& out);
  void version(const Line& line, Reply& out);
  void board(const Line& line, Reply& out);
  void sensor_get(const Line& line, Reply& out);
  void sensor_set(const Line& line, Reply& out);
  void sensor_list(const Line& line, Reply& out);
  void region(const Line& line, Reply& out);
  void power_saving(const Line& line, Reply& out);
  void log_start(const Line& line, Reply& out);
  void log_stop(const Line& line, Reply& out);
  void log_erase(const Line& line, Reply& out);
  void log(const Line& line, Reply& out);
  void stats_core(const Line& line, Reply& out);
  void stats_radio(const Line& line, Reply& out);
  void stats_packets(const Line& line, Reply& out);

  void halt(Halt how);
  void set_clock(std::uint32_t unix_seconds, Reply& out);

  const World world_;
  RegionCommands regions_;
  SettingsCommands settings_;
  TemporaryRadio temporary_radio_;
  bool halted_ = false;
};

}  // namespace chappe::node
