#include <charconv>
#include <optional>

#include "chappe/explore/litmus.h"

namespace chappe::explore {
namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, std::string_view by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(by);
    parts.push_back(trim(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + by.size());
  }
}

std::vector<std::string_view> fields(std::string_view text) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(text, " ")) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<MemoryOrder> order(std::string_view text) {
  if (text == "rlx") return MemoryOrder::relaxed;
  if (text == "acq") return MemoryOrder::acquire;
  if (text == "rel") return MemoryOrder::release;
  if (text == "ar") return MemoryOrder::acq_rel;
  if (text == "sc") return MemoryOrder::seq_cst;
  return std::nullopt;
}

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
      return false;
    }
  }
  return true;
}

// One row. The first thing that is wrong is kept in `mistake`.
class RowParser {
 public:
  explicit RowParser(Litmus& row) : row_(row) {}

  std::string mistake;

  void parse(std::string_view line) {
    const auto comment = line.find('#');
    line = trim(line.substr(0, comment));
    const auto arrow = line.find("=>");
    if (arrow == std::string_view::npos) return fail("no question: '=>' is missing");
    std::string_view program = trim(line.substr(0, arrow));
    header(program);
    if (!mistake.empty()) return;
    for (const std::string_view thread : split(program, "||")) {
      Litmus::Thread parsed;
      bool only_initial = true;
      for (const std::string_view operation : split(thread, ";")) {
        if (operation.empty()) continue;
        if (!initial(operation)) {
          only_initial = false;
          parse_operation(operation, parsed);
        }
        if (!mistake.empty()) return;
      }
      if (!only_initial) row_.threads.push_back(std::move(parsed));
    }
    if (row_.threads.empty()) return fail("no thread");
    if (row_.threads.size() > kContexts) return fail("too many threads");
    question(trim(line.substr(arrow + 2)));
  }

 private:
  void fail(std::string words) {
    if (mistake.empty()) mistake = std::move(words);
  }

  // Takes the five fields off the front.
  void header(std::string_view& rest) {
    std::string_view field[5];
    for (std::string_view& one : field) {
      rest = trim(rest);
      const auto end = rest.find_first_of(" \t");
      if (end == std::string_view::npos) return fail("name, C, X, ex, out and a program expected");
      one = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    rest = trim(rest);
    row_.name = field[0];
    const auto verdict = [&](std::string_view text) {
      if (text != "A" && text != "F")
        fail("verdict 'A' or 'F' expected, not '" + std::string(text) + "'");
      return text == "A";
    };
    const auto count = [&](std::string_view text) -> std::int64_t {
      if (text == "-") return -1;
      const auto value = number(text);
      if (!value || *value < 0) fail("a count or '-' expected, not '" + std::string(text) + "'");
      return value.value_or(-1);
    };
    row_.possible = verdict(field[1]);
    row_.shown = verdict(field[2]);
    row_.executions = count(field[3]);
    row_.outcomes = count(field[4]);
  }

  int find(std::vector<std::string>& names, std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return static_cast<int>(i);
    }
    if (!is_name(name)) fail("'" + std::string(name) + "' is no name");
    names.emplace_back(name);
    return static_cast<int>(names.size()) - 1;
  }
  int word(std::string_view name) {
    const int index = find(row_.words, name);
    if (row_.initial.size() < row_.words.size()) row_.initial.push_back(0);
    return index;
  }
  int reg(std::string_view name) { return find(row_.registers, name); }

  std::int64_t value(std::string_view text) {
    const auto parsed = number(text);
    if (!parsed) fail("a number expected, not '" + std::string(text) + "'");
    return parsed.value_or(0);
  }

  // "init n=2 m=3"
  bool initial(std::string_view text) {
    const auto parts = fields(text);
    if (parts.empty() || parts[0] != "init") return false;
    if (parts.size() == 1) fail("'init' wants name=value");
    for (std::size_t i = 1; i < parts.size(); ++i) {
      std::string_view part = parts[i];
      if (part.back() == ',') part.remove_suffix(1);
      const auto equals = part.find('=');
      if (equals == std::string_view::npos) {
        fail("'init' wants name=value");
        return true;
      }
      const int index = word(part.substr(0, equals));
      row_.initial[static_cast<std::size_t>(index)] = value(part.substr(equals + 1));
    }
    return true;
  }

  MemoryOrder parse_order(std::string_view text, std::string_view allowed) {
    const auto parsed = order(text);
    if (!parsed || allowed.find(text) == std::string_view::npos) {
      fail("order '" + std::string(text) + "' is none of: " + std::string(allowed));
    }
    return parsed.value_or(MemoryOrder::relaxed);
  }

  void parse_operation(std::string_view text, Litmus::Thread& thread) {
    auto part = fields(text);
    Litmus::Operation operation;
    if (part[0][0] == '?') {
      const std::string_view condition = part[0].substr(1);
      const auto equals = condition.find('=');
      if (equals == std::string_view::npos) return fail("'?register=value' expected");
      operation.only_if = reg(condition.substr(0, equals));
      operation.only_if_value = value(condition.substr(equals + 1));
      part.erase(part.begin());
    }
    if (part.empty()) return fail("an operation expected after the condition");
    const std::string_view name = part[0];
    const auto takes = [&](std::size_t count) {
      if (part.size() == count + 1) return true;
      fail("'" + std::string(name) + "' takes " + std::to_string(count) + " operands in '" +
           std::string(text) + "'");
      return false;
    };
    using What = Litmus::What;
    if (name == "W" && takes(3)) {
      operation.what = What::store;
      operation.word = word(part[1]);
      operation.value = value(part[2]);
      operation.order = parse_order(part[3], "rlx rel sc");
    } else if (name == "R" && takes(3)) {
      operation.what = What::load;
      operation.word = word(part[1]);
      operation.order = parse_order(part[2], "rlx acq sc");
      operation.reg = reg(part[3]);
    } else if ((name == "A" || name == "X") && takes(4)) {
      operation.what = name == "A" ? What::add : What::exchange;
      operation.word = word(part[1]);
      operation.value = value(part[2]);
      operation.order = parse_order(part[3], "rlx acq rel ar sc");
      operation.reg = reg(part[4]);
    } else if (name == "C" && takes(6)) {
      operation.what = What::compare_exchange;
      operation.word = word(part[1]);
      operation.expected = value(part[2]);
      operation.value = value(part[3]);
      operation.order = parse_order(part[4], "rlx acq rel ar sc");
      operation.order_if_unchanged = parse_order(part[5], "rlx acq sc");
      operation.reg = reg(part[6]);
    } else if (name == "F" && takes(1)) {
      operation.what = What::fence;
      operation.order = parse_order(part[1], "acq rel ar sc");
    } else if (name == "NW" && takes(2)) {
      operation.what = What::plain_store;
      operation.word = word(part[1]);
      operation.value = value(part[2]);
    } else if (name == "NR" && takes(2)) {
      operation.what = What::plain_load;
      operation.word = word(part[1]);
      operation.reg = reg(part[2]);
    } else {
      fail("no operation: '" + std::string(text) + "'");
    }
    thread.operations.push_back(operation);
  }

  void question(std::string_view text) {
    for (const std::string_view part : fields(text)) {
      if (part == "race") {
        row_.asks_race = true;
        continue;
      }
      const auto equals = part.find('=');
      if (equals == std::string_view::npos)
        return fail("'race' or 'name=value' expected in the question");
      const std::string_view name = part.substr(0, equals);
      const std::int64_t wanted = value(part.substr(equals + 1));
      if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
        row_.words_asked.emplace_back(word(name.substr(1, name.size() - 2)), wanted);
      } else {
        const std::size_t known = row_.registers.size();
        row_.registers_asked.emplace_back(reg(name), wanted);
        if (row_.registers.size() != known)
          fail("nobody sets register '" + std::string(name) + "'");
      }
    }
    if (text.empty()) fail("the question is empty");
  }

  Litmus& row_;
};

}  // namespace

// A page of prose has its rows in fences; a file without fences is all rows. A fence whose first
// line begins with "name" holds a table of another kind.
LitmusFile parse_litmus(std::string_view text) {
  LitmusFile file;
  const bool has_fences = text.find("```") != std::string_view::npos;
  bool inside = !has_fences;
  bool first = false;
  bool other = false;
  int line_number = 0;
  for (const std::string_view line : split(text, "\n")) {
    ++line_number;
    if (line.substr(0, 3) == "```") {
      inside = !inside;
      first = inside;
      other = false;
      continue;
    }
    if (!inside || line.empty() || line[0] == '#') continue;
    other |= has_fences && first && line.substr(0, 5) == "name ";
    first = false;
    if (other) continue;
    Litmus row;
    RowParser parser(row);
    parser.parse(line);
    if (!parser.mistake.empty()) {
      file.mistake = "line " + std::to_string(line_number) + ": " + parser.mistake;
      return file;
    }
    file.rows.push_back(std::move(row));
  }
  if (file.rows.empty()) file.mistake = "no row";
  return file;
}

}  // namespace chappe::explore
