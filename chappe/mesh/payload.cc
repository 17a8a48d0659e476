#include "chappe/mesh/payload.h"

#include <algorithm>

namespace chappe::mesh {

std::optional<SealedView> parse_sealed(Bytes payload) {
  if (payload.size() < 2 + kMacSize) return std::nullopt;
  return SealedView{payload[0], payload[1], payload.subspan(2)};
}

std::optional<AnonymousView> parse_anonymous(Bytes payload) {
  if (payload.size() < 1 + 32 + kMacSize) return std::nullopt;
  return AnonymousView{payload[0], payload.subspan(1, 32), payload.subspan(33)};
}

std::optional<GroupView> parse_group(Bytes payload) {
  if (payload.size() < 1 + kMacSize) return std::nullopt;
  return GroupView{payload[0], payload.subspan(1)};
}

std::optional<TraceView> parse_trace(Bytes payload) {
  if (payload.size() < kTraceHeader) return std::nullopt;
  TraceView view;
  view.tag = le32(payload);
  view.auth_code = le32(payload.subspan(4));
  view.flags = payload[8];
  view.hash_size = std::size_t{1} << (view.flags & 3);
  view.hashes = payload.subspan(kTraceHeader);
  return view;
}

std::optional<MultipartView> parse_multipart(Bytes payload) {
  if (payload.size() < 3) return std::nullopt;
  return MultipartView{static_cast<std::uint8_t>(payload[0] >> 4),
                       static_cast<PayloadType>(payload[0] & 15),
                       payload.subspan(1)};
}

ByteBuffer<kPayloadMax> build_multipart(std::uint8_t remaining, PayloadType type, Bytes inner) {
  ByteBuffer<kPayloadMax> payload;
  payload.append(static_cast<std::uint8_t>(unsigned{remaining} << 4 | static_cast<unsigned>(type)));
  payload.append(inner);
  return payload;
}

std::optional<DiscoverRequest> parse_discover_request(Bytes payload) {
  if (payload.size() < 6 || (payload[0] & 0xf0) != 0x80) return std::nullopt;
  DiscoverRequest request;
  request.prefix_only = (payload[0] & 1) != 0;
  request.filter = payload[1];
  request.tag = le32(payload.subspan(2));
  if (payload.size() >= 10) request.since = le32(payload.subspan(6));
  return request;
}

std::optional<DiscoverResponse> parse_discover_response(Bytes payload) {
  if (payload.size() < 6 || (payload[0] & 0xf0) != 0x90) return std::nullopt;
  DiscoverResponse response;
  response.node_type = payload[0] & 15;
  response.snr_x4 = static_cast<std::int8_t>(payload[1]);
  response.tag = le32(payload.subspan(2));
  response.key = payload.subspan(6);
  return response;
}

std::int8_t snr_x4(Decibels snr) {
  return static_cast<std::int8_t>(std::clamp<int>(snr.quarters, -128, 127));
}

}  // namespace chappe::mesh
