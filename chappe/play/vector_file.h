#pragma once

#include <functional>
#include <optional>
#include <string>

#include "chappe/play/json_value.h"

namespace chappe::play {

/// One thing to check in a vector file, whatever the file's schema.
struct VectorItem {
  enum class Schema : std::uint8_t { packet_vector, exact_airtime, oracle_airtime, scenario };

  Schema schema = Schema::packet_vector;
  std::string kind;  // as in `--kind`
  std::string name;  // unique within the file
  Json value;
  std::size_t at = 0;  // of oracle_airtime: which length
};

/// Reads a vector file, its schema told by its shape: an object with `vectors`, of packets or of
/// airtimes, or the oracle's one object a line. Calls `each` in the file's order.
/// Returns why the file is no good; nothing if it was read to its end.
std::optional<std::string> read_vectors(const std::string& path,
                                        const std::function<void(const VectorItem&)>& each);

}  // namespace chappe::play
