#include <chappe/async/executor.h>
#include <chappe/async/sleep.h>
#include <chappe/port/linux/linux_port.h>

chappe::async::Task<> greet(chappe::async::Executor& executor, int& greetings) {
  co_await chappe::async::sleep_for(executor, chappe::milliseconds(1));
  ++greetings;
  executor.stop();
}

int main() {
  int greetings = 0;
  chappe::port::LinuxPort port;
  chappe::async::Executor executor(port);
  chappe::async::TaskSlot<1024> slot;
  executor.spawn(slot, "greet", greet, executor, greetings);
  executor.run();
  return greetings == 1 ? 0 : 1;
}
