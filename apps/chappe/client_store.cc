#include "apps/chappe/client_store.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>

#include "chappe/base/hex.h"
#include "chappe/port/linux/record_file.h"

namespace chappe::app {
namespace {

class FileStore final : public client::Store {
 public:
  explicit FileStore(std::unique_ptr<port::RecordFile> file) : file_(std::move(file)) {}
  std::size_t record_count() const override { return client::Journal::kRecords; }
  bool read(std::size_t record, std::span<std::uint8_t> out) override {
    return file_->read(record, out);
  }
  bool write(std::size_t record, Bytes bytes) noexcept override {
    return file_->write(record, bytes);
  }
  std::uint32_t ask_sync() noexcept override { return file_->ask_sync(); }
  std::uint32_t synced() const noexcept override { return file_->synced(); }
  bool healthy() const noexcept override { return file_->healthy(); }
  sync::Signal& on_synced() override { return file_->on_synced(); }

 private:
  const std::unique_ptr<port::RecordFile> file_;
};

// Zeros if the system does not tell: then no submission is of this boot, and none is sent again.
client::BootId this_boot() {
  client::BootId boot{};
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  if (!std::getline(file, text)) return boot;
  text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
  if (!from_hex(text, boot)) boot = {};
  return boot;
}

}  // namespace

// Seconds since 1970: larger than any count of restarts, and never the same twice.
std::uint32_t generation_out_of_nothing() {
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::time(nullptr)));
}

Result<std::unique_ptr<client::Journal>, std::string> open_journal(sync::WakeList& wakes,
                                                                   const std::string& directory,
                                                                   bool identity_is_new,
                                                                   Time now) {
  auto file = port::RecordFile::open(
      wakes, directory + "/submissions", client::Store::kRecord, client::Journal::kRecords);
  if (!file) return Unexpected(file.error());
  using Fresh = client::Journal::Fresh;
  return std::make_unique<client::Journal>(std::make_unique<FileStore>(std::move(*file)),
                                           this_boot(),
                                           now,
                                           identity_is_new ? Fresh::yes : Fresh::no,
                                           generation_out_of_nothing());
}

}  // namespace chappe::app
