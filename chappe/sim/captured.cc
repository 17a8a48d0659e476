#include "chappe/sim/captured.h"

#include <array>
#include <cstdint>

#include "chappe/base/hex.h"

namespace chappe::sim {
namespace {

template <std::size_t N>
consteval std::array<std::uint8_t, N / 2> bytes(const char (&hex)[N]) {
  std::array<std::uint8_t, N / 2> out{};
  if (from_hex({hex, N - 1}, out) != out.size()) throw "not hexadecimal";
  return out;
}

constexpr auto kAck = bytes("0d04b891647ebb40ba70");
constexpr auto kTxt = bytes("09046f17c47ed00a13e16ab5b94b1cc2d1a5059c6e5a6253c60d");
constexpr auto kGrptxtPublic =
    bytes("150011c3c1354d619bae9590e4d177db7eeaf982f5bdcf78005d75157d9535fa90178f785d");
constexpr auto kCsReqDirect = bytes("0200331fe52805e05cf6f4bae6a094ac258d57baf045");
constexpr auto kGoGrptxt1hop =
    bytes("15011a592d0286c326fecad3bcc5fced344d35058b86cdee316b9519476632cb0c1da876b0b9");
constexpr auto kTfloodOttawa = bytes(
    "14fa1a0000034e927d596ea23622bcb4d5945e49348165af7daba3f5dceed85f430e0856db5b591e"
    "86ab3363bc00e1ba30776698f72fc57c7168e66a4875cdb710f3c175fc2b3fe75a036ef14fa59a70"
    "9062d3a9ff7014f2e7a8512c");
constexpr auto kCsPathDirect = bytes("22009fd65b38857c5a7f6f0f28e999cf2632c03acccc");
constexpr auto kGrptxtTest3hop =
    bytes("150320dd2cd9b9e77a7ab2cec918eaaca395ee38ad9899a564a401ae2288cdc8836c6e4e007f1dd6");
constexpr auto kAdvertCougar = bytes(
    "11007e7662676f7f0850a8a355baafbfc1eb7b4174c340442d7d7161c9474a2c94006ce7cf682e58"
    "408dd8fcc51906eca98ebf94a037886bdade7ecd09fd92b839491df3809c9454f5286d1d3370ac31"
    "a34593d569e9a042a3b41fd331dffb7e18599ce1e60992a076d50238c5b8f85757375354522f5075"
    "6765744d65736820436f75676172");
constexpr auto kDiscoverRespA =
    bytes("2e0092dc35333e5b4fbb374d26e77a3af0a0e3d34a7174131bbebf2341ee948b6f4b13cf800c928f");
constexpr auto kGrptxtBot3b = bytes("15833fa002860ccae0eed9ca78b9ab0775d477c1f6490a398bf4edc75240");
constexpr auto kCsAnonReq = bytes(
    "1e009fd6dfc543c53e826a2b789b072ff9cbe922e57ea093e5643a0ca813e79f42ee9108f855b72a"
    "3e0b599c9ac80d3a211e7c7ba2");

// Short ones first, so that a newcomer soon sees several; floods and others take turns.
constexpr Captured kCaptured[] = {
    {"real-ack", kAck},
    {"real-txt", kTxt},
    {"real-grptxt-public", kGrptxtPublic},
    {"real-cs-req-direct", kCsReqDirect},
    {"real-go-grptxt-1hop", kGoGrptxt1hop},
    {"real-tflood-ottawa", kTfloodOttawa},
    {"real-cs-path-direct", kCsPathDirect},
    {"real-grptxt-test-3hop", kGrptxtTest3hop},
    {"real-advert-cougar", kAdvertCougar},
    {"real-discover-resp-a", kDiscoverRespA},
    {"real-grptxt-bot-3B", kGrptxtBot3b},
    {"real-cs-anon-req", kCsAnonReq},
};

}  // namespace

std::span<const Captured> captured() {
  return kCaptured;
}

}  // namespace chappe::sim
