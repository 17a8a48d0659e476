#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "chappe/base/bytes.h"
#include "chappe/base/result.h"
#include "chappe/port/linux/owned_fd.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/signal.h"

namespace chappe::port {

/// A file of records of one size, for its owner alone. Writing goes to the system's memory and
/// never waits for the disk: it outlives this process. A thread of its own waits for the disk when
/// asked to: what it has synced outlives the machine.
///
/// The whole size is reserved when the file is made, so a full disk is a refusal at the start and
/// not in the middle. One process at a time: a second one is refused. Context: the executor's
/// thread; the thread inside only syncs.
class RecordFile {
 public:
  /// The error is a sentence for the operator that begins with the path.
  static Result<std::unique_ptr<RecordFile>, std::string> open(sync::WakeList& wakes,
                                                               const std::string& path,
                                                               std::size_t record_bytes,
                                                               std::size_t record_count);
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;
  /// Waits for the sync under way, if there is one.
  ~RecordFile();

  bool read(std::size_t record, std::span<std::uint8_t> out);
  bool write(std::size_t record, Bytes bytes) noexcept;

  /// Requests are numbered from 1 and done in order, several at once if they come quickly.
  std::uint32_t ask_sync() noexcept;
  std::uint32_t synced() const noexcept { return synced_.load(sync::Order::acquire); }
  bool healthy() const noexcept {
    return !write_failed_ && sync_failed_.load(sync::Order::relaxed) == 0;
  }
  sync::Signal& on_synced() { return on_synced_; }

 private:
  RecordFile(sync::WakeList& wakes, OwnedFd fd, OwnedFd requests, std::size_t record_bytes);
  void sync_when_asked();

  const OwnedFd fd_;
  const OwnedFd requests_;  // an eventfd: how many are asked for and not yet begun
  const std::size_t record_bytes_;
  std::uint32_t asked_ = 0;
  bool write_failed_ = false;
  static constexpr sync::SharedState kSyncedState{
      .name = "RecordFile::synced",
      .purpose = "how many requests the disk has done",
      .writers = sync::Who::worker,
      .readers = sync::Who::task,
      .protection = "one writer; whoever reads it acquires what the disk has",
      .orders = sync::Orders::acquire | sync::Orders::release};
  sync::SharedWord<std::uint32_t, kSyncedState> synced_{0};
  static constexpr sync::SharedState kFailedState{
      .name = "RecordFile::sync_failed",
      .purpose = "whether the disk has refused",
      .writers = sync::Who::worker,
      .readers = sync::Who::task,
      .protection = "goes from 0 to 1, once; nothing else depends on it",
      .orders = sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kFailedState> sync_failed_{0};
  static constexpr sync::SharedState kStoppingState{
      .name = "RecordFile::stopping",
      .purpose = "tells the thread to end",
      .writers = sync::Who::task,
      .readers = sync::Who::worker,
      .protection = "goes from 0 to 1, once, before the last request",
      .orders = sync::Orders::acquire | sync::Orders::release};
  sync::SharedWord<std::uint32_t, kStoppingState> stopping_{0};
  sync::Signal on_synced_;
  std::thread thread_;
};

}  // namespace chappe::port
