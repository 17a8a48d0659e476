#include "chappe/mesh/judge.h"

#include <algorithm>

#include "chappe/base/check.h"
#include "chappe/mesh/delays.h"
#include "chappe/mesh/link_score.h"
#include "chappe/mesh/loop.h"
#include "chappe/mesh/payload.h"

namespace chappe::mesh {
namespace {

bool starts_with_own(Bytes hashes, const PublicKey& own, std::size_t size) {
  return std::equal(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(size), hashes.begin());
}

/// One packet on its way through protocol sections 7 and 8.
class Judging {
 public:
  Judging(const Packet& packet,
          PacketHash hash,
          const Heard& heard,
          const Context& context,
          Judgement& result)
      : packet_(packet), heard_(heard), context_(context), rules_(context.rules), result_(result) {
    result_.hash = hash;
    result_.key = hash;
  }

  void run() {
    result_.region = context_.regions.match(packet_);
    if (packet_.is_direct()) {
      if (packet_.type == PayloadType::trace) return trace();
      if (packet_.type == PayloadType::control && !packet_.payload.empty() &&
          (packet_.payload[0] & 0x80) != 0) {
        return zero_hop_control();
      }
      if (packet_.hop_count > 0) return direct();
    }
    return by_type();
  }

 private:
  void drop(Why why) {
    result_.verdict = Verdict::drop;
    result_.why = why;
  }
  void deliver(Why why) {
    result_.verdict = Verdict::deliver;
    result_.why = why;
  }
  void forward(Why why) {
    result_.verdict = Verdict::forward;
    result_.why = why;
  }

  // Looking up and recording are one step: whatever happens to the packet later, it is known now.
  bool is_new() { return context_.seen.insert(result_.key); }

  // 8.5. The path of a trace collects signal strengths, the payload lists whom to visit.
  void trace() {
    const std::uint8_t collected = packet_.path_len_byte();
    if (collected >= kPathMax) return drop(Why::trace_path_full);
    const auto trace = parse_trace(packet_.payload);
    if (!trace) return drop(Why::incomplete);
    const std::size_t at = std::size_t{collected} * trace->hash_size;
    if (at >= trace->hashes.size()) return deliver(Why::trace_end_of_path);
    const Bytes next = trace->hashes.subspan(at);
    if (next.size() < trace->hash_size || !starts_with_own(next, rules_.own, trace->hash_size)) {
      return drop(Why::not_next_hop);
    }
    if (rules_.forwarding == Forwarding::off) return drop(Why::forwarding_disabled);
    // The firmware appends a 64th value, which flows over into the bits of the hash size.
    if (collected >= kHopsMax) return drop(Why::trace_path_full);
    if (!is_new()) return drop(Why::duplicate);

    std::array<std::uint8_t, kPathMax> path;
    std::ranges::copy(packet_.path, path.begin());
    path[collected] = static_cast<std::uint8_t>(snr_x4(heard_.snr));
    Packet next_packet = packet_;
    next_packet.path = Bytes(path).first(collected + 1U);
    next_packet.hop_count = static_cast<std::uint8_t>(collected + 1);
    Outgoing& out = result_.add_outgoing();
    out.frame = write(next_packet);
    out.priority = kPriorityTrace;
    out.delay =
        direct_delay(rules_, context_.random, next_packet.path.size(), next_packet.payload.size());
    return forward(Why::trace_hop);
  }

  void zero_hop_control() {
    if (packet_.hop_count > 0) return drop(Why::control_not_zero_hop);
    context_.local.hear_control(packet_, heard_);
    return deliver(Why::control_zero_hop);
  }

  // 8.2: somebody on the path, perhaps us.
  void direct() {
    if (!starts_with_own(packet_.path, rules_.own, packet_.hash_size)) {
      return drop(Why::not_next_hop);
    }
    if (rules_.forwarding == Forwarding::off) return drop(Why::forwarding_disabled);
    Packet next_packet = packet_;
    next_packet.path = packet_.path.subspan(packet_.hash_size);
    --next_packet.hop_count;

    if (packet_.type == PayloadType::multipart) {
      const auto part = parse_multipart(packet_.payload);
      if (!part || part->type != PayloadType::ack || part->inner.size() < kAckSize) {
        return drop(Why::multipart_not_an_ack);
      }
      result_.key = seen_key(packet_);
      if (!is_new()) return drop(Why::duplicate);
      next_packet.payload = part->inner;
      return acknowledge(next_packet, (part->remaining + 1) * kMultiAckSpacing);
    }
    if (!is_new()) return drop(Why::duplicate);
    if (packet_.type == PayloadType::ack) return acknowledge(next_packet, Duration::zero());

    Outgoing& out = result_.add_outgoing();
    out.frame = write(next_packet);
    out.priority = kPriorityDirect;
    out.delay =
        direct_delay(rules_, context_.random, next_packet.path.size(), next_packet.payload.size());
    return forward(Why::direct_next_hop);
  }

  // 8.4. An acknowledgement is made anew, and several times if so set: `ack` has its payload and
  // what remains of the path. Transport codes are lost, as in the reference.
  void acknowledge(Packet ack, Duration delay) {
    ack.route = Route::direct;
    const Bytes inner = ack.payload;
    const std::uint8_t copies = std::min(rules_.multi_acks, kMultiAcksMax);
    for (std::uint8_t left = copies; left >= 1; --left) {
      if (inner.size() + 1 > kPayloadMax) break;  // one byte more would not be a packet
      delay +=
          kMultiAckSpacing + direct_delay(rules_, context_.random, ack.path.size(), inner.size());
      const auto payload = build_multipart(left, PayloadType::ack, inner);
      Packet part = ack;
      part.type = PayloadType::multipart;
      part.payload = payload;
      Outgoing& out = result_.add_outgoing();
      out.frame = write(part);
      out.priority = kPriorityDirect;
      out.delay = delay;
    }
    ack.type = PayloadType::ack;
    Outgoing& out = result_.add_outgoing();
    out.frame = write(ack);
    out.priority = kPriorityDirect;
    out.delay = delay;
    return forward(Why::direct_ack);
  }

  // Section 7, step 5: a flood, or a direct packet that has arrived.
  void by_type() {
    const std::size_t size = packet_.payload.size();
    switch (packet_.type) {
      case PayloadType::ack:
        if (size < kAckSize) return drop(Why::incomplete);
        if (!is_new()) return drop(Why::duplicate);
        return flood();

      case PayloadType::path_return:
      case PayloadType::request:
      case PayloadType::response:
      case PayloadType::text:
        if (size < kSealedMin) return drop(Why::incomplete);
        if (!is_new()) return drop(Why::duplicate);
        return here_or_flood();

      case PayloadType::anonymous_request:
        if (size < kAnonymousMin) return drop(Why::incomplete);
        if (!is_new()) return drop(Why::duplicate);
        return here_or_flood();

      case PayloadType::group_text:
      case PayloadType::group_data:
        if (size < kGroupMin) return drop(Why::incomplete);
        if (!is_new()) return drop(Why::duplicate);
        return flood();

      case PayloadType::advert:
        return advert();

      case PayloadType::raw_custom:
        if (packet_.is_flood()) return drop(Why::raw_flood_not_forwarded);
        if (!is_new()) return drop(Why::duplicate);
        return deliver(Why::zero_hop);

      case PayloadType::multipart:
        return arrived_multipart();

      default:
        return drop(Why::unhandled_type);
    }
  }

  void advert() {
    const auto advert = parse_advert(packet_.payload);
    if (!advert) return drop(Why::incomplete);
    if (advert->key == rules_.own) return drop(Why::own_advert);
    // The dear check of the signature comes after the cheap one.
    if (!is_new()) return drop(Why::duplicate);
    if (!advert->is_genuine()) return drop(Why::bad_signature);
    context_.local.hear_advert(packet_, *advert, heard_);
    return flood();
  }

  void here_or_flood() {
    if (packet_.payload[0] == rules_.own[0]) {
      const auto handled = context_.local.try_handle(packet_, heard_, result_.region);
      if (handled) return deliver(*handled);
    }
    return flood();
  }

  void arrived_multipart() {
    const auto part = parse_multipart(packet_.payload);
    if (!part || part->type != PayloadType::ack || part->inner.size() < kAckSize) {
      return drop(Why::multipart_ignored);
    }
    result_.key = seen_key(packet_);
    if (!is_new()) return drop(Why::duplicate);
    return deliver(packet_.is_flood() ? Why::multipart_flood_not_forwarded : Why::zero_hop);
  }

  // 8.1: append ourselves and pass it on, unless a limit says no.
  void flood() {
    if (packet_.is_direct()) return deliver(Why::zero_hop);  // arrived, and goes no further
    // With 63 one-byte hops the firmware's counter flows over; we stop one hop earlier.
    if (packet_.hop_count >= kHopsMax || packet_.path.size() + packet_.hash_size > kPathMax) {
      return drop(Why::path_full);
    }
    if (rules_.forwarding == Forwarding::off) return drop(Why::forwarding_disabled);
    if (packet_.hop_count >= hops_allowed()) return drop(Why::hop_limit);
    if (result_.region == nullptr) return drop(Why::region_not_allowed);
    if (is_looped(packet_, rules_.own, rules_.loop_detection)) return drop(Why::loop_detected);

    Outgoing& out = result_.add_outgoing();
    out.frame = write_with_hop(packet_, Bytes(rules_.own).first(packet_.hash_size));
    out.priority = static_cast<std::uint8_t>(packet_.hop_count + 1);
    out.delay = flood_delay(
        rules_, context_.random, packet_.path.size() + packet_.hash_size, packet_.payload.size());
    return forward(Why::flood);
  }

  std::uint8_t hops_allowed() const {
    std::uint8_t allowed = rules_.flood_max;
    if (packet_.route == Route::flood) allowed = std::min(allowed, rules_.flood_max_unscoped);
    if (packet_.type == PayloadType::advert) allowed = std::min(allowed, rules_.flood_max_advert);
    return allowed;
  }

  const Packet& packet_;
  const Heard& heard_;
  const Context& context_;
  const Rules& rules_;
  Judgement& result_;  // in its caller's place: it is large, and never copied
};

}  // namespace

Duration receive_hold(const Rules& rules,
                      const Packet& packet,
                      Decibels snr,
                      std::size_t frame_length) {
  if (packet.is_direct() || !(rules.receive_delay_base > 0)) return Duration::zero();
  CHAPPE_CHECK(frame_length < rules.estimates_ms.size());
  const float score =
      link_score(rules.spreading, static_cast<float>(snr.quarters) / 4.0F, frame_length);
  return applied_receive_delay(
      raw_receive_delay_ms(rules.receive_delay_base, score, rules.estimates_ms[frame_length]));
}

Judgement judge(const Packet& packet, const Heard& heard, const Context& context) {
  return judge(packet, packet_hash(packet), heard, context);
}

Judgement judge(const Packet& packet, PacketHash hash, const Heard& heard, const Context& context) {
  Judgement result;
  Judging(packet, hash, heard, context, result).run();
  return result;
}

}  // namespace chappe::mesh
