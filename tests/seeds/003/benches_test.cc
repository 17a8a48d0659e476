// The document's two benches, as counts: a network on which nobody asks these clients anything, and
// one whose control plane polls two of them. docs/measured/notifications.md quotes the tables.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <optional>

#include "chappe/async/executor.h"
#include "chappe/flow/notifier.h"
#include "chappe/port/virtual/virtual_port.h"

namespace chappe::seeds {
namespace {

constexpr int kClients = 8;
constexpr std::size_t kPolled = 2;  // of the clients
constexpr int kActivities = 36000;  // an hour, ten a second
constexpr int kPollEach = 100;      // activities

struct Count {
  int posts = 0;
  int for_nothing = 0;
};

/// As it was: "waiting to send" is true from the start and ends with the first send; whatever is
/// unread is posted again at each activity.
struct OldClient {
  bool waiting_to_send = true;
  int unread = 0;
  bool activity() const { return unread > 0 || waiting_to_send; }
};

/// As merged: true by a refused send only, with one blast at each start.
struct MergedClient : OldClient {
  MergedClient() { waiting_to_send = false; }
};

template <class Client>
Count count_rule(bool polls, bool blast) {
  std::array<Client, kClients> clients;
  Count count;
  const auto post = [&](Client& client) {
    ++count.posts;
    if (client.unread == 0) {
      ++count.for_nothing;
      return;
    }
    client.unread = 0;               // it reads the request,
    client.waiting_to_send = false;  // and its answer finds room
  };
  if (blast) {
    for (Client& client : clients) post(client);
  }
  for (int i = 0; i < kActivities; ++i) {
    if (polls && i % kPollEach == 0) {
      for (std::size_t polled = 0; polled < kPolled; ++polled) ++clients[polled].unread;
    }
    for (Client& client : clients) {
      if (client.activity()) post(client);
    }
  }
  return count;
}

Count count_ours(bool polls) {
  constexpr std::uint8_t kReceive = 0;
  constexpr std::uint8_t kRoom = 1;
  port::VirtualPort port;
  async::Executor executor(port);
  flow::Notifier notifier;
  std::array<std::optional<flow::Subscriber>, kClients> clients;
  Count count;
  const auto read_all = [&](flow::Subscriber& client) {
    int read = 0;
    while (notifier.want(client, kReceive) == flow::Access::granted) ++read;
    return read;
  };
  for (auto& client : clients) {
    notifier.attach(client.emplace(executor.wakes()));
    notifier.progress(*client, kRoom, 1);
    EXPECT_EQ(read_all(*client), 0);  // it looks once, in vain, and waits
  }
  for (int i = 0; i < kActivities; ++i) {
    if (polls && i % kPollEach == 0) {
      for (std::size_t polled = 0; polled < kPolled; ++polled) {
        notifier.progress(*clients[polled], kReceive, 1);
      }
    }
    for (auto& client : clients) {
      if (client->wake().take(~0u) == 0) continue;
      ++count.posts;
      if (read_all(*client) == 0) {
        ++count.for_nothing;
        continue;
      }
      EXPECT_EQ(notifier.want(*client, kRoom), flow::Access::granted);
      notifier.progress(*client, kRoom, 1);
    }
  }
  return count;
}

void print(const char* bench, const Count& old_rule, const Count& merged, const Count& ours) {
  std::printf("%-24s %8s %12s\n", bench, "posts", "for nothing");
  std::printf("%-24s %8d %12d\n", "  as it was", old_rule.posts, old_rule.for_nothing);
  std::printf("%-24s %8d %12d\n", "  as merged", merged.posts, merged.for_nothing);
  std::printf("%-24s %8d %12d\n", "  ours", ours.posts, ours.for_nothing);
}

TEST(Seed003Benches, OnAnIdleNetworkNobodyIsWoken) {
  const Count old_rule = count_rule<OldClient>(false, false);
  const Count merged = count_rule<MergedClient>(false, true);
  const Count ours = count_ours(false);
  print("idle network", old_rule, merged, ours);
  EXPECT_EQ(old_rule.posts, kClients * kActivities);
  EXPECT_EQ(merged.posts, kClients);
  EXPECT_EQ(ours.posts, 0);
}

TEST(Seed003Benches, UnderPollingEachPollIsOneWakeAndNobodyElseIsWoken) {
  constexpr int kPolls = int{kPolled} * kActivities / kPollEach;
  const Count old_rule = count_rule<OldClient>(true, false);
  const Count merged = count_rule<MergedClient>(true, true);
  const Count ours = count_ours(true);
  print("control plane polling", old_rule, merged, ours);
  EXPECT_EQ(old_rule.for_nothing, (kClients - int{kPolled}) * kActivities);
  EXPECT_EQ(merged.posts, kPolls + kClients);
  EXPECT_EQ(ours.posts, kPolls);
  EXPECT_EQ(ours.for_nothing, 0);
}

}  // namespace
}  // namespace chappe::seeds
