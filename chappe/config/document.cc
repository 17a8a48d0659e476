#include "chappe/config/document.h"

#include <optional>

#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 8
// Compiled in here, without exceptions; the installed library is built with them.
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#undef TOML_SHARED_LIB
#include <toml++/toml.h>

namespace chappe::config {
namespace {

static_assert(TOML_MAX_NESTED_VALUES == kNestedValuesMax);

Place place_of(const toml::source_region& region) {
  return Place{.line = region.begin.line, .column = region.begin.column};
}

bool has_at(std::string_view text, std::size_t at, std::string_view what) {
  return text.substr(at, what.size()) == what;
}

/// Finds what TOML forbids but toml++ 3.3 does not survive: letters beyond ASCII outside of
/// strings and comments are undefined behaviour in it, and every part of a dotted name is one
/// more level of recursion, of which it allows any number.
///
/// Knows just enough of TOML to tell names from strings and comments.
std::optional<Mistake> find_indigestible(std::string_view text) {
  enum class Inside { name, comment, basic, literal, basic_lines, literal_lines };
  Inside inside = Inside::name;
  Place place{.line = 1, .column = 1};
  std::size_t dots = 0;
  std::size_t skip = 0;  // letters already looked at, as part of the one before

  if (has_at(text, 0, "\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark is allowed here
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    const bool continues = (static_cast<unsigned char>(letter) & 0xc0) == 0x80;
    if (skip > 0) {
      --skip;
    } else if (inside == Inside::name) {
      if (static_cast<unsigned char>(letter) >= 0x80) {
        return Mistake{place, "a letter beyond ASCII is only allowed in quotes or a comment"};
      }
      if (letter == '#') inside = Inside::comment;
      if (has_at(text, at, R"(""")")) {
        inside = Inside::basic_lines;
        skip = 2;
      } else if (has_at(text, at, "'''")) {
        inside = Inside::literal_lines;
        skip = 2;
      } else if (letter == '"') {
        inside = Inside::basic;
      } else if (letter == '\'') {
        inside = Inside::literal;
      }
      if (letter == '.') ++dots;
      if (dots >= kKeyPartsMax) {
        return Mistake{place, "a name of more than " + std::to_string(kKeyPartsMax) + " parts"};
      }
      if (std::string_view("\n=,[]{}").find(letter) != std::string_view::npos) dots = 0;
    } else if (inside == Inside::comment) {
      if (letter == '\n') inside = Inside::name;
    } else if (inside == Inside::basic_lines) {
      if (letter == '\\') skip = 1;
      if (has_at(text, at, R"(""")")) {
        inside = Inside::name;
        skip = 2;
        // Up to two quotes may belong to the text in front of the closing three.
        while (skip < 4 && has_at(text, at + skip + 1, "\"")) ++skip;
      }
    } else if (inside == Inside::literal_lines) {
      if (has_at(text, at, "'''")) {
        inside = Inside::name;
        skip = 2;
        while (skip < 4 && has_at(text, at + skip + 1, "'")) ++skip;
      }
    } else {
      // A string that its line does not close is an error that toml++ reports.
      if (letter == '\n') inside = Inside::name;
      if (letter == '\\' && inside == Inside::basic) skip = 1;
      if (letter == '"' && inside == Inside::basic) inside = Inside::name;
      if (letter == '\'' && inside == Inside::literal) inside = Inside::name;
    }
    if (letter == '\n') {
      ++place.line;
      place.column = 1;
    } else if (!continues) {
      ++place.column;
    }
  }
  return std::nullopt;
}

Node convert(const toml::node& node);

Node::Table convert_table(const toml::table& table) {
  Node::Table entries;
  for (const auto& [key, node] : table) {
    entries.push_back(Entry{
        .key = std::string(key.str()), .key_place = place_of(key.source()), .node = convert(node)});
  }
  return entries;
}

Node convert(const toml::node& node) {
  Node converted{.place = place_of(node.source()), .value = Moment{}};
  if (const auto* text = node.as_string()) {
    converted.value = text->get();
  } else if (const auto* boolean = node.as_boolean()) {
    converted.value = boolean->get();
  } else if (const auto* integer = node.as_integer()) {
    converted.value = integer->get();
  } else if (const auto* decimal = node.as_floating_point()) {
    converted.value = decimal->get();
  } else if (const auto* array = node.as_array()) {
    Node::Array nodes;
    for (const toml::node& element : *array) nodes.push_back(convert(element));
    converted.value = std::move(nodes);
  } else if (const auto* table = node.as_table()) {
    converted.value = convert_table(*table);
  }
  return converted;
}

}  // namespace

Result<Node::Table, Mistake> read_document(std::string_view text) {
  if (text.size() > kDocumentBytesMax) {
    return Unexpected(Mistake{
        Place{},
        "larger than " + std::to_string(kDocumentBytesMax) + " bytes, so no configuration"});
  }
  if (const auto mistake = find_indigestible(text)) return Unexpected(*mistake);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Unexpected(Mistake{place_of(error.source()), std::string(error.description())});
  }
  return convert_table(parsed.table());
}

}  // namespace chappe::config
