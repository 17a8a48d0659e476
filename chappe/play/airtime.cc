#include "chappe/radio/airtime.h"

#include <cmath>
#include <ostream>

#include "chappe/play/commands.h"
#include "chappe/play/json_value.h"

namespace chappe::play {

int airtime(const AirtimeOptions& options, std::ostream& out, std::ostream& talk) {
  const auto refuse = [&](const char* why) {
    talk << why << '\n';
    return kExitUsage;
  };
  if (options.sf < radio::kSpreadingMin || options.sf > radio::kSpreadingMax) {
    return refuse("--sf: 5 to 12");
  }
  if (options.cr < 5 || options.cr > 8) return refuse("--cr: 5 to 8, for 4/5 to 4/8");
  if (options.preamble < 0 || options.preamble > 0xffff) return refuse("--preamble: 0 to 65535");
  if (options.len < 0 || options.len > 255) return refuse("--len: 0 to 255 bytes");
  if (!(options.bw_khz >= 7 && options.bw_khz <= 500)) return refuse("--bw: 7.8 to 500 kHz");
  const auto bandwidth = radio::Bandwidth::from_nominal(
      Hertz{static_cast<std::uint32_t>(std::lround(options.bw_khz * 1000))});
  if (!bandwidth) {
    return refuse("--bw: 7.8, 10.4, 15.6, 20.8, 31.25, 41.7, 62.5, 125, 250 or 500 kHz");
  }
  radio::Modulation modulation;
  modulation.bandwidth = *bandwidth;
  modulation.spreading = static_cast<std::uint8_t>(options.sf);
  modulation.coding = static_cast<std::uint8_t>(options.cr);
  modulation.preamble = options.preamble == 0 ? radio::preamble_for(modulation.spreading)
                                              : static_cast<std::uint16_t>(options.preamble);
  if (options.implicit) modulation.header = radio::Header::implicit;
  if (options.no_crc) modulation.crc = radio::PayloadCrc::off;
  if (options.ldro == "on") {
    modulation.ldro = radio::Ldro::on;
  } else if (options.ldro == "off") {
    modulation.ldro = radio::Ldro::off;
  } else if (options.ldro != "auto") {
    return refuse("--ldro: auto, on or off");
  }

  const auto bytes = static_cast<std::size_t>(options.len);
  const Duration exact = time_on_air(modulation, bytes);
  const Duration reference = reference_airtime(modulation, bytes);
  if (options.json) {
    Json line = Json::object();
    line.set("us", in_us(exact));
    line.set("ms", in_ms(exact));
    line.set("reference_us", in_us(reference));
    line.set("reference_ms", in_ms(reference));
    line.set("symbol_us", in_us(modulation.symbol()));
    line.set("preamble", modulation.preamble);
    line.set("ldro", modulation.optimised());
    out << line.dump() << '\n';
  } else {
    out << "exact      " << in_us(exact) << " us\n"
        << "reference  " << in_us(reference) << " us, " << in_ms(reference) << " ms\n"
        << "symbol     " << in_us(modulation.symbol()) << " us\n"
        << "preamble   " << modulation.preamble << " symbols\n"
        << "ldro       " << (modulation.optimised() ? "on" : "off") << '\n';
  }
  return kExitOk;
}

}  // namespace chappe::play
