#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

/// The subcommands that look at packets and at recorded behaviour. Data goes to `out`, talk to
/// `talk`. They return the program's exit code: 0 ok, 1 the thing asked about failed, 2 the input
/// was no good.
namespace chappe::play {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

struct DecodeOptions {
  std::vector<std::string> hex;
  bool json = false;
  std::vector<std::string> keys;  // channel:HEX or secret:HEX
};

struct AirtimeOptions {
  int sf = 0;
  double bw_khz = 0;
  int cr = 0;
  int preamble = 0;  // 0: as MeshCore chooses it
  int len = 0;
  bool implicit = false;
  bool no_crc = false;
  std::string ldro = "auto";  // auto, on, off
  bool json = false;
};

struct ConformanceOptions {
  std::vector<std::string> files;
  std::vector<std::string> kinds;  // none: all
  bool json = false;
  bool verbose = false;
};

struct ReplayOptions {
  std::string file;  // FILE or FILE#id
  std::optional<std::uint64_t> seed;
  bool json = false;
};

int decode(const DecodeOptions& options, std::ostream& out, std::ostream& talk);
int airtime(const AirtimeOptions& options, std::ostream& out, std::ostream& talk);
int conformance(const ConformanceOptions& options, std::ostream& out, std::ostream& talk);
int replay(const ReplayOptions& options, std::ostream& out, std::ostream& talk);

}  // namespace chappe::play
