#include "chappe/client/password_gate.h"

#include <gtest/gtest.h>

namespace chappe::client {
namespace {

using State = PasswordGate::State;

Bytes bytes_of(std::string_view text) {
  return Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

TEST(PasswordGate, OpensForThePasswordAndLeavesWhatIsBehindIt) {
  PasswordGate gate("geheim");
  Bytes bytes = bytes_of("geheim\r\nrest");
  EXPECT_EQ(gate.take(bytes), State::open);
  EXPECT_EQ(bytes.size(), 4u);
  EXPECT_EQ(gate.take(bytes), State::open);
  EXPECT_EQ(bytes.size(), 4u) << "an open gate takes nothing";
}

TEST(PasswordGate, OpensHoweverTheLineIsCut) {
  PasswordGate gate("geheim");
  for (const char letter : std::string_view("geheim")) {
    Bytes byte = bytes_of(std::string_view(&letter, 1));
    EXPECT_EQ(gate.take(byte), State::waits);
  }
  Bytes end = bytes_of("\n");
  EXPECT_EQ(gate.take(end), State::open);
}

TEST(PasswordGate, StaysClosedForEverythingElse) {
  for (const char* said : {"\n", "geheim \n", "Geheim\n", "gehei\n", "geheimx\n"}) {
    PasswordGate gate("geheim");
    Bytes bytes = bytes_of(said);
    EXPECT_EQ(gate.take(bytes), State::closed) << said;
    Bytes again = bytes_of("geheim\n");
    EXPECT_EQ(gate.take(again), State::closed) << "there is no second try";
  }
}

TEST(PasswordGate, ClosesOnALineThatIsTooLongToBeOne) {
  PasswordGate gate("geheim");
  const std::string endless(PasswordGate::kPasswordMax + 2, 'x');
  Bytes bytes = bytes_of(endless);
  EXPECT_EQ(gate.take(bytes), State::closed);
}

TEST(PasswordGate, IsOpenWithoutAPassword) {
  PasswordGate gate("");
  Bytes bytes = bytes_of("x");
  EXPECT_EQ(gate.take(bytes), State::open);
  EXPECT_EQ(bytes.size(), 1u);
}

}  // namespace
}  // namespace chappe::client
