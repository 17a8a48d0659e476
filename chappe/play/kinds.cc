#include "chappe/play/kinds.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "chappe/mesh/advert.h"
#include "chappe/mesh/bridge_frame.h"
#include "chappe/mesh/channel.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/envelope.h"
#include "chappe/mesh/identity.h"
#include "chappe/mesh/link_score.h"
#include "chappe/mesh/packet.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/mesh/region.h"
#include "chappe/play/explain.h"
#include "chappe/play/kiss_session.h"
#include "chappe/radio/airtime.h"

namespace chappe::play {
namespace {

Failure compare(const Json& expected, const Json& actual) {
  return first_difference(expected, actual);
}

template <class Key>
std::optional<Key> key_from(const Json& digits) {
  const auto bytes = digits.bytes();
  Key key;
  if (bytes.size() != key.size()) return std::nullopt;
  std::ranges::copy(bytes, key.begin());
  return key;
}

bool is_near(const Json& expected, double actual, double tolerance) {
  return expected.is_number() && std::abs(expected.number() - actual) <= tolerance;
}

Failure number_failure(const Json& expected, double actual) {
  return "expected " + expected.dump() + ", got " + Json(actual).dump();
}

Failure check_packet(const Json& vector) {
  const auto frame = vector["hex"].bytes();
  const auto packet = mesh::parse(frame);
  if (!packet) return "rejected: " + std::string(to_string(packet.error()));
  if (!std::ranges::equal(Bytes(mesh::write(*packet)), frame)) return "written back it differs";
  Keyring keys;
  const Json& params = vector["params"];
  if (params.has("channel_key")) keys.add("channel:" + params["channel_key"].text());
  if (params.has("shared_secret")) keys.add("secret:" + params["shared_secret"].text());
  return compare(vector["expect"], explain(*packet, keys));
}

Failure check_reject(const Json& vector) {
  const auto frame = vector["hex"].bytes();
  const auto packet = mesh::parse(frame);
  if (!packet) return std::nullopt;
  // A trace's path_len is a plain count, and the judge is who knows.
  if (packet->type == mesh::PayloadType::trace && packet->path_len_byte() >= mesh::kPathMax) {
    return std::nullopt;
  }
  // Without a payload a packet is routed when it comes by radio, and refused by all other doors.
  if (packet->payload.empty() && vector["expect"]["layer"].text() != "parse") return std::nullopt;
  return "accepted";
}

Failure check_packet_hash(const Json& vector) {
  const auto frame = vector["hex"].bytes();
  const auto packet = mesh::parse_any_version(frame);
  if (!packet) return "rejected: " + std::string(to_string(packet.error()));
  return compare(vector["expect"],
                 Json::object().set("packet_hash", hex(mesh::packet_hash(*packet).bytes())));
}

Failure check_keypair(const Json& vector) {
  Json actual = Json::object();
  if (vector["params"]["form"].text() == "seed32") {
    const auto seed = key_from<mesh::Seed>(vector["hex"]);
    if (!seed) return "no seed";
    const mesh::Identity identity = mesh::identity_of(*seed);
    actual.set("prv", hex(identity.prv)).set("pub", hex(identity.pub));
    actual.set("valid", mesh::import_identity(identity.prv).has_value());
  } else {
    const auto prv = key_from<mesh::PrivateKey>(vector["hex"]);
    if (!prv) return compare(vector["expect"], actual.set("valid", false));
    if (const auto pub = mesh::crypto::public_key(*prv)) actual.set("pub", hex(*pub));
    actual.set("valid", mesh::import_identity(*prv).has_value());
  }
  return compare(vector["expect"], actual);
}

Failure check_sign(const Json& vector) {
  const auto prv = key_from<mesh::PrivateKey>(vector["params"]["prv"]);
  if (!prv) return "no private key";
  const auto pub = mesh::crypto::public_key(*prv);
  if (!pub) return "the private key has no public one";
  const auto message = vector["hex"].bytes();
  const mesh::Signature signature = mesh::crypto::sign(*prv, *pub, message);
  if (!mesh::crypto::verify(*pub, signature, message)) return "our signature does not verify";
  return compare(vector["expect"], Json::object().set("signature", hex(signature)));
}

Failure check_verify(const Json& vector) {
  const auto pub = key_from<mesh::PublicKey>(vector["params"]["pub"]);
  const auto signature = key_from<mesh::Signature>(vector["params"]["signature"]);
  const bool valid =
      pub && signature && mesh::crypto::verify(*pub, *signature, vector["hex"].bytes());
  return compare(vector["expect"], Json::object().set("valid", valid));
}

Failure check_ecdh(const Json& vector) {
  const auto peer = key_from<mesh::PublicKey>(vector["hex"]);
  const auto prv = key_from<mesh::PrivateKey>(vector["params"]["prv"]);
  if (!peer || !prv) return "no keys";
  const auto secret = mesh::crypto::shared_secret(*prv, *peer);
  if (!secret) return "no secret";
  if (const auto other = key_from<mesh::PrivateKey>(vector["params"]["other_prv"])) {
    const auto own = mesh::crypto::public_key(*prv);
    if (!own || mesh::crypto::shared_secret(*other, *own) != secret) return "not symmetric";
  }
  return compare(vector["expect"], Json::object().set("secret", hex(*secret)));
}

Failure check_cipher(const Json& vector) {
  const auto secret = key_from<mesh::SharedSecret>(vector["params"]["secret"]);
  if (!secret) return "no secret";
  const auto input = vector["hex"].bytes();
  Json actual = Json::object();
  if (vector["params"]["direction"].text() == "encrypt") {
    if (input.size() > mesh::kPlainMax) return "longer than any packet";
    actual.set("mac_and_ciphertext", hex(mesh::seal(*secret, input)));
  } else {
    const auto plain = mesh::open(*secret, input);
    actual.set("ok", plain.has_value());
    actual.set("plain", plain ? Json(hex(*plain)) : Json());
  }
  return compare(vector["expect"], actual);
}

Failure check_channel(const Json& vector) {
  const auto channel = mesh::channel_of(vector["hex"].bytes());
  if (!channel) return "neither 16 nor 32 bytes";
  if (vector["params"]["derived_from_name"].boolean() &&
      hex(mesh::channel_key(vector["params"]["name"].text())) != vector["hex"].text()) {
    return "the key derived from the name differs";
  }
  Json actual = Json::object();
  actual.set("channel_hash", hex(Bytes(&channel->hash, 1)));
  actual.set("hmac_key", hex(channel->secret));
  actual.set("aes_key", hex(Bytes(channel->secret).first(16)));
  return compare(vector["expect"], actual);
}

Failure check_region_key(const Json& vector) {
  const auto name = vector["hex"].bytes();
  const mesh::RegionKey key = mesh::region_key(std::string(name.begin(), name.end()));
  return compare(vector["expect"], Json::object().set("key", hex(key)));
}

Failure check_transport_code(const Json& vector) {
  const auto frame = vector["hex"].bytes();
  const auto packet = mesh::parse(frame);
  const auto key = key_from<mesh::RegionKey>(vector["params"]["key"]);
  if (!packet || !key) return "no packet or no key";
  const std::uint16_t code = mesh::transport_code(*key, packet->type, packet->payload);
  ByteBuffer<2> bytes;
  bytes.append_le16(code);
  return compare(vector["expect"], Json::object().set("code", code).set("code_le_hex", hex(bytes)));
}

Failure check_appdata(const Json& vector) {
  const Json& params = vector["params"];
  auto appdata = vector["hex"].bytes();
  Json actual = Json::object();
  if (params["direction"].text() == "build") {
    mesh::Appdata fields;
    fields.type = static_cast<mesh::NodeType>(params["type"].integer());
    if (params["lat"].is_number() && params["lon"].is_number()) {
      fields.position =
          mesh::Position{mesh::to_e6(params["lat"].number()), mesh::to_e6(params["lon"].number())};
    }
    fields.feature1 = static_cast<std::uint16_t>(params["feat1"].integer());
    fields.feature2 = static_cast<std::uint16_t>(params["feat2"].integer());
    const std::string& name = params["name"].text();
    fields.name = name;
    const auto built = mesh::build_appdata(fields);
    appdata.assign(built.view().begin(), built.view().end());
    actual.set("appdata", hex(built));
  }
  auto parsed = explain_appdata(appdata);
  actual.set("valid", parsed.has_value());
  if (parsed) actual.set("parsed", *std::move(parsed));
  return compare(vector["expect"], actual);
}

Failure check_ack_checksum(const Json& vector) {
  const Json& params = vector["params"];
  const auto pub = key_from<mesh::PublicKey>(params["sender_pub"]);
  if (!pub) return "no public key";
  ByteBuffer<1024> plain;
  plain.append_le32(static_cast<std::uint32_t>(params["timestamp"].integer()));
  plain.append(static_cast<std::uint8_t>(params["flags"].integer()));
  const auto text = vector["hex"].bytes();
  if (text.size() > plain.room()) return "longer than any packet";
  plain.append(text);
  return compare(vector["expect"], Json::object().set("ack", hex(mesh::ack_checksum(plain, *pub))));
}

Failure check_bridge_frame(const Json& vector) {
  const auto frame = vector["hex"].bytes();
  const Json& params = vector["params"];
  Json actual = Json::object();
  std::vector<std::uint8_t> packet;
  bool valid = false;
  bool same = true;  // written again
  if (params["transport"].text() == "rs232") {
    if (const auto parsed = mesh::parse_wire_frame(frame)) {
      valid = true;
      packet.assign(parsed->begin(), parsed->end());
      same = std::ranges::equal(Bytes(mesh::write_wire_frame(packet)), frame);
    }
  } else if (params["transport"].text() == "espnow") {
    const std::string& secret = params["secret"].text();
    if (const auto parsed = mesh::parse_espnow_frame(frame, secret)) {
      valid = true;
      packet.assign(parsed->view().begin(), parsed->view().end());
      same = std::ranges::equal(Bytes(mesh::write_espnow_frame(packet, secret)), frame);
    }
  } else {
    return "unknown transport";
  }
  if (!same) return "written back it differs";
  actual.set("valid", valid).set("packet", valid ? Json(hex(packet)) : Json());
  return compare(vector["expect"], actual);
}

Failure check_checksum(const Json& vector) {
  return compare(vector["expect"],
                 Json::object().set("fletcher16", mesh::fletcher16(vector["hex"].bytes())));
}

Failure check_lpp(const Json& vector) {
  const Json actual = explain_lpp(vector["hex"].bytes());
  const auto& expected = vector["expect"]["items"].items();
  if (expected.size() != actual.items().size()) {
    return "expected " + std::to_string(expected.size()) + " items, got " + actual.dump();
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Json& got = actual[i];
    const bool same =
        expected[i]["channel"] == got["channel"] && expected[i]["type"] == got["type"] &&
        (expected[i]["value"] == got["value"] ||
         (got["value"].is_number() && is_near(expected[i]["value"], got["value"].number(), 1e-6)));
    if (!same) return "expected " + expected[i].dump() + ", got " + got.dump();
  }
  return std::nullopt;
}

Failure check_airtime(const Json& vector) {
  const Json& params = vector["params"];
  const auto modulation = modulation_from(params, "preamble");
  if (!modulation) return "no LoRa modulation";
  const Duration reference =
      reference_airtime(*modulation, static_cast<std::size_t>(params["len"].integer()));
  return compare(vector["expect"],
                 Json::object().set("us", in_us(reference)).set("ms", in_ms(reference)));
}

Failure check_score(const Json& vector) {
  const Json& params = vector["params"];
  const float score = mesh::link_score(static_cast<std::uint8_t>(params["sf"].integer()),
                                       static_cast<float>(params["snr_db"].number()),
                                       static_cast<std::size_t>(params["len"].integer()));
  const Json& expected = vector["expect"]["score"];
  return is_near(expected, static_cast<double>(score), 1e-5)
             ? std::nullopt
             : number_failure(expected, static_cast<double>(score));
}

Failure check_rx_delay(const Json& vector) {
  const Json& params = vector["params"];
  const std::int64_t raw_ms =
      mesh::raw_receive_delay_ms(static_cast<float>(params["base"].number()),
                                 static_cast<float>(params["score"].number()),
                                 static_cast<std::uint32_t>(params["airtime_ms"].integer()));
  const Json& expected = vector["expect"];
  if (!is_near(expected["delay_ms_raw"], static_cast<double>(raw_ms), 1)) {
    return number_failure(expected["delay_ms_raw"], static_cast<double>(raw_ms));
  }
  const std::int64_t applied_ms = in_ms(mesh::applied_receive_delay(raw_ms));
  // Rounding of the power may differ by one, and around the floor that is all or nothing.
  const bool near_floor = raw_ms >= 49 && raw_ms <= 50;
  if (!is_near(expected["applied_ms"], static_cast<double>(applied_ms), 1) && !near_floor) {
    return number_failure(expected["applied_ms"], static_cast<double>(applied_ms));
  }
  return std::nullopt;
}

struct Kind {
  std::string_view name;
  CheckVector check;
};

constexpr std::array kKinds = std::to_array<Kind>({
    {"ack_checksum", check_ack_checksum},
    {"airtime", check_airtime},
    {"appdata", check_appdata},
    {"bridge_frame", check_bridge_frame},
    {"channel", check_channel},
    {"checksum", check_checksum},
    {"cipher", check_cipher},
    {"ecdh", check_ecdh},
    {"keypair", check_keypair},
    {"kiss_session", check_kiss_session},
    {"lpp", check_lpp},
    {"packet", check_packet},
    {"packet_hash", check_packet_hash},
    {"region_key", check_region_key},
    {"reject", check_reject},
    {"rx_delay", check_rx_delay},
    {"score", check_score},
    {"sign", check_sign},
    {"transport_code", check_transport_code},
    {"verify", check_verify},
});

}  // namespace

std::optional<radio::Modulation> modulation_from(const Json& params, const char* preamble) {
  radio::Modulation modulation;
  const auto bandwidth = radio::Bandwidth::from_nominal(
      Hertz{static_cast<std::uint32_t>(std::lround(params["bw_khz"].number() * 1000))});
  const std::int64_t spreading = params["sf"].integer();
  if (!bandwidth || spreading < radio::kSpreadingMin || spreading > radio::kSpreadingMax) {
    return std::nullopt;
  }
  modulation.bandwidth = *bandwidth;
  modulation.spreading = static_cast<std::uint8_t>(spreading);
  modulation.coding = static_cast<std::uint8_t>(params["cr"].integer());
  modulation.preamble = static_cast<std::uint16_t>(params[preamble].integer());
  return modulation;
}

CheckVector check_for(std::string_view kind) {
  const auto known = std::ranges::find(kKinds, kind, &Kind::name);
  return known == kKinds.end() ? nullptr : known->check;
}

Failure check_exact_airtime(const Json& vector) {
  Json params = Json::object();
  params.set("sf", vector["sf"]).set("cr", vector["cr_denom"]);
  params.set("bw_khz", vector["bw_hz"].number() / 1000);
  params.set("preamble", vector["preamble_symbols"]);
  auto modulation = modulation_from(params, "preamble");
  if (!modulation) return "no LoRa modulation";
  if (in_us(modulation->bandwidth.chip()) * 1000 != vector["chip_ns"].integer()) {
    return "another bandwidth was taken";
  }
  if (!vector["explicit_header"].boolean()) modulation->header = radio::Header::implicit;
  if (!vector["crc"].boolean()) modulation->crc = radio::PayloadCrc::off;
  const bool automatic = modulation->optimised();
  if (vector["ldro_is_auto"].boolean() != (automatic == vector["ldro"].boolean())) {
    return "the automatic rule for LDRO differs";
  }
  modulation->ldro = vector["ldro"].boolean() ? radio::Ldro::on : radio::Ldro::off;
  const auto bytes = static_cast<std::size_t>(vector["payload_bytes"].integer());
  const Duration exact = time_on_air(*modulation, bytes);
  return compare(vector["toa_us"], in_us(exact));
}

Failure check_oracle_airtime(const Json& line, std::size_t at) {
  const auto modulation = modulation_from(line, "preamble");
  if (!modulation) return "no LoRa modulation";
  const Duration reference =
      reference_airtime(*modulation, static_cast<std::size_t>(line["len"][at].integer()));
  return compare(line["us"][at], in_us(reference));
}

}  // namespace chappe::play
