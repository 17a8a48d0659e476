#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "chappe/async/line.h"
#include "chappe/sync/signal.h"

namespace chappe::test {

/// A line to somebody in the same program: what is written reaches `far_end` at once, what the far
/// end puts is read. It can be pulled out and plugged in.
class MemoryLine final : public async::Line {
 public:
  explicit MemoryLine(sync::WakeList& wakes) : arrived_(wakes) {}

  async::Task<Result<void, async::StreamError>> open() override {
    ++open_count;
    if (!is_plugged) co_return Unexpected(async::StreamError::failed);
    is_open_ = true;
    inbox_.clear();
    if (opened) opened();
    co_return Result<void, async::StreamError>();
  }
  void close() override { is_open_ = false; }
  std::string_view name() const override { return "memory"; }
  std::string_view trouble() const override { return "not plugged in"; }

  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    for (;;) {
      if (!is_plugged) co_return Unexpected(async::StreamError::closed);
      if (!inbox_.empty()) break;
      if (has_hung_up_) co_return Unexpected(async::StreamError::closed);
      co_await arrived_.next();
    }
    const std::size_t count = std::min({inbox_.size(), out.size(), piece_max});
    std::copy_n(inbox_.begin(), count, out.begin());
    inbox_.erase(0, count);
    co_return count;
  }

  async::Task<Result<void, async::StreamError>> write(Bytes bytes) override {
    if (!is_plugged) co_return Unexpected(async::StreamError::closed);
    if (far_end) far_end(bytes);
    co_return Result<void, async::StreamError>();
  }

  /// From the far end.
  void put(std::string& bytes) {
    if (is_open_) inbox_ += bytes;
    bytes.clear();
    if (!is_stuck) arrived_.set();
  }
  /// From the start, for whoever takes streams that are open.
  void be_open() { is_open_ = true; }
  /// The far end goes when all that it put is read.
  void hang_up() {
    has_hung_up_ = true;
    arrived_.set();
  }
  void pull_out() {
    is_plugged = false;
    arrived_.set();
  }

  std::function<void(Bytes)> far_end;
  std::function<void()> opened;
  bool is_plugged = true;
  bool is_stuck = false;             // what the far end puts arrives with what it puts later
  std::size_t piece_max = SIZE_MAX;  // at one read
  std::uint32_t open_count = 0;

 private:
  sync::Signal arrived_;
  std::string inbox_;
  bool is_open_ = false;
  bool has_hung_up_ = false;
};

}  // namespace chappe::test
