#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "chappe/async/task.h"
#include "chappe/base/bytes.h"
#include "chappe/base/result.h"

namespace chappe::async {

enum class StreamError : std::uint8_t {
  closed,  // the other side is gone, or we closed it
  failed,  // the system says it cannot; the stream is of no more use in this direction
};

/// Bytes both ways, with somebody outside this process: a socket, a serial line, a pipe of a test.
/// One task reads while another writes; an error of one direction leaves the other alone.
/// Context: tasks of one executor. Cancelled while waiting, nothing is lost that was not returned.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Waits for at least one byte and returns how many there are. `closed` at the end.
  virtual Task<Result<std::size_t, StreamError>> read(std::span<std::uint8_t> out) = 0;

  /// Returns when the other side's system has taken all of it. `bytes` must outlive the call.
  virtual Task<Result<void, StreamError>> write(Bytes bytes) = 0;
};

}  // namespace chappe::async
