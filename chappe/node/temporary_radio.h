#pragma once

#include <optional>

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/node/board.h"
#include "chappe/node/preferences.h"
#include "chappe/node/repeater.h"
#include "chappe/tx/bucket.h"

namespace chappe::node {

/// The modulation that preferences mean; nothing if no LoRa modem has it.
std::optional<radio::Modulation> modulation_of(const RadioPreferences& preferences);

/// Radio parameters for some minutes, so that who tries them from afar cannot lose the node: they
/// apply after two seconds, when the reply is out, and go by themselves.
/// Context: the node's executor.
class TemporaryRadio {
 public:
  /// `bucket` may be null.
  TemporaryRadio(async::Executor& executor, Repeater& repeater, Board& board, tx::Bucket* bucket)
      : repeater_(repeater), board_(board), bucket_(bucket), next_(executor, *this) {}

  /// Asked again meanwhile, the new ones count, and it still ends where it began.
  void use(const radio::Modulation& modulation, Duration span);

 private:
  struct Next : async::Timer {
    Next(async::Executor& executor, TemporaryRadio& of) : Timer(executor, &fired), temporary(of) {}
    static void fired(Timer& timer, const async::TimerContext& context);
    TemporaryRadio& temporary;
  };

  void on_time(Time now);
  void tune(const radio::Modulation& modulation);

  Repeater& repeater_;
  Board& board_;
  tx::Bucket* const bucket_;
  std::optional<radio::Modulation> wanted_;     // not applied yet
  std::optional<radio::Modulation> permanent_;  // to go back to
  Duration span_{};
  Next next_;
};

}  // namespace chappe::node
