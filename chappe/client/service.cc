#include "chappe/client/service.h"

#include "chappe/base/check.h"
#include "chappe/client/event_json.h"

namespace chappe::client {

using flow::Access;

Service::Service(async::Executor& executor, node::Repeater& repeater, std::uint32_t generation)
    : executor_(executor), repeater_(repeater), notifier_(generation) {
  for (std::optional<Underway>& place : underway_) {
    free_.push_back(place.emplace(executor.wakes()));
  }
  repeater_.listen(*this);
}

Service::~Service() {
  CHAPPE_CHECK(sessions_.empty());
}

void Service::on_event(const node::Event& event) noexcept {
  const EventMask bit = 1u << static_cast<unsigned>(event.kind);
  std::string line;  // made once, for the first client that wants it
  sessions_.for_each([&](Session& session) {
    if ((session.mask_ & bit) == 0) return;
    if (line.empty()) append_json(event, line);
    if (session.events_.full()) {
      static_cast<void>(session.events_.pop());
      ++session.lost_;
      CHAPPE_CHECK(session.events_.try_push(line));  // one out, one in: the amount is the same
      return;
    }
    CHAPPE_CHECK(session.events_.try_push(line));
    notifier_.progress(session.subscriber_, Session::kEventTopic, 1);
  });
}

async::Task<> Service::await_result(Underway& underway) {
  const tx::Outcome outcome = co_await underway.completion.result();
  Session& owner = *std::exchange(underway.owner, nullptr);
  const std::uint64_t id = underway.id;
  free_.push_back(underway);
  CHAPPE_CHECK(owner.results_.try_push({id, outcome}));
  notifier_.progress(owner.subscriber_, Session::kResultTopic, 1);
}

void Service::abandon(const Session& session) {
  for (std::optional<Underway>& underway : underway_) {
    if (underway->owner != &session) continue;
    repeater_.disown(underway->completion);
    underway->slot.cancel();
    underway->completion.abandon();
    underway->owner = nullptr;
    free_.push_back(*underway);
  }
}

void Service::restart() {
  sessions_.for_each([&](Session& session) {
    abandon(session);
    session.events_.clear();
    session.results_.clear();
  });
  notifier_.restarted();
  sessions_.for_each([&](Session& session) {
    notifier_.progress(session.subscriber_, Session::kRoomTopic, kSubmissionsPerClient);
  });
}

Session::Session(Service& service) : service_(service), subscriber_(service.executor_.wakes()) {
  CHAPPE_CHECK(service.client_count_ < Service::kClients);
  ++service.client_count_;
  service.sessions_.push_back(*this);
  service.notifier_.attach(subscriber_);
  service.notifier_.progress(subscriber_, kRoomTopic, Service::kSubmissionsPerClient);
}

Session::~Session() {
  service_.abandon(*this);
  --service_.client_count_;
}

Access Session::next_event(std::string& line) {
  const Access access = service_.notifier_.want(subscriber_, kEventTopic);
  if (access == Access::granted) line = events_.pop();
  return access;
}

Access Session::next_result(SubmissionResult& result) {
  const Access access = service_.notifier_.want(subscriber_, kResultTopic);
  if (access != Access::granted) return access;
  result = results_.pop();
  // Its place is free only now that the result was read: results need no other bound.
  service_.notifier_.progress(subscriber_, kRoomTopic, 1);
  return access;
}

Result<std::uint64_t, SubmitError> Session::submit(Bytes frame,
                                                   Duration after,
                                                   std::uint8_t priority) {
  if (!mesh::parse(frame)) return Unexpected(SubmitError::not_a_packet);
  switch (service_.notifier_.want(subscriber_, kRoomTopic)) {
    case Access::restarted:
      return Unexpected(SubmitError::restarted);
    case Access::refused:
      return Unexpected(SubmitError::too_many);
    case Access::granted:
      break;
  }
  // Each client's room is its share of the places, so there is one.
  Service::Underway* const underway = service_.free_.pop_front();
  CHAPPE_CHECK(underway != nullptr);
  underway->owner = this;
  const auto ticket = underway->completion.arm();
  service_.executor_.spawn(
      underway->slot, "submission", &Service::await_result, &service_, *underway);
  const auto id = service_.repeater_.submit(frame, after, priority, &underway->completion, ticket);
  underway->id = *id;
  return *id;
}

}  // namespace chappe::client
