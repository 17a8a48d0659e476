#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "chappe/base/check.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/bridge_frame.h"
#include "chappe/mesh/judge.h"
#include "chappe/mesh/lpp.h"
#include "chappe/mesh/packet.h"
#include "chappe/mesh/payload.h"

// Any bytes are either refused for a named reason or a packet that is written back unchanged; and
// whatever the judge makes of it, what it sends is a packet again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace chappe;
  using namespace chappe::mesh;
  const Bytes input(bytes, size);

  const auto packet = parse(input);
  if (packet) {
    CHAPPE_CHECK(std::ranges::equal(write(*packet).view(), input));

    Rules rules;
    // Taken from the input, so that a mutation finds "this is for us" in a few tries.
    std::copy_n(input.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(size, 3)),
                std::min<std::size_t>(size, 3),
                rules.own.begin());
    rules.loop_detection = LoopDetection::minimal;
    rules.multi_acks = kMultiAcksMax;
    rules.receive_delay_base = 10;
    rules.estimates_ms.fill(400);
    RegionTable regions;
    SeenTable seen(4);
    SeededRandom random(size);
    class : public LocalDelivery {
    } local;
    const Heard heard{Decibels{-11}, Dbm{-480}, size, Time{}};
    const Duration hold = receive_hold(rules, *packet, heard.snr, std::min<std::size_t>(size, 255));
    CHAPPE_CHECK(hold >= Duration::zero());
    for (int copy = 0; copy < 2; ++copy) {
      const Judgement judged = judge(*packet, heard, {rules, regions, seen, random, local});
      CHAPPE_CHECK((judged.verdict == Verdict::forward) != judged.outgoing().empty());
      CHAPPE_CHECK(!to_string(judged.why).empty());
      CHAPPE_CHECK(copy == 0 || judged.verdict != Verdict::forward);
      for (const Outgoing& out : judged.outgoing()) {
        CHAPPE_CHECK(parse(out.frame).has_value());
        CHAPPE_CHECK(out.delay >= Duration::zero());
      }
    }
    static_cast<void>(parse_discover_request(packet->payload));
    static_cast<void>(parse_discover_response(packet->payload));
  } else {
    CHAPPE_CHECK(!to_string(packet.error()).empty());
  }

  if (const auto appdata = parse_appdata(input)) {
    CHAPPE_CHECK(!appdata->name || appdata->name->size() < size);
  }
  if (const auto wired = parse_wire_frame(input)) {
    const WireFrame again = write_wire_frame(*wired);
    CHAPPE_CHECK(std::ranges::equal(again.view(), input.first(again.size())));
  }
  Bytes rest = input;
  while (take_lpp(rest)) CHAPPE_CHECK(rest.size() < size);
  return 0;
}
