#include "chappe/config/endpoint.h"

#include <gtest/gtest.h>

namespace chappe::config {
namespace {

TEST(Endpoint, IsAHostAndAPortOrAPortOfThisMachine) {
  EXPECT_EQ(parse_host_port("8001"), (HostPort{"127.0.0.1", 8001}));
  EXPECT_EQ(parse_host_port("modem.local:7000"), (HostPort{"modem.local", 7000}));
  EXPECT_EQ(parse_host_port("[fe80::1%eth0]:65535"), (HostPort{"fe80::1%eth0", 65535}));
}

TEST(Endpoint, IsNothingElse) {
  for (const char* written : {"",
                              ":",
                              "host",
                              "host:",
                              ":80",
                              "host:0",
                              "host:65536",
                              "host:-1",
                              "host:8 ",
                              "::1:80",
                              "[::1]",
                              "[]:80",
                              "a b:80",
                              "tcp:host:80"}) {
    EXPECT_FALSE(parse_host_port(written)) << written;
  }
}

TEST(Endpoint, KnowsThisMachine) {
  for (const char* written : {"1", "localhost:1", "127.0.0.2:1", "[::1]:1"}) {
    EXPECT_TRUE(is_loopback(*parse_host_port(written))) << written;
  }
  for (const char* written : {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "host:1"}) {
    EXPECT_FALSE(is_loopback(*parse_host_port(written))) << written;
  }
}

}  // namespace
}  // namespace chappe::config
