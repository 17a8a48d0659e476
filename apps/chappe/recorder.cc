#include "apps/chappe/recorder.h"

#include <ctime>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <optional>
#include <ostream>
#include <sstream>
#include <vector>

#include "chappe/base/note.h"
#include "chappe/client/json_writer.h"
#include "chappe/sync/recorder_image.h"

namespace chappe::app {
namespace {

using client::JsonLine;
using sync::PanicArea;
using sync::PanicRecord;
using sync::RecorderImage;
using sync::RecorderLive;
using sync::RunsIn;

constexpr int kDamaged = 1;
constexpr int kNone = 2;

// No recorder is larger than this; a device or a film that was named by mistake is.
constexpr std::size_t kBytesMost =
    sync::recorder_layout::bytes_for(sync::recorder_layout::kSlotsMost);

std::optional<std::vector<std::uint8_t>> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::uint8_t> bytes;
  char part[65536];
  while (in.read(part, sizeof part) || in.gcount() > 0) {
    bytes.insert(bytes.end(), part, part + in.gcount());
    if (bytes.size() > kBytesMost) break;
  }
  if (bytes.empty() && !in.eof()) return std::nullopt;
  return bytes;
}

/// A file, read twice one after the other: what differs was being written.
struct Copies {
  std::vector<std::uint8_t> first;
  std::vector<std::uint8_t> second;

  static std::optional<Copies> of(const std::string& path) {
    auto first = read(path);
    auto second = read(path);
    if (!first || !second) return std::nullopt;
    return Copies{*std::move(first), *std::move(second)};
  }
  Result<RecorderImage, sync::ImageProblem> image() const {
    return RecorderImage::open(first, second);
  }
};

std::string_view name_of(RunsIn where) {
  switch (where) {
    case RunsIn::outside:
      return "outside";
    case RunsIn::task:
      return "task";
    case RunsIn::timer:
      return "timer";
    case RunsIn::worker:
      return "worker";
  }
  return "?";
}

std::string_view name_of_context(std::uint32_t number) {
  return name_of(static_cast<RunsIn>(number));
}

std::string_view name_of_state(std::uint32_t state) {
  if (state == RecorderLive::ended) return "ended";
  return state == RecorderLive::panicked ? "panicked" : "running";
}

std::string name_of_note(std::uint32_t id) {
  const NoteKind* const kind = note_kind(id);
  return kind != nullptr ? kind->name : "note_" + std::to_string(id);
}

std::string wall(std::uint64_t unix_us) {
  const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "?";
  std::ostringstream words;
  words << std::put_time(&parts, "%Y-%m-%d %H:%M:%S") << '.' << std::setw(3) << std::setfill('0')
        << unix_us / 1000 % 1000;
  return words.str();
}

// Microseconds as "12.345678".
std::string seconds(std::int64_t us) {
  std::ostringstream words;
  const std::uint64_t size =
      us < 0 ? 0 - static_cast<std::uint64_t>(us) : static_cast<std::uint64_t>(us);
  words << (us < 0 ? "-" : "") << size / 1'000'000 << '.' << std::setw(6) << std::setfill('0')
        << size % 1'000'000;
  return words.str();
}

// What was in a file may be anything; a terminal must not obey it.
std::string plain(std::string_view words) {
  std::string out(words);
  for (char& letter : out) {
    if (static_cast<unsigned char>(letter) < ' ' || letter == 0x7f) letter = '?';
  }
  return out;
}

std::string program_of(const RecorderImage& image) {
  const auto& letters = image.header().program;
  return plain(std::string_view(letters.data(), letters.size())
                   .substr(0, std::string_view(letters.data(), letters.size()).find('\0')));
}

std::string place(const PanicArea& area, const PanicRecord::Place& at) {
  return plain(area.words(at.file)) + ":" + std::to_string(at.line);
}

std::string who(const PanicArea& area, const PanicRecord& record) {
  if (record.agent_kind == 0) return "nobody that has a name";
  return std::string(name_of_context(record.agent_kind)) + " '" + plain(area.words(record.agent)) +
         "'";
}

template <class Things>
std::size_t bounded(std::uint8_t count, const Things& things) {
  return std::min<std::size_t>(count, things.size());
}

void print_panic(const PanicArea& area, std::ostream& out) {
  const PanicRecord& record = area.record;
  out << "panic      " << plain(area.words(record.what)) << "\n"
      << "  at       " << place(area, record.site) << ", by " << who(area, record) << ", "
      << seconds(static_cast<std::int64_t>(record.uptime_us)) << " s after the start\n"
      << "  code     " << record.code << " (" << record.a << ", " << record.b << ")\n";
  for (std::size_t i = 0; i < bounded(record.held_count, record.held); ++i) {
    const auto& held = record.held[i];
    out << "  held     '" << plain(area.words(held.lock)) << "' of rank " << held.rank
        << ", taken at " << place(area, held.taken) << "\n";
  }
  for (std::size_t i = 0; i < bounded(record.chain_count, record.chain); ++i) {
    const auto& link = record.chain[i];
    out << "  chain    '" << plain(area.words(link.lock)) << "' is held by '"
        << plain(area.words(link.holder)) << "' since " << place(area, link.since) << "\n";
  }
}

void json_panic(const PanicArea& area, std::string& line) {
  const PanicRecord& record = area.record;
  JsonLine json(line);
  json.text("record", "panic")
      .text("what", plain(area.words(record.what)))
      .text("at", place(area, record.site))
      .number("t_us", static_cast<std::int64_t>(record.uptime_us))
      .number("code", record.code)
      .number("a", record.a)
      .number("b", record.b);
  if (record.agent_kind != 0) {
    json.text("context", name_of_context(record.agent_kind))
        .text("agent", plain(area.words(record.agent)));
  }
  for (std::size_t i = 0; i < bounded(record.held_count, record.held); ++i) {
    const std::string key = "held_" + std::to_string(i + 1);
    json.text(key, plain(area.words(record.held[i].lock)))
        .text(key + "_at", place(area, record.held[i].taken));
  }
  for (std::size_t i = 0; i < bounded(record.chain_count, record.chain); ++i) {
    const std::string key = "chain_" + std::to_string(i + 1);
    json.text(key, plain(area.words(record.chain[i].lock)))
        .text(key + "_holder", plain(area.words(record.chain[i].holder)))
        .text(key + "_at", place(area, record.chain[i].since));
  }
}

// The two numbers of a note, by name; `tell` is called with a key, a number, and words if the
// number stands for some.
template <class Tell>
void for_each_number(const RecorderImage& image, const RecorderImage::Entry& entry, Tell tell) {
  const NoteKind* const kind = note_kind(entry.note);
  const char* const keys[] = {kind != nullptr ? kind->a : "a", kind != nullptr ? kind->b : "b"};
  const std::uint32_t numbers[] = {entry.a, entry.b};
  for (int i = 0; i < 2; ++i) {
    std::string_view key = keys[i];
    if (key.empty()) continue;
    std::int64_t number = numbers[i];
    if (key.front() == '+') {
      key.remove_prefix(1);
      number = static_cast<std::int32_t>(numbers[i]);
    }
    tell(key, number, key == "name" ? std::optional(plain(image.name(numbers[i]))) : std::nullopt);
  }
}

void print_entry(const RecorderImage& image, const RecorderImage::Entry& entry, std::ostream& out) {
  out << std::setw(16) << std::setfill(' ') << seconds(entry.after_start_us) << "  " << std::left
      << std::setw(8) << name_of_context(entry.context) << std::setw(16) << name_of_note(entry.note)
      << std::right;
  for_each_number(image, entry, [&](std::string_view key, std::int64_t number, const auto& words) {
    out << ' ' << key << '=';
    if (words) {
      out << '\'' << *words << '\'';
    } else {
      out << number;
    }
  });
  out << '\n';
}

void json_entry(const RecorderImage& image, const RecorderImage::Entry& entry, std::string& line) {
  JsonLine json(line);
  json.text("record", "note")
      .number("t_us", entry.after_start_us)
      .number("ticket", entry.ticket)
      .text("context", name_of_context(entry.context))
      .text("note", name_of_note(entry.note));
  for_each_number(image, entry, [&](std::string_view key, std::int64_t number, const auto& words) {
    if (words) {
      json.text(key, *words);
    } else {
      json.number(key, number);
    }
  });
}

void print_head(const RecorderImage& image, std::ostream& out) {
  out << "recorder   " << program_of(image) << ", process " << image.header().process
      << ", started " << wall(image.header().start_unix_us) << " UTC\n";
  switch (image.state()) {
    case RecorderLive::ended:
      out << "state      ended in good order\n";
      break;
    case RecorderLive::panicked:
      out << "state      ended in a panic\n";
      break;
    default:
      out << "state      running, or hanging, or killed: it did not say that it ended\n";
  }
  if (image.dropped() > 0) out << "dropped    " << image.dropped() << " lines, for lack of room\n";
}

void json_head(const RecorderImage& image, std::string& line) {
  JsonLine(line)
      .text("record", "recorder")
      .text("program", program_of(image))
      .number("process", image.header().process)
      .number("start_unix_us", static_cast<std::int64_t>(image.header().start_unix_us))
      .text("state", name_of_state(image.state()))
      .number("dropped", image.dropped());
}

}  // namespace

int recorder(const RecorderOptions& options, std::ostream& out, std::ostream& talk) {
  const auto copies = Copies::of(options.file);
  if (!copies) {
    talk << "chappe recorder: " << options.file << ": cannot be read\n";
    return kNone;
  }
  const auto image = copies->image();
  if (!image) {
    talk << "chappe recorder: " << options.file << ": " << sync::name_of(image.error()) << '\n';
    return kNone;
  }
  std::string line;
  const auto flush = [&] {
    out << line;
    line.clear();
  };
  const auto panic = image->panic();
  if (options.json) {
    json_head(*image, line);
    flush();
  } else {
    print_head(*image, out);
    if (panic) print_panic(*panic, out);
    out << '\n';
  }
  const auto counts = image->for_each([&](const RecorderImage::Entry& entry) {
    if (options.json) {
      json_entry(*image, entry, line);
      flush();
    } else {
      print_entry(*image, entry, out);
    }
  });
  if (options.json && panic) {
    json_panic(*panic, line);
    flush();
  }
  if (counts.under_way > 0) {
    talk << "chappe recorder: " << counts.under_way << " lines were being written\n";
  }
  int exit_code = 0;
  const auto damaged = [&](const std::string& what) {
    talk << "chappe recorder: " << options.file << ": " << what << '\n';
    exit_code = kDamaged;
  };
  if (image->panic_is_damaged()) damaged("the panic record is damaged");
  if (counts.damaged > 0) damaged(std::to_string(counts.damaged) + " lines are damaged");
  if (image->missing_slots() > 0) {
    damaged("cut off: " + std::to_string(image->missing_slots()) + " lines are missing");
  }
  return exit_code;
}

std::string last_words(const std::string& file) {
  const auto copies = Copies::of(file);
  if (!copies) return {};
  const auto image = copies->image();
  if (!image) return "what the last run recorded cannot be read: " + file;
  if (const auto panic = image->panic()) {
    return "the last run ended in a panic: " + plain(panic->words(panic->record.what)) + " [" +
           place(*panic, panic->record.site) + "]";
  }
  if (image->state() == RecorderLive::running) {
    return "the last run was killed, or lost its power";
  }
  return {};
}

}  // namespace chappe::app
