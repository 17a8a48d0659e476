#include "chappe/node/console_regions.h"

#include <algorithm>
#include <utility>

namespace chappe::node {
namespace {

using mesh::Floods;
using mesh::Region;
using mesh::RegionTable;

constexpr std::string_view kUnknownRegion = "Err - unknown region";
constexpr std::string_view kNoScope = "<null>";

std::string_view without_hash(std::string_view name) {
  if (name.starts_with('#')) name.remove_prefix(1);
  return name;
}

void append_line(Reply& out, const RegionTable& table, const Region& region, std::size_t depth) {
  for (std::size_t i = 0; i < depth; ++i) out.append(' ');
  out.append(without_hash(region.name()));
  if (table.home() == region.id) out.append('^');
  if (region.floods == Floods::allowed) out.append(" F");
  out.append('\n');
}

// A region below itself is below nobody, so it is not reached and this ends; the bound is for
// whoever changes that.
void append_children(Reply& out,
                     const RegionTable& table,
                     std::uint16_t parent,
                     std::size_t depth) {
  if (depth > mesh::kRegionsMax || out.room() == 0) return;
  for (const Region& region : table.named()) {
    if (region.parent != parent) continue;
    append_line(out, table, region, depth);
    append_children(out, table, region.id, depth + 1);
  }
}

bool put_allowed(RegionTable& table, std::string_view name, std::uint16_t parent) {
  const auto put = table.put(name, parent);
  if (!put) return false;
  (*put)->floods = Floods::allowed;
  return true;
}

}  // namespace

void append_tree(Reply& out, const RegionTable& table) {
  append_line(out, table, table.wildcard(), 0);
  append_children(out, table, 0, 1);
}

void append_names(Reply& out, const RegionTable& table, Floods floods) {
  const auto append = [&](const Region& region) {
    const std::string_view name = without_hash(region.name());
    const std::size_t needed = name.size() + (out.empty() ? 0 : 1);
    if (region.floods != floods || needed > out.room()) return;
    if (!out.empty()) out.append(',');
    out.append(name);
  };
  append(table.wildcard());
  for (const Region& region : table.named()) append(region);
}

void RegionCommands::command(std::string_view arguments, Reply& out) {
  // "regionx" is "region": the word is compared by its beginning only.
  std::string_view rest = arguments.substr(std::min(arguments.find(' '), arguments.size()));
  const std::string_view verb = take_word(rest);
  if (verb.empty()) return append_tree(out, table());
  if (verb == "load") return start_load();
  if (verb == "save") return save(out);
  if (verb == "def") return define(rest, out);

  const std::string_view name = take_word(rest);
  if (verb == "home") return home(name, out);
  if (verb == "default") return default_scope(name, out);
  if (name.empty()) {
    out.append("Err - ??");
  } else if (verb == "allowf") {
    allow(name, Floods::allowed, out);
  } else if (verb == "denyf") {
    allow(name, Floods::denied, out);
  } else if (verb == "get") {
    get(name, out);
  } else if (verb == "put") {
    put(name, take_word(rest), out);
  } else if (verb == "remove") {
    remove(name, out);
  } else if (verb == "list") {
    list(name, out);
  } else {
    out.append("Err - ??");
  }
}

void RegionCommands::allow(std::string_view name, Floods floods, Reply& out) {
  Region* const region = table().find_prefix(name);
  if (region == nullptr) {
    out.append(kUnknownRegion);
    return;
  }
  region->floods = floods;
  out.append("OK");
}

void RegionCommands::get(std::string_view name, Reply& out) {
  const Region* const region = table().find_prefix(name);
  if (region == nullptr) {
    out.append(kUnknownRegion);
    return;
  }
  out.append(' ').append(region->name()).append(' ');
  const Region* const parent = table().find_id(region->parent);
  if (parent != nullptr && !parent->is_wildcard()) {
    out.append('(').append(parent->name()).append(") ");
  }
  if (region->floods == Floods::allowed) out.append('F');
}

void RegionCommands::home(std::string_view name, Reply& out) {
  if (name.empty()) {
    const Region* const home = table().find_id(table().home());
    out.append(" home is ").append(home == nullptr ? "*" : home->name());
    return;
  }
  const Region* const region = table().find_prefix(name);
  if (region == nullptr) {
    out.append(kUnknownRegion);
    return;
  }
  table().set_home(region->id);
  out.append(" home is now ").append(region->name());
}

void RegionCommands::default_scope(std::string_view name, Reply& out) {
  if (name.empty()) {
    const Region* const scope = table().find_id(table().default_scope());
    const bool is_none = scope == nullptr || scope->is_wildcard();
    out.append(" default scope is ").append(is_none ? kNoScope : scope->name());
    return;
  }
  if (name == kNoScope) {
    table().set_default_scope(0);
    out.append(" default scope is now ").append(kNoScope);
  } else {
    Region* region = table().find(name);
    if (region == nullptr) {
      const auto put = table().put(name, 0);
      if (!put) {
        out.append(put.error() == mesh::RegionError::table_full ? "Err - region table full"
                                                                : "Err - unable to put");
        return;
      }
      region = *put;
    }
    region->floods = Floods::allowed;
    table().set_default_scope(region->id);
    out.append(" default scope is now ").append(region->name());
  }
  board_.keep_regions(table());
}

void RegionCommands::put(std::string_view name, std::string_view parent, Reply& out) {
  const Region* const above = parent.empty() ? &table().wildcard() : table().find_prefix(parent);
  if (above == nullptr) {
    out.append("Err - unknown parent");
  } else if (put_allowed(table(), name, above->id)) {
    out.append("OK - (flood allowed)");
  } else {
    out.append("Err - unable to put");
  }
}

void RegionCommands::remove(std::string_view name, Reply& out) {
  const Region* const region = table().find(name);
  if (region == nullptr) {
    out.append("Err - not found");
  } else if (region->is_wildcard() || table().has_children(region->id)) {
    out.append("Err - not empty");
  } else {
    table().remove(region->id);
    out.append("OK");
  }
}

void RegionCommands::list(std::string_view which, Reply& out) {
  if (which != "allowed" && which != "denied") {
    out.append("Err - use 'allowed' or 'denied'");
    return;
  }
  append_names(out, table(), which == "allowed" ? Floods::allowed : Floods::denied);
  if (out.empty()) out.append("-none-");
}

// Each name is put below the one before it; `name|jump` goes on below `jump` instead.
void RegionCommands::define(std::string_view tokens, Reply& out) {
  std::uint16_t parent = 0;
  std::string_view token = take_word(tokens);
  if (token.empty()) {
    out.append("Err - empty def");
    return;
  }
  for (; !token.empty(); token = take_word(tokens)) {
    const std::size_t bar = token.find_first_of("|,");
    const std::string_view name = token.substr(0, bar);
    if (name.empty()) {
      out.append("Err - empty name");
      return;
    }
    const bool jumps = bar != std::string_view::npos;
    const std::string_view jump = jumps ? token.substr(bar + 1) : std::string_view();
    if (jumps && jump.empty()) {
      out.append("Err - empty jump");
      return;
    }
    if (!put_allowed(table(), name, parent)) {
      out.append("Err - put failed: ").append(name);
      return;
    }
    const Region* const next = jumps ? table().find_prefix(jump) : table().find(name);
    if (next == nullptr) {
      out.append("Err - unknown jump: ").append(jump);
      return;
    }
    parent = next->id;
  }
  append_tree(out, table());
}

void RegionCommands::save(Reply& out) {
  // Kept with the table, so that who asks what has changed is told after a restart too.
  std::uint32_t& modified_at = repeater_.preferences().modified_at;
  const std::uint32_t before = std::exchange(modified_at, repeater_.unix_now());
  if (!board_.keep_regions(table())) {
    modified_at = before;
    out.append("Err - save failed");
    return;
  }
  out.append("OK");
}

// --- Loading -------------------------------------------------------------------------------------

// The table in use stays in use until the new one is complete. The reference starts from an empty
// one and so forgets the wildcard's flag, the home and the default scope; we keep them.
void RegionCommands::start_load() {
  loading_ = true;
  loaded_.clear();
  loaded_.wildcard().floods = table().wildcard().floods;
  loaded_.set_next_id(table().next_id());
  parents_.fill(0);
}

void RegionCommands::load_line(std::string_view line, Reply& out) {
  const std::string_view words = trim_front(line);
  if (words.empty()) return finish_load(out);
  const std::size_t depth = line.size() - words.size();
  if (depth == 0 || depth > kLoadDepth) return;

  const auto end = std::ranges::find_if_not(
      words, [](char letter) { return mesh::is_region_name(std::string_view(&letter, 1)); });
  const std::string_view name = words.substr(0, static_cast<std::size_t>(end - words.begin()));
  std::string_view mark = words.substr(name.size());
  if (mark.starts_with('^')) mark.remove_prefix(1);
  const bool floods = trim_front(mark).starts_with('F');

  const std::uint16_t parent = parents_[depth - 1];
  const Region* const known = table().find(name);
  const bool keeps_id = known != nullptr && loaded_.find(name) == nullptr;
  const auto put = keeps_id ? loaded_.restore(name, known->id, parent) : loaded_.put(name, parent);
  if (!put) return;
  if (known != nullptr) {
    (*put)->floods = known->floods;
  } else if (floods) {
    (*put)->floods = Floods::allowed;
  }
  // Whatever was deeper belonged to the region before.
  std::fill(parents_.begin() + static_cast<std::ptrdiff_t>(depth), parents_.end(), (*put)->id);
}

void RegionCommands::finish_load(Reply& out) {
  loading_ = false;
  if (loaded_.find_id(table().home()) != nullptr) loaded_.set_home(table().home());
  if (loaded_.find_id(table().default_scope()) != nullptr) {
    loaded_.set_default_scope(table().default_scope());
  }
  table() = loaded_;
  out.append("OK - loaded ");
  append_number(out, table().named().size());
  out.append(" regions");
}

}  // namespace chappe::node
