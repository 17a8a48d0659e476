#include "chappe/radio/kiss/modem_radio.h"

#include <algorithm>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"
#include "chappe/radio/airtime.h"

namespace chappe::radio::kiss {
namespace {

// The report follows its frame at once: some bytes at the slowest line there is.
constexpr Duration kReportMax = milliseconds(200);

// The modem itself waits for a clear channel, and then for its radio (protocol section 17). Beyond
// that it has lost the frame; and a second for the line.
Duration end_max(const Modulation& modulation, Duration airtime) {
  return (time_on_air(modulation, kFrameMax) + airtime) * 3 / 2 + seconds(1);
}

flow::Credits::Limits one_buffer() {
  flow::Credits::Limits limits;
  limits.total = 1;
  limits.lane_max = {1, 0, 0, 0};
  return limits;
}

// The longest is `set_radio`. It lives in a task's arena, so no longer than that.
using Question = ByteBuffer<2 + Tuning::kBytes>;

Question setting(Command command, std::uint8_t value) {
  auto frame = begin<Question>(command);
  frame.append(value);
  return frame;
}

Question request(Request what, std::uint8_t value) {
  auto frame = begin<Question>(what);
  frame.append(value);
  return frame;
}

Tuning tuning_of(const Modulation& modulation) {
  return {modulation.frequency.count,
          modulation.bandwidth.nominal().count,
          modulation.spreading,
          modulation.coding};
}

}  // namespace

ModemRadio::ModemRadio(async::Executor& executor,
                       async::Line& line,
                       const Modulation& modulation,
                       std::int8_t transmit_dbm,
                       ModemObserver* observer)
    : executor_(executor),
      line_(line),
      modulation_(modulation),
      transmit_dbm_(transmit_dbm),
      observer_(observer),
      credits_(executor.wakes(), one_buffer()),
      heard_(executor.wakes()),
      resets_(executor.wakes()),
      wake_(executor.wakes()),
      answer_(executor.wakes()),
      sent_(executor.wakes()) {}

void ModemRadio::start() {
  executor_.spawn(keeper_, "modem keeper", &ModemRadio::keep, this);
}

void ModemRadio::stop() {
  keeper_.cancel();
  hang_up();
}

// --- Keeping a modem -----------------------------------------------------------------------------

async::Task<> ModemRadio::keep() {
  Duration pause = kPauseMin;
  for (;;) {
    why_lost_ = Lost::cannot_open;
    const auto opened = co_await line_.open();
    if (opened) {
      why_lost_ = Lost::silent;
      static_cast<void>(wake_.take(kBroken | kLook | kOutput));
      executor_.spawn(reader_, "modem reader", &ModemRadio::read, this);
      executor_.spawn(writer_, "modem writer", &ModemRadio::write, this);
      const bool configured = co_await configure();
      if (configured) {
        pause = kPauseMin;
        ready_ = true;
        if (++counters_.ready > 1) resets_.set();
        if (observer_ != nullptr) observer_->on_ready(*this);
        co_await watch();
      }
      hang_up();
    }
    ++counters_.lost;
    if (observer_ != nullptr) observer_->on_lost(*this, why_lost_, pause);
    co_await async::sleep_for(executor_, pause);
    pause = std::min(2 * pause, kPauseMax);
  }
}

// Whatever somebody waits for does not come any more.
void ModemRadio::hang_up() {
  ready_ = false;
  reader_.cancel();
  writer_.cancel();
  line_.close();
  look_timer_.cancel();
  decoder_.reset();
  output_.clear();
  if (is_arriving_) no_report();
  no_answer();
  strays_ = 0;
  if (is_sending_) {
    settle(Unexpected(is_in_output_ ? TransmitFailure::never_keyed : TransmitFailure::unsure));
  }
}

void ModemRadio::give_up(Lost why) {
  why_lost_ = why;
  wake_.set(kBroken);
}

async::Task<bool> ModemRadio::greet() {
  const auto ping = begin<Question>(Request::ping);
  for (int i = 0; i < kGreetings; ++i) {
    const Answer answer = co_await ask(ping, answer_to(Request::ping));
    if (answer.kind == Answer::Kind::given) co_return true;
    if (why_lost_ == Lost::hung_up) break;
  }
  co_return false;
}

async::Task<bool> ModemRadio::configure() {
  const Right held = co_await right().take();
  const bool is_there = co_await greet();
  if (!is_there) co_return false;

  send(setting(Command::transmit_delay, 0));
  send(setting(Command::persistence, 255));
  send(setting(Command::full_duplex, 0));
  auto tune = begin<Question>(Request::set_radio);
  tuning_of(modulation_).write(tune);
  const Question power = request(Request::set_power, static_cast<std::uint8_t>(transmit_dbm_));
  const Question report = request(Request::set_signal_report, 1);

  struct Step {
    Bytes frame;
    std::uint8_t answer;
  };
  const std::array<Step, 3> steps = {
      Step{tune, kDone}, Step{power, kDone}, Step{report, answer_to(Request::signal_report)}};
  for (const Step& step : steps) {
    const Answer answer = co_await ask(step.frame, step.answer);
    if (answer.kind == Answer::Kind::given) continue;
    if (answer.kind == Answer::Kind::refused) why_lost_ = Lost::refused;
    co_return false;
  }
  co_return true;
}

// Returns when there is no modem any more.
async::Task<> ModemRadio::watch() {
  bool probed = false;
  for (;;) {
    const Time due = heard_from_ + kProbeAfter;
    if (executor_.now() < due) probed = false;
    look_timer_.arm(probed ? executor_.now() + kAnswerMax : due);
    const std::uint32_t bits = co_await wake_.wait(kBroken | kLook);
    if ((bits & kBroken) != 0) co_return;
    if (executor_.now() < heard_from_ + kProbeAfter) continue;
    if (probed || !send(begin<Question>(Request::ping))) {
      why_lost_ = Lost::silent;
      co_return;
    }
    probed = true;
  }
}

// --- The line ------------------------------------------------------------------------------------

async::Task<> ModemRadio::read() {
  std::array<std::uint8_t, 512> bytes;
  for (;;) {
    const auto count = co_await line_.read(bytes);
    if (!count) break;
    heard_from_ = executor_.now();
    for (const std::uint8_t byte : Bytes(bytes).first(*count)) {
      const Bytes frame = decoder_.push(byte);
      if (!frame.empty()) receive(frame);
    }
    // A line that is never empty must not have the executor for itself.
    co_await async::yield(executor_);
  }
  give_up(Lost::hung_up);
  no_answer();
}

async::Task<> ModemRadio::write() {
  for (;;) {
    while (output_.empty()) co_await wake_.wait(kOutput);
    writing_ = output_;
    output_.clear();
    is_in_output_ = false;
    const auto written = co_await line_.write(writing_);
    if (!written) break;
  }
  give_up(Lost::hung_up);
}

bool ModemRadio::send(Bytes frame) {
  const LineBuffer line = encode(frame);
  if (line.size() > output_.room()) return false;
  output_.append(line);
  wake_.set(kOutput);
  return true;
}

bool ModemRadio::send_data(Bytes frame) {
  FrameBuffer data = begin(Command::data);
  data.append(frame);
  return send(data);
}

async::Task<ModemRadio::Answer> ModemRadio::ask(Bytes frame, std::uint8_t expected) {
  // Cancelled, the answer still comes.
  struct Asker {
    ~Asker() {
      if (radio.expected_ != 0) ++radio.strays_;
      radio.expected_ = 0;
      radio.answer_timer_.cancel();
      radio.answer_.abandon();
    }
    ModemRadio& radio;
  };
  const Asker asker{*this};
  answer_ticket_ = answer_.arm();
  if (!send(frame)) co_return Answer{};
  expected_ = expected;
  answer_timer_.arm(executor_.now() + kAnswerMax);
  const Answer answer = co_await answer_.result();
  co_return answer;
}

void ModemRadio::answered(const Answer& answer) {
  expected_ = 0;
  answer_.complete(answer_ticket_, answer);
}

void ModemRadio::receive(Bytes frame) {
  switch (static_cast<Command>(frame[0])) {
    case Command::data:
      return receive_data(frame.subspan(1));
    case Command::hardware:
      return receive_hardware(frame.subspan(1));
    default:
      ++counters_.malformed;
  }
}

void ModemRadio::receive_data(Bytes bytes) {
  if (is_arriving_) no_report();
  if (bytes.empty() || bytes.size() > kFrameMax) {
    ++counters_.malformed;
    return;
  }
  arriving_ = Frame{FrameBytes(bytes), {}, {}, executor_.now()};
  is_arriving_ = true;
  report_timer_.arm(executor_.now() + kReportMax);
}

void ModemRadio::receive_hardware(Bytes frame) {
  const std::uint8_t what = frame.empty() ? std::uint8_t{0} : frame[0];
  const Bytes rest = frame.empty() ? frame : frame.subspan(1);
  if (what == kReceiveReport && rest.size() >= 2) {
    if (!is_arriving_) return;
    arriving_.snr = Decibels{static_cast<std::int8_t>(rest[0])};
    arriving_.rssi = Dbm{static_cast<std::int16_t>(static_cast<std::int8_t>(rest[1]) * 4)};
    return deliver();
  }
  if (what == kTransmitDone && !rest.empty()) {
    if (!is_sending_) {
      ++counters_.late_done;
      return;
    }
    // It failed, says the modem, and not whether something was radiated.
    if (rest[0] != 1) return settle(Unexpected(TransmitFailure::unsure));
    const Time keyed = std::max(handed_over_, executor_.now() - airtime_);
    return settle(Transmitted{keyed, airtime_});
  }
  const bool is_error = what == kError && !rest.empty();
  if (is_error && rest[0] == static_cast<std::uint8_t>(ErrorCode::busy)) {
    // It holds another frame, one that we have given up. Only data is answered like this.
    if (is_sending_) settle(Unexpected(TransmitFailure::never_keyed));
    return;
  }
  if (strays_ > 0) {
    --strays_;
    return;
  }
  if (expected_ != 0 && (what == expected_ || is_error)) {
    return answered({is_error ? Answer::Kind::refused : Answer::Kind::given,
                     rest.empty() ? std::uint8_t{0} : rest[0]});
  }
  if (what != answer_to(Request::ping)) ++counters_.malformed;
}

// --- What was heard ------------------------------------------------------------------------------

void ModemRadio::no_report() {
  ++counters_.unreported;
  deliver();
}

void ModemRadio::deliver() {
  is_arriving_ = false;
  report_timer_.cancel();
  if (!inbox_.try_push(arriving_)) {
    ++counters_.overrun;
    return;
  }
  heard_.set();
}

bool ModemRadio::take(Frame& frame) {
  if (inbox_.empty()) return false;
  frame = inbox_.pop();
  return true;
}

// --- What is sent --------------------------------------------------------------------------------

async::Task<Channel> ModemRadio::listen(const Right&) {
  // Blind to our own: one that was cancelled may still be on the air.
  while (is_sending_) co_await quiet_.wait("the modem's end of sending");
  if (!ready_) co_return Channel::clear;
  const auto question = begin<Question>(Request::channel_busy);
  const Answer answer = co_await ask(question, answer_to(Request::channel_busy));
  if (answer.kind == Answer::Kind::silence) give_up(Lost::silent);
  const bool busy = answer.kind == Answer::Kind::given && answer.first != 0;
  co_return busy ? Channel::busy : Channel::clear;
}

async::Task<Result<Transmitted, TransmitFailure>> ModemRadio::transmit(const Right&,
                                                                       Bytes frame,
                                                                       flow::Credit credit) {
  CHAPPE_CHECK(credit);
  CHAPPE_CHECK(!is_sending_);
  if (!ready_ || !send_data(frame)) co_return Unexpected(TransmitFailure::never_keyed);

  struct Asker {
    ~Asker() { completion.abandon(); }
    async::Completion<Outcome>& completion;
  };
  const Asker asker{sent_};
  sent_ticket_ = sent_.arm();
  lane_ = credit.lane();
  credit.hand_over();
  is_sending_ = true;
  is_in_output_ = true;
  handed_over_ = executor_.now();
  airtime_ = time_on_air(modulation_, frame.size());
  end_timer_.arm(handed_over_ + end_max(modulation_, airtime_));
  const Outcome outcome = co_await sent_.result();
  co_return outcome;
}

void ModemRadio::settle(const Outcome& outcome) {
  if (!std::exchange(is_sending_, false)) return;
  is_in_output_ = false;
  end_timer_.cancel();
  sent_.complete(sent_ticket_, outcome);
  credits_.release(lane_, 1);
  quiet_.wake_all();
}

}  // namespace chappe::radio::kiss
