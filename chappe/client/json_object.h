#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/base/result.h"

namespace chappe::client {

/// One line of JSON that came from somebody else: an object, read field by field. Remembers the
/// first thing that is wrong with it, in words for whoever sent it.
class JsonObject {
 public:
  /// The error says why this is no object.
  static Result<JsonObject, std::string> parse(std::string_view line);
  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;
  ~JsonObject();

  bool has(const char* name) const;
  /// Empty if it is not there.
  std::string text(const char* name);
  bool boolean(const char* name, bool otherwise = false);
  std::int64_t number(const char* name,
                      std::int64_t least,
                      std::int64_t most,
                      std::int64_t otherwise);
  double real(const char* name) const;
  /// The texts of a list; nothing, and a problem, if it is something else.
  std::vector<std::string> texts(const char* name);
  /// Each field and its value as JSON, in the order of their names.
  std::vector<std::pair<std::string, std::string>> fields() const;

  void wrong(std::string_view name, std::string_view what);
  /// Empty if nothing was wrong so far.
  const std::string& problem() const { return problem_; }

 private:
  struct Tree;
  explicit JsonObject(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
  std::string problem_;
};

}  // namespace chappe::client
