#include "chappe/play/vector_file.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace chappe::play {
namespace {

using Schema = VectorItem::Schema;

std::optional<std::string> read_object(const Json& file,
                                       const std::function<void(const VectorItem&)>& each) {
  std::size_t number = 0;
  for (const Json& vector : file["vectors"].items()) {
    VectorItem item;
    item.value = vector;
    if (vector.has("kind")) {
      item.kind = vector["kind"].text();
      item.name = vector["name"].text();
    } else if (vector.has("toa_us")) {
      item.schema = Schema::exact_airtime;
      item.kind = "airtime";
      item.name = vector["tag"].text() + "/" + std::to_string(number);
    } else {
      return "vector " + std::to_string(number) + " has a shape that is not known";
    }
    ++number;
    each(item);
  }
  return std::nullopt;
}

std::optional<std::string> read_lines(const std::string& text,
                                      const std::function<void(const VectorItem&)>& each) {
  std::istringstream lines(text);
  std::string line;
  std::size_t number = 0;
  while (std::getline(lines, line)) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = "line " + std::to_string(number);
    const auto value = Json::parse(line);
    if (!value) return where + " is no JSON";
    VectorItem item;
    item.name = (*value)["id"].text();
    item.value = *value;
    if ((*value)["us"].is_array() && (*value)["len"].is_array()) {
      if ((*value)["us"].items().size() != (*value)["len"].items().size()) {
        return where + ": `us` and `len` differ in length";
      }
      item.schema = Schema::oracle_airtime;
      item.kind = "airtime";
      for (item.at = 0; item.at < (*value)["us"].items().size(); ++item.at) each(item);
    } else if (value->has("node") && value->has("expect")) {
      item.schema = Schema::scenario;
      item.kind = (*value)["group"].text();
      each(item);
    } else {
      return where + " has a shape that is not known";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_vectors(const std::string& path,
                                        const std::function<void(const VectorItem&)>& each) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "cannot be opened";
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return "cannot be read";
  if (text.empty()) return "is empty";
  // A whole file that is one object with vectors; a line of the oracle is an object too.
  if (const auto whole = Json::parse(text); whole && (*whole)["vectors"].is_array()) {
    return read_object(*whole, each);
  }
  return read_lines(text, each);
}

}  // namespace chappe::play
