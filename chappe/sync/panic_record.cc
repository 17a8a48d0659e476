#include "chappe/sync/panic_record.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "chappe/base/crc32.h"
#include "chappe/base/text.h"
#include "chappe/sync/agent.h"
#include "chappe/sync/lock_record.h"
#include "chappe/sync/recorder.h"

namespace chappe::sync {
namespace {

std::uint32_t crc_of(const PanicArea& area) {
  const auto* const record = reinterpret_cast<const std::uint8_t*>(&area.record);
  const auto* const text = reinterpret_cast<const std::uint8_t*>(area.text.data());
  return crc32({text, area.text.size()}, crc32({record, offsetof(PanicRecord, crc)}));
}

// Puts words into the text, one behind the other; the first byte is the empty word.
class Writer {
 public:
  explicit Writer(PanicArea& area) : area_(area) {}

  PanicRecord::Word word(std::string_view words) {
    const std::size_t room = area_.text.size() - used_;
    if (words.empty() || room < 2) return 0;
    const std::size_t size = std::min(words.size(), room - 1);
    std::copy_n(words.data(), size, area_.text.data() + used_);
    area_.text[used_ + size] = '\0';
    const auto at = static_cast<PanicRecord::Word>(used_);
    used_ += size + 1;
    return at;
  }
  PanicRecord::Place place(Site site) {
    Text<96> words;
    words.add(Site{site.file, 0});
    std::string_view file = words.view();
    file.remove_suffix(2);  // ":0"
    return {word(file), static_cast<std::uint16_t>(std::min<std::uint32_t>(site.line, 0xffff))};
  }

 private:
  PanicArea& area_;
  std::size_t used_ = 1;
};

}  // namespace

bool PanicArea::is_whole() const {
  return is_there() && record.version == PanicRecord::kVersion && record.crc == crc_of(*this);
}

std::string_view PanicArea::words(PanicRecord::Word at) const {
  if (at >= text.size()) return {};
  const auto* const from = text.data() + at;
  return {from, static_cast<std::size_t>(std::find(from, text.data() + text.size(), '\0') - from)};
}

void write_panic(PanicArea& area,
                 std::string_view what,
                 Site site,
                 const PanicCause& cause,
                 std::uint64_t uptime_us,
                 std::uint32_t build) noexcept {
  PanicRecord& record = area.record;
  Writer writer(area);
  record.version = PanicRecord::kVersion;
  record.code = static_cast<std::uint16_t>(cause.code);
  record.a = cause.a;
  record.b = cause.b;
  record.uptime_us = uptime_us;
  record.build = build;
  record.what = writer.word(what);
  record.site = writer.place(site);
  if (Agent* const agent = Agent::running()) {
    record.agent = writer.word(agent->name());
    record.agent_kind = static_cast<std::uint8_t>(runs_in(agent));
    LockRecord::for_each_held_by(*agent, [&](const LockRecord& lock) {
      if (record.held_count == PanicRecord::kMost) return;
      record.held[record.held_count++] = {writer.word(lock.lock_class().name),
                                          writer.place(lock.held_at()),
                                          lock.lock_class().rank};
    });
  }
  // Who holds the lock it is about, what that one waits for, who holds that, and so on.
  const LockRecord* lock = cause.lock;
  while (lock != nullptr && record.chain_count < PanicRecord::kMost) {
    const Agent* const holder = lock->owner();
    record.chain[record.chain_count++] = {
        writer.word(lock->lock_class().name),
        holder != nullptr ? writer.word(holder->name()) : PanicRecord::Word{},
        writer.place(lock->held_at())};
    lock = holder != nullptr ? holder->waiting_on() : nullptr;
  }
  record.magic = PanicRecord::kMagic;
  record.crc = crc_of(area);
}

}  // namespace chappe::sync
