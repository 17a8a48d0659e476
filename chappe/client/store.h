#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/bytes.h"
#include "chappe/sync/signal.h"

namespace chappe::client {

/// Records of one size that outlive the process: a file, or what a test puts in its place.
///
/// Two promises, told apart because they cost so differently. What was written is there when this
/// process is killed; what was synced is there when the power goes. Context: one executor.
class Store {
 public:
  static constexpr std::size_t kRecord = 512;

  virtual ~Store() = default;

  virtual std::size_t record_count() const = 0;
  /// False if it cannot be read. A record never written is all zeros.
  virtual bool read(std::size_t record, std::span<std::uint8_t> out) = 0;
  /// Quick: never waits for a disk. False: it was not written, and neither will the next ones be.
  virtual bool write(std::size_t record, Bytes bytes) noexcept = 0;

  /// Asks for everything written so far to be synced. Returns the number of this request.
  virtual std::uint32_t ask_sync() noexcept = 0;
  /// All requests up to this number are done.
  virtual std::uint32_t synced() const noexcept = 0;
  /// False once the disk has refused something: what is accepted then is reported as not durable.
  virtual bool healthy() const noexcept = 0;
  /// Set after each change of synced().
  virtual sync::Signal& on_synced() = 0;
};

}  // namespace chappe::client
