#include "tests/seeds/demonstration.h"

#include <array>

#include "chappe/async/executor.h"
#include "chappe/flow/notifier.h"
#include "chappe/port/virtual/virtual_port.h"

namespace chappe::seeds {
namespace {

// A bench network: every client only ever receives, nobody sends, something happens all the time.
constexpr int kClients = 8;
constexpr int kActivities = 3600;
constexpr std::uint8_t kRoom = 0;

// As it was: "waiting to send" starts true, so that a restart wakes everybody, and ends with the
// first successful send, which never comes.
int naive_posts() {
  std::array<bool, kClients> waiting_to_send;
  waiting_to_send.fill(true);
  int posts = 0;
  for (int i = 0; i < kActivities; ++i) {
    for (const bool waiting : waiting_to_send) posts += waiting ? 1 : 0;
  }
  return posts;
}

}  // namespace

Demonstration demonstrate_003() {
  Demonstration shown{"003", "clients are woken all the time for nothing"};
  const int naive = naive_posts();
  shown.naive = std::to_string(kClients) + " clients that never send, " +
                std::to_string(kActivities) + " activities: " + std::to_string(naive) +
                " notifications for nothing";
  shown.naive_has_the_bug = naive > kClients;

  port::VirtualPort port;
  async::Executor executor(port);
  flow::Notifier notifier;
  std::array<flow::Subscriber, kClients> clients = {flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes()),
                                                    flow::Subscriber(executor.wakes())};
  for (flow::Subscriber& client : clients) notifier.attach(client);
  const auto an_hour = [&] {
    for (int i = 0; i < kActivities; ++i) {
      for (flow::Subscriber& client : clients) notifier.progress(client, kRoom, 1);
    }
  };
  an_hour();
  const std::uint64_t before = notifier.posts();
  notifier.restarted();
  an_hour();
  const std::uint64_t after = notifier.posts() - before;
  shown.chappe = std::to_string(before) + " notifications; after a restart " +
                 std::to_string(after) + ", one for each, and then none";
  shown.chappe_is_clean = before == 0 && after == kClients;
  for (flow::Subscriber& client : clients) {
    shown.chappe_is_clean &= client.wake().take(~0u) == flow::Subscriber::kRestarted;
  }
  return shown;
}

}  // namespace chappe::seeds
