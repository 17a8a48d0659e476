#include "chappe/client/password_gate.h"

#include "chappe/mesh/crypto.h"

namespace chappe::client {
namespace {

mesh::Digest digest(std::string_view text) {
  return mesh::crypto::sha256(
      Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace

PasswordGate::State PasswordGate::take(Bytes& bytes) {
  while (state_ == State::waits && !bytes.empty()) {
    const char letter = static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    if (letter == '\n') {
      decide();
    } else if (said_.size() > kPasswordMax) {
      state_ = State::closed;
    } else {
      said_ += letter;
    }
  }
  return state_;
}

void PasswordGate::decide() {
  if (said_.ends_with('\r')) said_.pop_back();
  // Of digests, so that neither length nor content shows in the time.
  const bool same = mesh::crypto::equal(digest(said_), digest(password_));
  state_ = same ? State::open : State::closed;
}

}  // namespace chappe::client
