#pragma once

#include <memory>
#include <string>
#include <thread>

#include "chappe/base/result.h"
#include "chappe/port/linux/owned_fd.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/signal.h"
#include "chappe/tx/journal.h"
#include "chappe/tx/restart.h"

namespace chappe::port {

/// The airtime journal in a file: two copies in pages of their own, overwritten in place, so that a
/// write needs no room that the disk may not have. Others may not read or write it, and one process
/// alone may have it open.
///
/// Writing and waiting for the disk is a thread's; the executor's thread only asks it to.
class JournalFile final : public tx::Journal {
 public:
  /// Opens the file, or makes it; what it holds is in found(). The error is a sentence for the
  /// operator that begins with the path.
  static Result<std::unique_ptr<JournalFile>, std::string> open(const std::string& path,
                                                                sync::WakeList& wakes);
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  /// No task may be writing.
  ~JournalFile();

  /// `place` is file or no_file: whether that is because all is new, this cannot know.
  const tx::Found& found() const { return found_; }

  async::Task<bool> write(std::size_t copy, Bytes record) override;
  tx::ClockReading clocks() override;

  /// The same at once, for a start and an end, when nobody waits. False if the disk does not take
  /// it. No task may be writing; after one that was cancelled, no other may.
  bool write_now(std::size_t copy, Bytes record);

 private:
  enum class Request : std::uint32_t { none, write, end };

  JournalFile(std::string path,
              OwnedFd file,
              OwnedFd calls,
              const tx::Found& found,
              const tx::BootId& boot,
              sync::WakeList& wakes);
  std::thread begin_thread();
  void work();
  void ask_to_write(std::size_t copy, Bytes record);
  void call(Request request);
  void end_thread();
  bool put(std::size_t copy, Bytes record) const;

  const std::string path_;
  const OwnedFd file_;
  const OwnedFd calls_;  // an eventfd: one call, one wake of the thread
  const tx::Found found_;
  const tx::BootId boot_;
  static constexpr sync::SharedState kBytesState{
      .name = "JournalFile::bytes",
      .purpose = "the record to write",
      .writers = sync::Who::task | sync::Who::start,
      .readers = sync::Who::worker,
      .protection = "handed over by JournalFile::request, and back by its signal"};
  sync::OrderedPlain<tx::RecordBytes, kBytesState> bytes_;
  static constexpr sync::SharedState kCopyState{
      .name = "JournalFile::copy",
      .purpose = "which of the two copies to write",
      .writers = sync::Who::task | sync::Who::start,
      .readers = sync::Who::worker,
      .protection = "handed over by JournalFile::request, and back by its signal"};
  sync::OrderedPlain<std::size_t, kCopyState> copy_;
  static constexpr sync::SharedState kRequestState{
      .name = "JournalFile::request",
      .purpose = "what the thread is to do",
      .writers = sync::Who::task | sync::Who::start,
      .readers = sync::Who::worker,
      .protection = "only the owner writes, and waits for the answer before it writes again",
      .orders = sync::Orders::acquire | sync::Orders::release};
  sync::SharedWord<std::uint32_t, kRequestState> request_{0};
  static constexpr sync::SharedState kWrittenState{
      .name = "JournalFile::written",
      .purpose = "whether the last record is on the disk",
      .writers = sync::Who::worker,
      .readers = sync::Who::task,
      .protection = "only the file's thread writes, between a request and its signal",
      .orders = sync::Orders::acquire | sync::Orders::release};
  sync::SharedWord<std::uint32_t, kWrittenState> written_{0};
  sync::Signal done_;
  bool busy_ = false;  // executor's thread only
  std::thread thread_;
};

}  // namespace chappe::port
