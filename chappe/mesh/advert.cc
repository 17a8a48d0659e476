#include "chappe/mesh/advert.h"

#include <algorithm>

#include "chappe/mesh/utf8.h"

namespace chappe::mesh {
namespace {

constexpr std::uint8_t kHasPosition = 0x10;
constexpr std::uint8_t kHasFeature1 = 0x20;
constexpr std::uint8_t kHasFeature2 = 0x40;
constexpr std::uint8_t kHasName = 0x80;

ByteBuffer<36 + kAppdataMax> signed_part(const PublicKey& key,
                                         std::uint32_t timestamp,
                                         Bytes appdata) {
  ByteBuffer<36 + kAppdataMax> message;
  message.append(key);
  message.append_le32(timestamp);
  message.append(appdata.first(std::min(appdata.size(), kAppdataMax)));
  return message;
}

}  // namespace

std::int32_t to_e6(double degrees) {
  // Beyond the globe is nonsense, and beyond 32 bits undefined.
  return static_cast<std::int32_t>(std::clamp(degrees, -2000.0, 2000.0) * 1e6);
}

std::optional<Appdata> parse_appdata(Bytes appdata) {
  if (appdata.empty()) return std::nullopt;
  Appdata fields;
  fields.flags = appdata[0];
  fields.type = static_cast<NodeType>(fields.flags & 15);
  std::size_t needed = 1;
  if (fields.flags & kHasPosition) needed += 8;
  if (fields.flags & kHasFeature1) needed += 2;
  if (fields.flags & kHasFeature2) needed += 2;
  if (appdata.size() < needed) return std::nullopt;

  std::size_t at = 1;
  if (fields.flags & kHasPosition) {
    fields.position = Position{static_cast<std::int32_t>(le32(appdata.subspan(at))),
                               static_cast<std::int32_t>(le32(appdata.subspan(at + 4)))};
    at += 8;
  }
  if (fields.flags & kHasFeature1) {
    fields.feature1 = le16(appdata.subspan(at));
    at += 2;
  }
  if (fields.flags & kHasFeature2) {
    fields.feature2 = le16(appdata.subspan(at));
    at += 2;
  }
  if (fields.flags & kHasName) {
    const Bytes rest = appdata.subspan(at);
    const auto end = std::ranges::find(rest, std::uint8_t{0});
    fields.name = std::string_view(reinterpret_cast<const char*>(rest.data()),
                                   static_cast<std::size_t>(end - rest.begin()));
  }
  return fields;
}

ByteBuffer<kAppdataMax> build_appdata(const Appdata& fields) {
  ByteBuffer<kAppdataMax> out;
  out.append(static_cast<std::uint8_t>(static_cast<unsigned>(fields.type) & 15));
  if (fields.position) {
    out[0] |= kHasPosition;
    out.append_le32(static_cast<std::uint32_t>(fields.position->latitude_e6));
    out.append_le32(static_cast<std::uint32_t>(fields.position->longitude_e6));
  }
  if (fields.feature1.value_or(0) != 0) {
    out[0] |= kHasFeature1;
    out.append_le16(*fields.feature1);
  }
  if (fields.feature2.value_or(0) != 0) {
    out[0] |= kHasFeature2;
    out.append_le16(*fields.feature2);
  }
  const Bytes name = cut_to_characters(fields.name.value_or(""), out.room());
  if (!name.empty()) {
    out[0] |= kHasName;
    out.append(name);
  }
  return out;
}

bool Advert::is_genuine() const {
  return crypto::verify(key, signature, signed_part(key, timestamp, appdata));
}

std::optional<Advert> parse_advert(Bytes payload) {
  if (payload.size() < kAdvertHeader) return std::nullopt;
  Advert advert;
  std::copy_n(payload.begin(), advert.key.size(), advert.key.begin());
  advert.timestamp = le32(payload.subspan(32));
  std::copy_n(payload.begin() + 36, advert.signature.size(), advert.signature.begin());
  const Bytes rest = payload.subspan(kAdvertHeader);
  advert.appdata = rest.first(std::min(rest.size(), kAppdataMax));
  return advert;
}

ByteBuffer<kAdvertHeader + kAppdataMax> build_advert(const PrivateKey& key,
                                                     const PublicKey& own,
                                                     std::uint32_t timestamp,
                                                     Bytes appdata) {
  const auto message = signed_part(own, timestamp, appdata);
  ByteBuffer<kAdvertHeader + kAppdataMax> payload;
  payload.append(message.view().first(36));
  payload.append(crypto::sign(key, own, message));
  payload.append(message.view().subspan(36));
  return payload;
}

}  // namespace chappe::mesh
