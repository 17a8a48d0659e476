#include "chappe/client/service.h"

#include <algorithm>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"

namespace chappe::client {

using flow::Access;

std::string_view to_string(Cause cause) {
  constexpr std::string_view kNames[kCauses] = {"asked", "fault", "radio_reset"};
  return kNames[static_cast<std::size_t>(cause)];
}

Service::Service(async::Executor& executor, node::Repeater& repeater, std::uint32_t generation)
    : Service(executor, repeater, std::make_unique<Journal>(generation)) {}

Service::Service(async::Executor& executor,
                 node::Repeater& repeater,
                 std::unique_ptr<Journal> journal)
    : executor_(executor),
      repeater_(repeater),
      journal_(std::move(journal)),
      notifier_(journal_->generation()),
      turns_(executor),
      news_(executor.wakes()),
      restart_asked_(executor.wakes()) {
  for (Underway& place : underway_places_) free_.push_back(place);
  repeater_.listen(*this);
  turns_.start();
  executor_.spawn(herald_slot_, "client herald", &Service::herald, this);
  executor_.spawn(supervisor_slot_, "client supervisor", &Service::supervise, this);
  if (sync::Signal* const resets = repeater_.radio().resets()) {
    executor_.spawn(radio_slot_, "client radio", &Service::watch_radio, this, std::ref(*resets));
  }
  if (journal_->store() != nullptr) {
    executor_.spawn(disk_slot_, "client journal", &Service::await_disk, this);
  }
}

Service::~Service() {
  CHAPPE_CHECK(sessions_.empty());
  disk_slot_.cancel();
  radio_slot_.cancel();
  supervisor_slot_.cancel();
  herald_slot_.cancel();
  turns_.stop();
}

// --- Events --------------------------------------------------------------------------------------

// On the frame's own way: a copy, and one wake if anybody is owed.
void Service::on_event(const node::Event& event) noexcept {
  if ((wanted_ >> static_cast<unsigned>(event.kind) & 1) != 0) {
    log_.append(event);
    if (!readers_.empty() && !std::exchange(news_pending_, true)) news_.set();
  }
  if (!event.local) return;
  if (event.kind == node::EventKind::submitted) {
    if (placing_ == nullptr) return;  // the node's own
    placing_->id = event.id;
    began(*placing_);
  } else if (event.outcome != nullptr) {
    if (Underway* const underway = find(event.id)) ended(*underway, *event.outcome);
  }
}

async::Task<> Service::herald() {
  for (;;) {
    co_await news_.next();
    co_await turns_.take();
    news_pending_ = false;
    readers_.for_each([&](Reader& reader) {
      Session& session = reader.session;
      std::uint64_t lost = 0;
      const bool ready = log_.ready(session.cursor_, session.filter_, lost);
      session.note_lost(lost);
      if (!ready) return;
      reader.unlink();
      post(session, Session::kEventTopic, 1);
    });
  }
}

void Service::post(Session& session, std::uint8_t topic, std::uint32_t units) {
  const std::uint64_t before = session.subscriber_.posts();
  notifier_.progress(session.subscriber_, topic, units);
  if (session.subscriber_.posts() != before) session.told_ |= 1u << topic;
}

// --- Submissions ---------------------------------------------------------------------------------

Service::Underway* Service::find(std::uint64_t id) {
  Underway* found = nullptr;
  underway_.for_each([&](Underway& underway) {
    if (underway.id == id) found = &underway;
  });
  return found;
}

bool Service::place(Session* owner,
                    Journal::Entry* entry,
                    Bytes frame,
                    Duration after,
                    std::uint8_t priority,
                    std::uint64_t& id) {
  Underway* const underway = free_.pop_front();
  if (underway == nullptr) {
    request_restart(Cause::fault, "the node has room that the service does not know of");
    return false;
  }
  underway->owner = owner;
  underway->entry = entry;
  underway->lane = lane_of(priority);
  underway_.push_back(*underway);
  placing_ = underway;
  const auto placed = repeater_.submit(frame, after, priority, nullptr, {});
  placing_ = nullptr;
  CHAPPE_CHECK(placed.has_value());  // it was parsed before
  id = *placed;
  return true;
}

void Service::hand_over(Journal::Entry& entry) {
  entry.handed_over = true;
  const Time now = executor_.now();
  const Duration after = std::max(Duration::zero(), entry.due - now);
  // What waited for a service that was not there is worth nothing after its time, like any other.
  if (now > time_after(entry.due, repeater_.settings().expiry.local)) {
    journal_->close(
        entry, Unexpected(tx::Refused{tx::Why::expired, tx::Stage::early, entry.due}), now);
    return;
  }
  std::uint64_t id = 0;
  static_cast<void>(place(nullptr, &entry, entry.frame.view(), after, entry.priority, id));
}

void Service::resume() {
  while (Journal::Entry* const entry = journal_->next_to_resume()) hand_over(*entry);
}

void Service::hand_over_synced() {
  Store& store = *journal_->store();
  const bool healthy = store.healthy();
  const std::uint32_t synced = store.synced();
  journal_->for_each([&](Journal::Entry& entry) {
    if (entry.state != Journal::State::accepted || entry.handed_over || entry.durable) return;
    const bool is_synced = static_cast<std::int32_t>(synced - entry.sync) >= 0;
    if (!is_synced && healthy) return;
    entry.durable = is_synced && healthy;
    hand_over(entry);
  });
}

async::Task<> Service::await_disk() {
  for (;;) {
    co_await journal_->store()->on_synced().next();
    hand_over_synced();
  }
}

void Service::on_keying(std::uint64_t id) noexcept {
  Underway* const underway = find(id);
  if (underway != nullptr && underway->entry != nullptr) journal_->mark_keying(*underway->entry);
}

// The node has it, and has given it an id.
void Service::began(Underway& underway) {
  if (underway.entry == nullptr) return;
  Journal::Entry& entry = *underway.entry;
  entry.id = underway.id;
  if (entry.owner == nullptr) return;
  SubmissionResult result;
  result.kind = SubmissionResult::Kind::accepted;
  result.id = entry.id;
  result.key = entry.key;
  result.durable = entry.durable;
  answer(*entry.owner, result);
}

void Service::ended(Underway& underway, const tx::Outcome& outcome) {
  Session* owner = underway.owner;
  SubmissionResult result;
  result.id = underway.id;
  result.lane = underway.lane;
  result.outcome = outcome;
  if (Journal::Entry* const entry = underway.entry) {
    const bool stopped = !outcome && outcome.error().why == tx::Why::stopped;
    const bool marked = entry->state == Journal::State::keying;
    if (stopped && marked) {
      tx::Refused perhaps = outcome.error();
      perhaps.perhaps_sent = true;
      result.outcome = Unexpected(perhaps);
    }
    // The node is going down and has not sent it: the next run will.
    const bool goes_on = stopped && !marked && journal_->store() != nullptr;
    if (!goes_on) journal_->close(*entry, result.outcome, executor_.now());
    owner = entry->owner;
    result.key = entry->key;
    entry->unlink();
    entry->owner = nullptr;
  }
  underway.unlink();
  underway.owner = nullptr;
  underway.entry = nullptr;
  underway.id = 0;
  free_.push_back(underway);
  if (owner != nullptr) answer(*owner, result);
}

void Service::answer(Session& owner, const SubmissionResult& result) {
  if (!owner.results_.try_push(result)) {
    request_restart(Cause::fault, "more answers than submissions");
    return;
  }
  post(owner, Session::kResultTopic, 1);
}

void Service::abandon(Session& session) {
  underway_.for_each([&](Underway& underway) {
    if (underway.owner == &session) underway.owner = nullptr;
  });
  while (Journal::Entry* const entry = session.adopted_.pop_front()) entry->owner = nullptr;
}

// --- Restarts ------------------------------------------------------------------------------------

void Service::restart() {
  news_pending_ = false;
  sessions_.for_each([&](Session& session) {
    abandon(session);
    session.results_.clear();
    session.reader_.unlink();
    session.told_ = 0;
    log_.to_end(session.cursor_);
  });
  journal_->begin_generation(notifier_.generation() + 1);
  notifier_.restarted();
  sessions_.for_each([&](Session& session) { session.give_all_room(); });
}

void Service::request_restart(Cause cause, std::string_view why) {
  asked_by_[static_cast<std::size_t>(cause)] = true;
  if (cause == Cause::fault) last_fault_ = why;
  restart_asked_.set();
}

async::Task<> Service::supervise() {
  for (;;) {
    co_await restart_asked_.next();
    for (std::size_t i = 0; i < kCauses; ++i) {
      restarts_[i] += std::exchange(asked_by_[i], false) ? 1 : 0;
    }
    restart();
    co_await async::sleep_for(executor_, kRestartPause);
  }
}

async::Task<> Service::watch_radio(sync::Signal& resets) {
  for (;;) {
    co_await resets.next();
    request_restart(Cause::radio_reset);
  }
}

// --- A client ------------------------------------------------------------------------------------

Session::Session(Service& service, std::string_view name)
    : service_(service),
      name_(name),
      number_(++service.clients_ever_),
      subscriber_(service.executor_.wakes()) {
  CHAPPE_CHECK(service.client_count_ < Service::kClients);
  ++service.client_count_;
  service.sessions_.push_back(*this);
  service.notifier_.attach(subscriber_);
  give_all_room();
}

void Session::give_all_room() {
  for (std::uint8_t lane = 0; lane < kLanes; ++lane) {
    service_.notifier_.progress(subscriber_, kRoomTopic + lane, kSubmissionsPerLane);
  }
}

Session::~Session() {
  subscribe(kNoEvents);
  service_.abandon(*this);
  --service_.client_count_;
}

void Session::was_here(std::uint32_t generation) {
  service_.notifier_.knew(subscriber_, generation);
}

void Session::subscribe(const Filter& filter) {
  if (filter_.kinds == kNoEvents) service_.log_.to_end(cursor_);
  filter_ = filter;
  service_.wanted_ = kNoEvents;
  service_.sessions_.for_each([&](Session& client) { service_.wanted_ |= client.filter_.kinds; });
}

std::uint64_t Session::take_lost() {
  std::uint64_t lost = 0;
  static_cast<void>(service_.log_.ready(cursor_, filter_, lost));
  note_lost(lost);
  return std::exchange(lost_, 0);
}

void Session::note_lost(std::uint64_t lost) {
  lost_ += lost;
  counters_.lost += lost;
}

Access Session::next_event(const EventLog::Kept*& event) {
  if (service_.notifier_.learns_restart(subscriber_)) return Access::restarted;
  std::uint64_t lost = 0;
  event = service_.log_.next(cursor_, filter_, lost);
  note_lost(lost);
  if (event != nullptr) {
    reader_.unlink();
    told_ &= ~kEventBit;
    return Access::granted;
  }
  if ((std::exchange(told_, told_ & ~kEventBit) & kEventBit) != 0) ++counters_.in_vain;
  // The log is the amount; in the gate there is at most the unit with which the last post paid.
  Access access = service_.notifier_.want(subscriber_, kEventTopic);
  if (access == Access::granted) access = service_.notifier_.want(subscriber_, kEventTopic);
  CHAPPE_CHECK(access == Access::refused);
  if (!reader_.linked()) service_.readers_.push_back(reader_);
  return access;
}

Access Session::next_event(std::string& line) {
  const EventLog::Kept* event = nullptr;
  const Access access = next_event(event);
  if (access == Access::granted) line = event->line();
  return access;
}

Access Session::next_result(SubmissionResult& result) {
  const Access access = service_.notifier_.want(subscriber_, kResultTopic);
  const std::uint32_t told = std::exchange(told_, told_ & ~kResultBit);
  if (access == Access::refused && (told & kResultBit) != 0) ++counters_.in_vain;
  if (access != Access::granted) return access;
  result = results_.pop();
  // Its place is free only now that the result was read: results need no other bound.
  if (result.kind != SubmissionResult::Kind::accepted) {
    service_.post(*this, room_topic(result.lane), 1);
  }
  return access;
}

std::optional<SubmitError> Session::take_room(Lane lane) {
  const std::uint32_t bit = room_bit(lane);
  switch (service_.notifier_.want(subscriber_, room_topic(lane))) {
    case Access::restarted:
      return SubmitError::restarted;
    case Access::refused:
      if ((std::exchange(told_, told_ & ~bit) & bit) != 0) ++counters_.in_vain;
      refused_lane_ = lane;
      return SubmitError::too_many;
    case Access::granted:
      told_ &= ~bit;
      return std::nullopt;
  }
  return std::nullopt;
}

Result<std::uint64_t, SubmitError> Session::submit(Bytes frame,
                                                   Duration after,
                                                   std::uint8_t priority) {
  if (!mesh::parse(frame)) return Unexpected(SubmitError::not_a_packet);
  if (const auto refusal = take_room(lane_of(priority))) return Unexpected(*refusal);
  ++counters_.submitted;
  std::uint64_t id = 0;
  if (!service_.place(this, nullptr, frame, after, priority, id)) {
    return Unexpected(SubmitError::restarted);
  }
  return id;
}

// From now on its answers are ours, and whoever had it is told so.
void Session::adopt(Journal::Entry& entry) {
  SubmissionResult result;
  result.id = entry.id;
  result.lane = lane_of(entry.priority);
  result.key = entry.key;
  result.durable = entry.durable;
  if (Session* const former = std::exchange(entry.owner, this)) {
    entry.unlink();
    result.kind = SubmissionResult::Kind::claimed;
    service_.answer(*former, result);
  }
  const bool accepted = entry.handed_over || entry.state == Journal::State::ended;
  if (accepted) {
    result.kind = SubmissionResult::Kind::accepted;
    service_.answer(*this, result);
  }
  if (entry.state == Journal::State::ended) {
    entry.owner = nullptr;
    result.kind = SubmissionResult::Kind::ended;
    result.outcome = entry.outcome;
    service_.answer(*this, result);
  } else {
    adopted_.push_back(entry);
  }
}

Result<void, SubmitError> Session::submit(std::string_view key,
                                          Bytes frame,
                                          Duration after,
                                          std::uint8_t priority) {
  CHAPPE_CHECK(!key.empty() && key.size() <= SubmissionKey::capacity());
  if (!mesh::parse(frame)) return Unexpected(SubmitError::not_a_packet);
  Journal& journal = service_.journal();
  Journal::Entry* entry = journal.find(key);
  // A refusal was final, and nothing went out: asking again is asking anew.
  const bool anew = entry != nullptr && entry->state == Journal::State::ended && !entry->outcome &&
                    !entry->outcome.error().perhaps_sent;
  if (entry != nullptr && !(entry->frame == mesh::FrameBytes(frame))) {
    return Unexpected(SubmitError::key_reused);
  }
  if (entry != nullptr && entry->owner == this) return Unexpected(SubmitError::under_way);
  // What is there already keeps the priority it was accepted with.
  const bool adopts = entry != nullptr && !anew;
  const Lane lane = lane_of(adopts ? entry->priority : priority);
  if (const auto refusal = take_room(lane)) return Unexpected(*refusal);
  if (adopts) {
    adopt(*entry);
    return {};
  }
  const Time now = service_.executor_.now();
  entry = journal.accept(entry, key, frame, time_after(now, after), priority, now);
  if (entry == nullptr) {
    service_.post(*this, room_topic(lane), 1);
    return Unexpected(SubmitError::journal_full);
  }
  ++counters_.submitted;
  adopt(*entry);
  // With a disk, it is the node's when it is safe there.
  if (!journal.healthy()) service_.hand_over(*entry);
  return {};
}

Result<bool, SubmitError> Session::claim(std::string_view key) {
  Journal::Entry* const entry = service_.journal().find(key);
  if (entry == nullptr) return false;
  if (entry->owner == this) return Unexpected(SubmitError::under_way);
  if (const auto refusal = take_room(lane_of(entry->priority))) return Unexpected(*refusal);
  adopt(*entry);
  return true;
}

}  // namespace chappe::client
