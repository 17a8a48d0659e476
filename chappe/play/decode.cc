#include <ostream>

#include "chappe/base/hex.h"
#include "chappe/mesh/packet.h"
#include "chappe/play/commands.h"
#include "chappe/play/explain.h"

namespace chappe::play {

int decode(const DecodeOptions& options, std::ostream& out, std::ostream& talk) {
  Keyring keys;
  for (const std::string& key : options.keys) {
    if (!keys.add(key)) {
      talk << "not a key: " << key << " (channel: and 32 or 64, or secret: and 64 digits)\n";
      return kExitUsage;
    }
  }
  if (options.hex.empty()) {
    talk << "no packet: give one as hexadecimal digits\n";
    return kExitUsage;
  }
  int code = kExitOk;
  bool first = true;
  for (const std::string& digits : options.hex) {
    std::vector<std::uint8_t> frame(digits.size() / 2);
    if (!from_hex(digits, frame)) {
      talk << "not pairs of hexadecimal digits: " << digits << '\n';
      return kExitUsage;
    }
    const auto packet = mesh::parse(frame);
    if (!packet) {
      code = kExitFailed;
      const std::string reason(to_string(packet.error()));
      talk << "no packet: " << reason << ": " << digits << '\n';
      if (options.json) {
        out << Json::object().set("accepted", false).set("reason", reason).dump() << '\n';
      }
      continue;
    }
    const Json explained = explain(*packet, keys);
    if (options.json) {
      out << explained.dump() << '\n';
    } else {
      out << (first ? "" : "\n") << readable(explained);
    }
    first = false;
  }
  return code;
}

}  // namespace chappe::play
