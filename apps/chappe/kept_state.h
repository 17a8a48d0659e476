#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/config/configuration.h"
#include "chappe/node/access_list.h"
#include "chappe/node/board.h"
#include "chappe/node/console.h"
#include "chappe/node/repeater.h"

namespace chappe::app {

/// What commands have changed, as the state directory keeps it: docs/formats/kept.md.
///
/// Only what a command has touched is kept, so the configuration goes on deciding everything else.
/// Files appear whole or not at all. A command that changes something waits for the disk, and so
/// does the node's executor, for as long as one small file takes.
class KeptState final : public node::Board,
                        public node::Printer,
                        private node::SettingsCommands::Visitor {
 public:
  /// Takes sentences for the operator: what could not be kept, or not be used.
  using Complain = std::function<void(const std::string&)>;
  /// What to do when a command stops the node.
  using Stop = std::function<void(node::Halt)>;

  /// `configuration` outlives this.
  KeptState(std::string directory,
            const config::Configuration& configuration,
            Complain complain,
            Stop stop);

  /// Reads the files and tells the node. Once, before it starts.
  void apply(node::Repeater& repeater, node::AccessList& access, node::Console& console);

  /// What was printed since the last call.
  std::string take_printed() { return std::exchange(printed_, {}); }

  std::string_view name() const override { return "Linux"; }
  std::string_view firmware_version() const override { return "chappe v" CHAPPE_VERSION; }
  std::string_view build_date() const override { return CHAPPE_DATE; }
  bool allows(const radio::Modulation& modulation) const override;
  bool can_tune() const override { return false; }
  void keep_preferences(const node::Preferences& preferences) override;
  bool keep_regions(const mesh::RegionTable& regions) override;
  void keep_access(const node::AccessList& access) override;
  bool keep_identity(const mesh::Identity& identity) override;
  bool erase() override;
  void halt(node::Halt how) override { stop_(how); }
  void print(std::string_view words) override { printed_ += words; }

 private:
  void visit(std::string_view name, std::string_view value) override;
  std::string path(std::string_view file) const;
  std::optional<std::string> read(std::string_view file);
  bool replace(std::string_view file, const std::string& text);
  void apply_settings(std::string_view text);
  void apply_regions(std::string_view text);
  void apply_access(std::string_view text, node::AccessList& access);
  void look_at(const node::Preferences& preferences);

  const std::string directory_;
  const config::Configuration& configuration_;
  const Complain complain_;
  const Stop stop_;
  node::Repeater* repeater_ = nullptr;
  node::Console* console_ = nullptr;
  std::map<std::string, std::string> values_;      // of all settings, as last looked at
  std::map<std::string, std::string> configured_;  // the same, before any command
  std::set<std::string> touched_;                  // by a command, ever
  std::string printed_;
  std::uint64_t drafts_ = 0;
  bool applying_ = false;
};

/// The radio's parameters as a command of an earlier run has set them, put into `configuration`.
/// Nothing, or a sentence about why the configuration's stay.
std::optional<std::string> use_kept_radio(const std::string& directory,
                                          config::Configuration& configuration);

}  // namespace chappe::app
