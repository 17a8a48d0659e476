#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/base/result.h"
#include "chappe/config/configuration.h"
#include "chappe/mesh/crypto.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/radio/radio.h"

namespace chappe::app {

/// A radio and whatever stands behind it.
class Outside {
 public:
  virtual ~Outside() = default;
  virtual radio::Radio& radio() = 0;
  virtual void start() = 0;
  virtual void stop() = 0;
  /// A line or two for whoever started the program.
  virtual void describe(std::ostream& out) const = 0;
  /// The same at the end: what the radio itself has to say.
  virtual void conclude(std::ostream&) const {}
};

/// What the configuration chose; the error is a sentence for whoever chose it. Requires a kind that
/// contradictions() let pass.
Result<std::unique_ptr<Outside>, std::string> make_outside(
    const config::Configuration& configuration,
    const mesh::PublicKey& own,
    port::LinuxPort& port,
    async::Executor& executor,
    std::uint64_t seed);

}  // namespace chappe::app
