#include "chappe/client/event_log.h"

#include "chappe/client/event_json.h"

namespace chappe::client {
namespace {

constexpr std::size_t kWhose = 2;  // others', ours

}  // namespace

std::size_t EventLog::class_of(const node::Event& event) {
  const std::size_t type =
      event.packet != nullptr ? static_cast<std::size_t>(event.packet->type) : kNoPacketType;
  return (static_cast<std::size_t>(event.kind) * kEventTypes + type) * kWhose +
         (event.local ? 1 : 0);
}

bool EventLog::wants(const Filter& filter, std::size_t event_class) {
  const bool local = event_class % kWhose != 0;
  if (filter.whose == Filter::Whose::ours && !local) return false;
  if (filter.whose == Filter::Whose::others && local) return false;
  const std::size_t type = event_class / kWhose % kEventTypes;
  const std::size_t kind = event_class / kWhose / kEventTypes;
  return (filter.types >> type & 1) != 0 && (filter.kinds >> kind & 1) != 0;
}

bool EventLog::wants(const Filter& filter, const node::Event& event) {
  return wants(filter, class_of(event));
}

void EventLog::append(const node::Event& event) {
  Kept& place = kept_[appended_ % kKept];
  if (appended_ >= kKept) ++forgotten_[place.class_];
  ++appended_;
  place.class_ = class_of(event);
  ++produced_[place.class_];
  place.event_ = event;
  place.frame_ = mesh::FrameBytes(event.frame);
  place.region_ = ShortString<64>(event.region);
  place.line_.clear();
  // Everything that looked into the caller's memory looks into ours.
  place.event_.frame = place.frame_.view();
  place.event_.region = place.region_.view();
  place.event_.outcome = nullptr;
  if (event.packet != nullptr) {
    place.packet_ = *event.packet;
    const auto moved = [&](Bytes bytes) {
      return bytes.empty()
                 ? Bytes()
                 : place.frame_.view().subspan(
                       static_cast<std::size_t>(bytes.data() - event.frame.data()), bytes.size());
    };
    place.packet_.path = moved(event.packet->path);
    place.packet_.payload = moved(event.packet->payload);
    place.event_.packet = &place.packet_;
  }
}

const std::string& EventLog::Kept::line() const {
  if (line_.empty()) append_json(event_, line_);
  return line_;
}

void EventLog::to_end(Cursor& cursor) const {
  cursor.next_ = appended_;
  cursor.passed_ = produced_;
}

bool EventLog::ready(Cursor& cursor, const Filter& filter, std::uint64_t& lost) const {
  if (cursor.next_ < oldest()) {
    for (std::size_t i = 0; i < forgotten_.size(); ++i) {
      if (wants(filter, i)) lost += forgotten_[i] - cursor.passed_[i];
    }
    cursor.next_ = oldest();
    cursor.passed_ = forgotten_;
  }
  for (; cursor.next_ < appended_; ++cursor.next_) {
    const Kept& kept = kept_[cursor.next_ % kKept];
    if (wants(filter, kept.class_)) return true;
    ++cursor.passed_[kept.class_];
  }
  return false;
}

const EventLog::Kept* EventLog::next(Cursor& cursor,
                                     const Filter& filter,
                                     std::uint64_t& lost) const {
  if (!ready(cursor, filter, lost)) return nullptr;
  const Kept& kept = kept_[cursor.next_ % kKept];
  ++cursor.next_;
  ++cursor.passed_[kept.class_];
  return &kept;
}

}  // namespace chappe::client
