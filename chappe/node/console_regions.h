#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "chappe/mesh/region.h"
#include "chappe/node/board.h"
#include "chappe/node/console_text.h"
#include "chappe/node/repeater.h"

namespace chappe::node {

/// `region …` (protocol 13.3). Only `default` is kept at once; everything else is in memory until
/// `region save`.
class RegionCommands {
 public:
  RegionCommands(Repeater& repeater, Board& board) : repeater_(repeater), board_(board) {}

  /// After `region load` each line belongs to load_line(), with its leading spaces.
  bool is_loading() const { return loading_; }
  void load_line(std::string_view line, Reply& out);

  /// What follows "region".
  void command(std::string_view arguments, Reply& out);

 private:
  // A name is indented by one to seven spaces.
  static constexpr std::size_t kLoadDepth = 7;

  mesh::RegionTable& table() { return repeater_.regions(); }

  void allow(std::string_view name, mesh::Floods floods, Reply& out);
  void get(std::string_view name, Reply& out);
  void home(std::string_view name, Reply& out);
  void default_scope(std::string_view name, Reply& out);
  void put(std::string_view name, std::string_view parent, Reply& out);
  void remove(std::string_view name, Reply& out);
  void list(std::string_view which, Reply& out);
  void define(std::string_view tokens, Reply& out);
  void save(Reply& out);
  void start_load();
  void finish_load(Reply& out);

  Repeater& repeater_;
  Board& board_;
  bool loading_ = false;
  mesh::RegionTable loaded_;                             // becomes the table when it is complete
  std::array<std::uint16_t, kLoadDepth + 1> parents_{};  // by depth: the last region there
};

/// The tree of regions, a line each, indented by depth; `^` marks the home region, F who floods.
void append_tree(Reply& out, const mesh::RegionTable& table);
/// Names of regions that allow or deny floods, comma between them, the wildcard first. A name that
/// does not fit as a whole is left out.
void append_names(Reply& out, const mesh::RegionTable& table, mesh::Floods floods);

}  // namespace chappe::node
