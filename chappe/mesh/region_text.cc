#include "chappe/mesh/region_text.h"

#include <charconv>
#include <optional>

#include "chappe/base/text.h"

namespace chappe::mesh {
namespace {

std::string_view take_word(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return word;
}

std::optional<std::uint16_t> take_id(std::string_view& rest) {
  const std::string_view word = take_word(rest);
  std::uint16_t id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return id;
}

std::optional<Floods> take_floods(std::string_view& rest) {
  const std::string_view word = take_word(rest);
  if (word == "F") return Floods::allowed;
  if (word == "-") return Floods::denied;
  return std::nullopt;
}

std::string_view word_of(Floods floods) {
  return floods == Floods::allowed ? "F" : "-";
}

void append_number_line(RegionText& out, std::string_view name, std::uint16_t number) {
  out.append(Text<32>().add(name).add(' ').add(number).add('\n').view());
}

bool read_region(std::string_view rest, RegionTable& table) {
  const auto id = take_id(rest);
  const auto parent = take_id(rest);
  const auto floods = take_floods(rest);
  if (!id || !parent || !floods) return false;
  const auto region = table.restore(rest, *id, *parent);
  if (region) (*region)->floods = *floods;
  return region.has_value();
}

bool read_line(std::string_view rest, RegionTable& table) {
  const std::string_view kind = take_word(rest);
  if (kind == "region") return read_region(rest, table);
  if (kind == "wildcard") {
    const auto floods = take_floods(rest);
    if (floods) table.wildcard().floods = *floods;
    return floods && rest.empty();
  }
  const auto id = take_id(rest);
  if (!id || !rest.empty()) return false;
  if (kind == "home") {
    table.set_home(*id);
  } else if (kind == "default") {
    table.set_default_scope(*id);
  } else if (kind == "next") {
    table.set_next_id(*id);
  } else {
    return false;
  }
  return true;
}

// What a damaged or edited file may name, but no table may hold.
void mend(RegionTable& table) {
  if (table.home() != kNoRegion && table.find_id(table.home()) == nullptr) {
    table.set_home(kNoRegion);
  }
  if (table.find_id(table.default_scope()) == nullptr) table.set_default_scope(0);
  std::uint16_t above = 1;
  for (const Region& region : table.named()) {
    if (region.id >= above) above = static_cast<std::uint16_t>(region.id + 1);
  }
  if (table.next_id() < above) table.set_next_id(above);
}

}  // namespace

void append_lines(RegionText& out, const RegionTable& table) {
  out.append("wildcard ").append(word_of(table.wildcard().floods)).append("\n");
  for (const Region& region : table.named()) {
    out.append(Text<32>().add("region ").add(region.id).add(' ').add(region.parent).view());
    out.append(' ').append(word_of(region.floods)).append(' ');
    out.append(region.name()).append('\n');
  }
  append_number_line(out, "home", table.home());
  append_number_line(out, "default", table.default_scope());
  append_number_line(out, "next", table.next_id());
}

Result<RegionTable, int> parse_lines(std::string_view text) {
  RegionTable table;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!read_line(line, table)) return Unexpected(number);
  }
  mend(table);
  return table;
}

}  // namespace chappe::mesh
