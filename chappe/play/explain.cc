#include "chappe/play/explain.h"

#include <algorithm>

#include "chappe/base/hex.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/channel.h"
#include "chappe/mesh/envelope.h"
#include "chappe/mesh/lpp.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/mesh/payload.h"

namespace chappe::play {
namespace {

using mesh::Packet;
using mesh::PayloadType;

Json hashes(Bytes bytes, std::size_t size) {
  Json list = Json::array();
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    list.push(hex(bytes.subspan(at, size)));
  }
  return list;
}

Json one_byte(std::uint8_t byte) {
  return hex(Bytes(&byte, 1));
}

std::string as_text(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

Bytes until_zero(Bytes bytes) {
  const auto end = std::ranges::find(bytes, std::uint8_t{0});
  return bytes.first(static_cast<std::size_t>(end - bytes.begin()));
}

void set_sealed(Json& fields, Bytes mac_and_ciphertext) {
  fields.set("mac", hex(mac_and_ciphertext.first(mesh::kMacSize)));
  fields.set("ciphertext", hex(mac_and_ciphertext.subspan(mesh::kMacSize)));
}

Json advert_fields(Bytes payload) {
  Json fields = Json::object();
  const auto advert = mesh::parse_advert(payload);
  if (!advert) return fields;
  fields.set("pub_key", hex(advert->key));
  fields.set("timestamp", std::int64_t{advert->timestamp});
  fields.set("signature", hex(advert->signature));
  fields.set("appdata_hex", hex(payload.subspan(mesh::kAdvertHeader)));
  fields.set("signature_valid", advert->is_genuine());
  if (auto appdata = explain_appdata(advert->appdata)) fields.set("appdata", *std::move(appdata));
  return fields;
}

Json trace_fields(Bytes payload) {
  Json fields = Json::object();
  const auto trace = mesh::parse_trace(payload);
  if (!trace) return fields;
  fields.set("tag", std::int64_t{trace->tag});
  fields.set("auth_code", std::int64_t{trace->auth_code});
  fields.set("trace_flags", trace->flags);
  fields.set("hash_size", static_cast<std::int64_t>(trace->hash_size));
  fields.set("hashes", hashes(trace->hashes, trace->hash_size));
  return fields;
}

Json control_fields(Bytes payload) {
  Json fields = Json::object();
  if (payload.empty()) return fields;
  fields.set("sub_type", payload[0] & 0xf0);
  fields.set("sub_flags", payload[0] & 0x0f);
  if (const auto request = mesh::parse_discover_request(payload)) {
    fields.set("control", "DISCOVER_REQ");
    fields.set("prefix_only", request->prefix_only);
    fields.set("filter", request->filter);
    fields.set("tag", std::int64_t{request->tag});
    fields.set("since", std::int64_t{request->since});
  } else if (const auto response = mesh::parse_discover_response(payload)) {
    fields.set("control", "DISCOVER_RESP");
    fields.set("node_type", response->node_type);
    fields.set("snr_x4", response->snr_x4);
    fields.set("tag", std::int64_t{response->tag});
    fields.set("pub_key", hex(response->key));
  }
  return fields;
}

Json typed_fields(const Packet& packet) {
  Json fields = Json::object();
  switch (packet.type) {
    case PayloadType::request:
    case PayloadType::response:
    case PayloadType::text:
    case PayloadType::path_return:
      if (const auto sealed = mesh::parse_sealed(packet.payload)) {
        fields.set("dest_hash", one_byte(sealed->target_hash));
        fields.set("src_hash", one_byte(sealed->source_hash));
        set_sealed(fields, sealed->mac_and_ciphertext);
      }
      return fields;
    case PayloadType::anonymous_request:
      if (const auto sealed = mesh::parse_anonymous(packet.payload)) {
        fields.set("dest_hash", one_byte(sealed->target_hash));
        fields.set("sender_pub", hex(sealed->sender));
        set_sealed(fields, sealed->mac_and_ciphertext);
      }
      return fields;
    case PayloadType::group_text:
    case PayloadType::group_data:
      if (const auto sealed = mesh::parse_group(packet.payload)) {
        fields.set("channel_hash", one_byte(sealed->channel_hash));
        set_sealed(fields, sealed->mac_and_ciphertext);
      }
      return fields;
    case PayloadType::ack:
      fields.set("ack_crc",
                 hex(packet.payload.first(std::min(packet.payload.size(), mesh::kAckSize))));
      return fields;
    case PayloadType::advert:
      return advert_fields(packet.payload);
    case PayloadType::trace:
      return trace_fields(packet.payload);
    case PayloadType::multipart:
      if (!packet.payload.empty()) {
        fields.set("remaining", packet.payload[0] >> 4);
        fields.set("inner_type", packet.payload[0] & 15);
        fields.set("inner_payload", hex(packet.payload.subspan(1)));
      }
      return fields;
    case PayloadType::control:
      return control_fields(packet.payload);
    case PayloadType::raw_custom:
      return fields;
  }
  return fields;
}

std::optional<mesh::Plain> opened(const Packet& packet, const Keyring& keys) {
  switch (packet.type) {
    case PayloadType::group_text:
    case PayloadType::group_data: {
      const auto sealed = mesh::parse_group(packet.payload);
      if (!sealed) return std::nullopt;
      for (const auto& key : keys.channels) {
        const auto channel = mesh::channel_of(key);
        if (!channel || channel->hash != sealed->channel_hash) continue;
        if (auto plain = mesh::open(channel->secret, sealed->mac_and_ciphertext)) return plain;
      }
      return std::nullopt;
    }
    case PayloadType::request:
    case PayloadType::response:
    case PayloadType::text:
    case PayloadType::path_return:
    case PayloadType::anonymous_request: {
      const std::size_t head = packet.type == PayloadType::anonymous_request ? 33 : 2;
      if (packet.payload.size() < head) return std::nullopt;
      for (const auto& secret : keys.secrets) {
        if (auto plain = mesh::open(secret, packet.payload.subspan(head))) return plain;
      }
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Json text_fields(Bytes plain) {
  Json fields = Json::object();
  if (plain.size() < 5) return fields;
  const unsigned kind = plain[4] >> 2;
  fields.set("timestamp", std::int64_t{le32(plain)});
  fields.set("txt_type", kind);
  fields.set("attempt", plain[4] & 3);
  Bytes rest = plain.subspan(5);
  if (kind == 2 && rest.size() >= 4) {
    fields.set("sender_prefix", hex(rest.first(4)));
    rest = rest.subspan(4);
  }
  const Bytes text = until_zero(rest);
  fields.set("text_hex", hex(text));
  fields.set("text", as_text(text));
  return fields;
}

Json path_return_fields(Bytes plain) {
  Json fields = Json::object();
  if (plain.empty()) return fields;
  const std::size_t size = (plain[0] >> 6) + 1U;
  const std::size_t path = size * (plain[0] & 63U);
  fields.set("path_len_byte", plain[0]);
  if (size > 3 || path > mesh::kPathMax || plain.size() < 1 + path + 1) return fields;
  fields.set("path", hashes(plain.subspan(1, path), size));
  const std::uint8_t extra = plain[1 + path];
  fields.set("extra_type", extra & 15);
  fields.set("extra_type_byte", extra);
  fields.set("extra", hex(plain.subspan(1 + path + 1)));
  return fields;
}

Json group_data_fields(Bytes plain) {
  Json fields = Json::object();
  if (plain.size() < 3) return fields;
  const Bytes rest = plain.subspan(3);
  fields.set("data_type", le16(plain));
  fields.set("data_len", plain[2]);
  fields.set("data", hex(rest.first(std::min<std::size_t>(rest.size(), plain[2]))));
  return fields;
}

Json plain_fields(PayloadType type, Bytes plain) {
  switch (type) {
    case PayloadType::text:
    case PayloadType::group_text:
      return text_fields(plain);
    case PayloadType::path_return:
      return path_return_fields(plain);
    case PayloadType::group_data:
      return group_data_fields(plain);
    default: {
      Json fields = Json::object();
      if (plain.size() >= 4) {
        fields.set("timestamp", std::int64_t{le32(plain)});
        fields.set("data", hex(plain.subspan(4)));
      }
      return fields;
    }
  }
}

void add_lines(std::string& out, const Json& value, std::size_t indent) {
  for (const auto& [name, member] : value.members()) {
    out.append(indent, ' ');
    out += name;
    if (member.is_object()) {
      out += '\n';
      add_lines(out, member, indent + 2);
      continue;
    }
    out.append(name.size() < 18 ? 18 - name.size() : 1, ' ');
    if (member.is_string()) {
      // What came over the air must not drive somebody's terminal.
      for (const char letter : member.text()) {
        out += static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f ? '?' : letter;
      }
    } else if (member.is_array()) {
      const char* separator = "";
      for (const Json& item : member.items()) {
        out += separator;
        out += item.is_string() ? item.text() : item.dump();
        separator = " ";
      }
      if (member.items().empty()) out += "-";
    } else {
      out += member.dump();
    }
    out += '\n';
  }
}

}  // namespace

bool Keyring::add(std::string_view key) {
  const std::size_t colon = key.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view kind = key.substr(0, colon);
  const std::string_view digits = key.substr(colon + 1);
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  if (!from_hex(digits, bytes)) return false;
  if (kind == "channel" && mesh::channel_of(bytes)) {
    channels.push_back(std::move(bytes));
    return true;
  }
  if (kind == "secret" && bytes.size() == mesh::SharedSecret{}.size()) {
    std::ranges::copy(bytes, secrets.emplace_back().begin());
    return true;
  }
  return false;
}

Json explain(const Packet& packet, const Keyring& keys) {
  Json out = Json::object();
  out.set("route_type", static_cast<int>(packet.route));
  out.set("route", to_string(packet.route));
  out.set("payload_type", static_cast<int>(packet.type));
  out.set("type", to_string(packet.type));
  out.set("version", packet.version);
  if (packet.has_codes()) {
    Json codes = Json::array();
    codes.push(packet.codes.scope).push(packet.codes.reserved);
    out.set("transport_codes", codes);
  }
  out.set("path_len_byte", packet.path_len_byte());
  if (packet.type == PayloadType::trace) {
    Json snr = Json::array();
    for (const std::uint8_t byte : packet.path) snr.push(static_cast<std::int8_t>(byte));
    out.set("path_snr_x4", snr);
  } else {
    out.set("path_hash_size", packet.hash_size);
    out.set("hop_count", packet.hop_count);
    out.set("path", hashes(packet.path, packet.hash_size));
  }
  out.set("payload", hex(packet.payload));
  out.set("packet_hash", hex(mesh::packet_hash(packet).bytes()));
  out.set("fields", typed_fields(packet));
  if (const auto plain = opened(packet, keys)) {
    out.set("plain", hex(*plain));
    out.set("plain_fields", plain_fields(packet.type, *plain));
  }
  return out;
}

std::optional<Json> explain_appdata(Bytes appdata) {
  const auto fields = mesh::parse_appdata(appdata);
  if (!fields) return std::nullopt;
  Json out = Json::object();
  out.set("type", static_cast<int>(fields->type));
  out.set("flags", fields->flags);
  if (fields->position) {
    out.set("lat_e6", fields->position->latitude_e6);
    out.set("lon_e6", fields->position->longitude_e6);
  }
  if (fields->feature1) out.set("feat1", *fields->feature1);
  if (fields->feature2) out.set("feat2", *fields->feature2);
  if (fields->name) {
    const std::string_view name = *fields->name;
    out.set("name_hex", hex({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()}));
    out.set("name", name);
  }
  return out;
}

Json explain_lpp(Bytes bytes) {
  Json items = Json::array();
  while (const auto item = mesh::take_lpp(bytes)) {
    Json one = Json::object();
    one.set("channel", item->channel).set("type", item->type);
    if (item->count == 1) {
      one.set("value", item->value(0));
    } else {
      Json values = Json::array();
      for (std::size_t i = 0; i < item->count; ++i) values.push(item->value(i));
      one.set("value", values);
    }
    items.push(one);
  }
  return items;
}

std::string readable(const Json& explained) {
  std::string out;
  add_lines(out, explained, 0);
  return out;
}

}  // namespace chappe::play
