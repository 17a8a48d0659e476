#include "chappe/mesh/channel.h"

#include <algorithm>

namespace chappe::mesh {

std::optional<Channel> channel_of(Bytes key) {
  if (key.size() != 16 && key.size() != 32) return std::nullopt;
  Channel channel;
  channel.hash = crypto::sha256(key)[0];
  std::ranges::copy(key, channel.secret.begin());
  return channel;
}

std::array<std::uint8_t, 16> channel_key(std::string_view name) {
  const Bytes words(reinterpret_cast<const std::uint8_t*>(name.data()), name.size());
  const Digest digest = crypto::sha256(words);
  std::array<std::uint8_t, 16> key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

}  // namespace chappe::mesh
