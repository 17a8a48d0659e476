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

constexpr std::string_view kBlanks = " \t\r\n";

bool is_among(char letter, std::string_view letters) {
  return letters.find(letter) != std::string_view::npos;
}

/// What names, numbers and dates are made of.
bool is_word_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || is_among(letter, "-_+.:");
}

/// Finds what TOML forbids but toml++ 3.3 does not survive.
///
/// Undefined behaviour in it: a letter beyond ASCII where it expects a name or reads a number, even
/// behind a quote that the number runs into; a bracket that closes another; a section header that
/// does not start with a name. Endless recursion: a dotted name, of any number of parts.
///
/// Knows just enough of TOML for that: which letters stand where, in and outside of strings and
/// comments. What else is wrong, toml++ finds.
class Screening {
 public:
  explicit Screening(std::string_view text) : text_(text) {
    if (has(0, "\xef\xbb\xbf")) text_.remove_prefix(3);  // a byte order mark is allowed here
  }

  std::optional<Mistake> run() {
    for (at_ = 0; at_ < text_.size(); ++at_) {
      if (skip_ > 0) {
        --skip_;
      } else if (const char* what = look(text_[at_])) {
        return Mistake{place_, what};
      }
      advance_place(text_[at_]);
    }
    return std::nullopt;
  }

 private:
  enum class Inside { name, comment, basic, literal, basic_lines, literal_lines };

  bool has(std::size_t at, std::string_view what) const {
    return at <= text_.size() && text_.substr(at, what.size()) == what;
  }

  void advance_place(char letter) {
    const bool continues = (static_cast<unsigned char>(letter) & 0xc0) == 0x80;
    if (letter == '\n') {
      ++place_.line;
      place_.column = 1;
      line_is_blank_ = true;
    } else if (!continues) {
      ++place_.column;
      if (letter != ' ' && letter != '\t') line_is_blank_ = false;
    }
  }

  /// What is wrong at this letter; null if nothing is.
  const char* look(char letter) {
    switch (inside_) {
      case Inside::name:
        return look_at_name(letter);
      case Inside::comment:
        if (letter == '\n') inside_ = Inside::name;
        return nullptr;
      case Inside::basic_lines:
        if (letter == '\\') skip_ = 1;
        close_lines(R"(""")");
        return nullptr;
      case Inside::literal_lines:
        close_lines("'''");
        return nullptr;
      case Inside::basic:
        if (letter == '\\' && !has(at_ + 1, "\n")) skip_ = 1;
        // A string that its line does not close is an error that toml++ reports.
        if (letter == '"' || letter == '\n') inside_ = Inside::name;
        return nullptr;
      case Inside::literal:
        if (letter == '\'' || letter == '\n') inside_ = Inside::name;
        return nullptr;
    }
    return nullptr;
  }

  const char* look_at_name(char letter) {
    if (static_cast<unsigned char>(letter) >= 0x80) {
      return "a letter beyond ASCII is only allowed in quotes or a comment";
    }
    if (!is_word_letter(letter) && !is_among(letter, "=,[]{}#\"'") && !is_among(letter, kBlanks)) {
      return "this letter is only allowed in quotes or a comment";
    }
    if (is_among(letter, "[{\"'") && at_ > 0 && is_word_letter(text_[at_ - 1])) {
      if (letter == '[' || letter == '{') return "a bracket in the middle of a word";
      const bool joins_names = text_[at_ - 1] == '.' && !in_value_;
      if (!joins_names) return "a quote in the middle of a word";
    }
    if (letter == '.' && ++dots_ >= kKeyPartsMax) return "a name of more than 8 parts";
    if (is_among(letter, "\n=,[]{}")) dots_ = 0;
    if (const char* what = look_at_equals(letter)) return what;

    if (letter == '[' && line_is_blank_ && open_.empty()) return look_at_header();
    if (letter == '[' || letter == '{') {
      if (open_.size() >= kNestedValuesMax) return "values nested more than 8 deep";
      open_ += letter;
    } else if (letter == ']' || letter == '}') {
      const char opening = letter == ']' ? '[' : '{';
      if (open_.empty() || open_.back() != opening) return "a bracket closes that is not open";
      open_.pop_back();
    } else if (letter == '#') {
      inside_ = Inside::comment;
    } else if (has(at_, R"(""")")) {
      open_lines(Inside::basic_lines);
    } else if (has(at_, "'''")) {
      open_lines(Inside::literal_lines);
    } else if (letter == '"') {
      inside_ = Inside::basic;
    } else if (letter == '\'') {
      inside_ = Inside::literal;
    }
    return nullptr;
  }

  const char* look_at_equals(char letter) {
    const bool in_table = !open_.empty() && open_.back() == '{';
    if (letter == '=') {
      const bool in_list = !open_.empty() && !in_table;
      if (in_list || in_value_) return "an equals sign where no name can be";
      in_value_ = true;
    } else if (letter == '{' || (letter == ',' && in_table) || (letter == '\n' && open_.empty())) {
      in_value_ = false;
    } else if (letter == '}') {
      in_value_ = true;  // of the name that the table was the value of
    }
    return nullptr;
  }

  const char* look_at_header() {
    std::size_t next = at_ + 1;
    if (has(next, "[")) {
      skip_ = 1;
      ++next;
    }
    while (has(next, " ") || has(next, "\t")) ++next;
    // What is missing at the end of the text, toml++ reports.
    if (next >= text_.size()) return nullptr;
    open_.append(skip_ + 1, '[');
    const char first = text_[next];
    const bool starts = (is_word_letter(first) && !is_among(first, "+.:")) || first == '"' ||
                        first == '\'' || first == ']' || static_cast<unsigned char>(first) >= 0x80;
    return starts ? nullptr : "a section header needs a name behind its bracket";
  }

  void open_lines(Inside inside) {
    inside_ = inside;
    skip_ = 2;
  }

  void close_lines(std::string_view quotes) {
    if (!has(at_, quotes)) return;
    inside_ = Inside::name;
    skip_ = 2;
    // Up to two quotes may belong to the text in front of the closing three.
    while (skip_ < 4 && has(at_ + skip_ + 1, quotes.substr(0, 1))) ++skip_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t skip_ = 0;  // letters already looked at, as part of the one before
  Inside inside_ = Inside::name;
  Place place_{.line = 1, .column = 1};
  std::size_t dots_ = 0;
  std::string open_;       // brackets, innermost last
  bool in_value_ = false;  // behind an equals sign
  bool line_is_blank_ = true;
};

static_assert(kKeyPartsMax == 8, "the message in Screening names it");

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
  if (const auto mistake = Screening(text).run()) return Unexpected(*mistake);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Unexpected(Mistake{place_of(error.source()), std::string(error.description())});
  }
  return convert_table(parsed.table());
}

}  // namespace chappe::config
