#include "chappe/client/json_object.h"

#include <nlohmann/json.hpp>

namespace chappe::client {

struct JsonObject::Tree {
  nlohmann::json json;

  const nlohmann::json* find(const char* name) const {
    const auto field = json.find(name);
    return field == json.end() ? nullptr : &*field;
  }
};

namespace {

// Deeper than any line of ours: who nests more wants our stack.
constexpr std::size_t kNestedMax = 16;

bool nests_too_deep(std::string_view line) {
  std::size_t depth = 0;
  for (const char letter : line) {
    if ((letter == '{' || letter == '[') && ++depth > kNestedMax) return true;
    if ((letter == '}' || letter == ']') && depth > 0) --depth;
  }
  return false;
}

}  // namespace

JsonObject::JsonObject(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

Result<JsonObject, std::string> JsonObject::parse(std::string_view line) {
  if (nests_too_deep(line)) return Unexpected<std::string>("this line nests too deep");
  auto tree = std::make_unique<Tree>();
  tree->json = nlohmann::json::parse(line, nullptr, false);
  if (tree->json.is_discarded()) return Unexpected<std::string>("this line is not JSON");
  if (!tree->json.is_object()) return Unexpected<std::string>("a request is a JSON object");
  return JsonObject(std::move(tree));
}

bool JsonObject::has(const char* name) const {
  return tree_->find(name) != nullptr;
}

std::string JsonObject::text(const char* name) {
  const auto* const field = tree_->find(name);
  if (field == nullptr) return {};
  if (field->is_string()) return field->get<std::string>();
  wrong(name, "must be a string");
  return {};
}

bool JsonObject::boolean(const char* name, bool otherwise) {
  const auto* const field = tree_->find(name);
  if (field == nullptr) return otherwise;
  if (field->is_boolean()) return field->get<bool>();
  wrong(name, "must be true or false");
  return otherwise;
}

std::int64_t JsonObject::number(const char* name,
                                std::int64_t least,
                                std::int64_t most,
                                std::int64_t otherwise) {
  const auto* const field = tree_->find(name);
  if (field == nullptr) return otherwise;
  if (field->is_number_integer() && *field >= least && *field <= most) {
    return field->get<std::int64_t>();
  }
  wrong(name,
        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return otherwise;
}

double JsonObject::real(const char* name) const {
  const auto* const field = tree_->find(name);
  return field != nullptr && field->is_number() ? field->get<double>() : 0;
}

std::vector<std::string> JsonObject::texts(const char* name) {
  std::vector<std::string> found;
  const auto* const field = tree_->find(name);
  if (field == nullptr) return found;
  if (!field->is_array()) {
    wrong(name, "must be a list of names");
    return found;
  }
  for (const auto& item : *field) {
    if (item.is_string()) {
      found.push_back(item.get<std::string>());
    } else {
      wrong(name, "must be a list of names");
    }
  }
  return found;
}

std::vector<std::pair<std::string, std::string>> JsonObject::fields() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [name, value] : tree_->json.items()) {
    // What is no UTF-8 is shown as the replacement character, never thrown at us.
    found.emplace_back(name,
                       value.is_string()
                           ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return found;
}

void JsonObject::wrong(std::string_view name, std::string_view what) {
  if (problem_.empty()) problem_ = "\"" + std::string(name) + "\" " + std::string(what);
}

}  // namespace chappe::client
