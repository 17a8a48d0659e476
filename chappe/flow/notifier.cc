#include "chappe/flow/notifier.h"

#include <utility>

namespace chappe::flow {

void Notifier::attach(Subscriber& client) {
  client.generation_ = generation_;
  clients_.push_back(client);
}

void Notifier::knew(Subscriber& client, std::uint32_t known) {
  if (known == generation_) return;
  client.generation_ = known;
  blast(client);
}

bool Notifier::learns_restart(Subscriber& client) {
  return std::exchange(client.generation_, generation_) != generation_;
}

Access Notifier::want(Subscriber& client, std::uint8_t topic) {
  CHAPPE_CHECK(topic < Subscriber::kTopics);
  if (learns_restart(client)) return Access::restarted;
  if (client.gates_[topic].take()) return Access::granted;
  ++refusals_;
  ++client.refusals_;
  return Access::refused;
}

void Notifier::progress(Subscriber& client, std::uint8_t topic, std::uint32_t units) {
  CHAPPE_CHECK(topic < Subscriber::kTopics);
  if (!client.gates_[topic].give(units)) return;
  post(client, 1u << topic);
}

void Notifier::post(Subscriber& client, std::uint32_t bits) {
  posts_.fetch_add(1, sync::Order::relaxed);
  client.posts_.fetch_add(1, sync::Order::relaxed);
  client.wake_.set(bits);
}

void Notifier::restarted() {
  // The number first: a client refused before the reset is woken by the blast, one refused after it
  // holds a valid new debt.
  ++generation_;
  clients_.for_each([&](Subscriber& client) {
    for (Gate& gate : client.gates_) gate.reset();
    blast(client);
  });
}

void Notifier::blast(Subscriber& client) {
  ++blasts_;
  post(client, Subscriber::kRestarted);
}

}  // namespace chappe::flow
