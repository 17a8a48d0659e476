#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/tx/journal.h"
#include "chappe/tx/restart.h"

namespace chappe::sim {

/// What stays when a process or a machine dies: two copies, and the clocks.
struct Disk {
  std::array<std::vector<std::uint8_t>, tx::Journal::kCopies> copies;
  bool exists = false;
  std::uint64_t writes = 0;
  std::uint64_t bytes = 0;
};

/// A journal on an invented disk. It takes time, may be full, and a power cut leaves the first
/// bytes of what was being written in front of the rest of what was there before.
class FlakyJournal final : public tx::Journal {
 public:
  FlakyJournal(async::Executor& executor, Disk& disk) : executor_(executor), disk_(disk) {}

  async::Task<bool> write(std::size_t copy, Bytes record) override {
    // Whatever happens next, these bytes are on their way.
    torn_ = {record.begin(), record.end()};
    torn_copy_ = copy;
    if (full) {
      co_await async::sleep_for(executor_, takes);
      torn_.clear();
      co_return false;
    }
    co_await async::sleep_for(executor_, takes);
    put(torn_.size());
    ++disk_.writes;
    disk_.bytes += torn_.size();
    torn_.clear();
    co_return true;
  }
  tx::ClockReading clocks() override {
    tx::ClockReading reading = clock;
    reading.now = executor_.now();
    reading.wall_us += in_us(reading.now);
    return reading;
  }

  /// The power goes while `bytes` of what is being written have arrived; false if nothing is.
  bool cut_power(std::size_t bytes) {
    if (torn_.empty()) return false;
    put(std::min(bytes, torn_.size()));
    return true;
  }
  std::size_t bytes_under_way() const { return torn_.size(); }

  Duration takes = milliseconds(30);
  bool full = false;
  tx::ClockReading clock;  // wall_us: at the node's time 0

 private:
  void put(std::size_t count) {
    std::vector<std::uint8_t>& place = disk_.copies[torn_copy_];
    if (place.size() < count) place.resize(count);
    std::copy_n(torn_.begin(), count, place.begin());
    disk_.exists = true;
  }

  async::Executor& executor_;
  Disk& disk_;
  std::vector<std::uint8_t> torn_;
  std::size_t torn_copy_ = 0;
};

inline tx::Found found_on(const Disk& disk) {
  tx::Found found;
  found.place = disk.exists ? tx::Found::Place::file : tx::Found::Place::new_directory;
  for (std::size_t i = 0; i < disk.copies.size(); ++i) {
    found.copies[i] = tx::RecordBytes(Bytes(disk.copies[i]));
  }
  return found;
}

}  // namespace chappe::sim
