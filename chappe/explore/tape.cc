#include "chappe/explore/tape.h"

#include <charconv>

namespace chappe::explore {
namespace {

// I and T are tokens of their own.
constexpr std::string_view kLetters = "ABCDEFGH";
static_assert(kLetters.size() == kContexts);

std::uint16_t behind_of(const World& world, const Choice& choice) {
  const Memory& memory = world.memory();
  switch (choice.kind) {
    case Kind::load:
    case Kind::rmw:
      return static_cast<std::uint16_t>(memory.length(choice.object) - 1 -
                                        memory.rank(choice.pick));
    case Kind::store:
      return static_cast<std::uint16_t>(memory.length(choice.object) - choice.pick);
    case Kind::park:
    case Kind::choose:
      return choice.pick;
    default:
      return 0;
  }
}

bool fits(const World& world, const Choice& choice, const Tape::Step& step) {
  return choice.context == step.context && (choice.kind == Kind::fire) == step.fires &&
         behind_of(world, choice) == step.behind &&
         (step.label.empty() || step.label == label_of(world, choice));
}

void offer_all(const World& world, std::vector<Choice>& offered) {
  offered.clear();
  for (std::uint8_t core = 0; core < world.core_count(); ++core) world.offer(core, offered);
}

// Interrupts have numbers, in the order in which the test declares them.
int interrupt_number(const std::vector<bool>& interrupts, std::size_t context) {
  int number = 0;
  for (std::size_t i = 0; i <= context && i < interrupts.size(); ++i) number += interrupts[i];
  return number;
}

}  // namespace

std::string label_of(const World& world, const Choice& choice) {
  std::string label = name_of(choice.kind);
  switch (choice.kind) {
    case Kind::load:
    case Kind::store:
    case Kind::rmw:
      return label + " " + world.word_name(choice.object);
    case Kind::lock:
    case Kind::unlock:
    case Kind::park:
    case Kind::unpark:
    case Kind::raise:
      return label + " " + std::string(world.shared_name(choice.object));
    default:
      return label;
  }
}

std::size_t Tape::switches() const {
  std::size_t count = 0;
  for (std::size_t i = 1; i < steps.size(); ++i) count += steps[i].context != steps[i - 1].context;
  return count;
}

std::uint16_t Tape::model() const {
  std::uint32_t hash = 2166136261;
  for (const Step& step : steps) {
    hash = (hash ^ step.context) * 16777619;
    for (const char c : step.label) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  }
  return static_cast<std::uint16_t>(hash ^ hash >> 16);
}

std::string Tape::choices() const {
  std::string text;
  for (std::size_t i = 0; i < steps.size();) {
    const Step& step = steps[i];
    if (!text.empty()) text += ' ';
    if (step.fires) {
      text += "I" + std::to_string(interrupt_number(interrupts, step.context));
      ++i;
      continue;
    }
    text += kLetters[step.context];
    if (!step.plain()) {
      text += (step.chosen                              ? "?"
               : step.label.compare(0, 5, "store") == 0 ? "^"
                                                        : "~") +
              std::to_string(step.behind);
      ++i;
      continue;
    }
    std::size_t run = 0;
    while (i < steps.size() && steps[i].context == step.context && steps[i].plain()) ++run, ++i;
    text += std::to_string(run);
  }
  return text;
}

std::string Tape::text() const {
  char model_text[8];
  const auto end = std::to_chars(model_text, model_text + sizeof model_text, model(), 16).ptr;
  std::string text = "chappe-tape 1  test=" + test + "  model=" + std::string(model_text, end) +
                     "  steps=" + std::to_string(steps.size()) + "\n" + choices() + "\n";
  for (const Step& step : steps) {
    text += kLetters[step.context];
    text += " " + step.label + "\n";
  }
  return text;
}

bool parse_tape(std::string_view text, Tape& tape, std::string& mistake) {
  const bool whole = text.substr(0, 11) == "chappe-tape";
  std::vector<std::string_view> labels;
  if (whole) {
    const auto header_end = text.find('\n');
    const std::string_view header = text.substr(0, header_end);
    if (header.substr(0, 14) != "chappe-tape 1 ") {
      mistake = "version 1 expected";
      return false;
    }
    if (const auto at = header.find("test="); at != std::string_view::npos) {
      tape.test = header.substr(at + 5, header.find(' ', at) - at - 5);
    }
    text = header_end == std::string_view::npos ? "" : text.substr(header_end + 1);
    const auto choices_end = text.find('\n');
    std::string_view rest =
        choices_end == std::string_view::npos ? "" : text.substr(choices_end + 1);
    text = text.substr(0, choices_end);
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      if (const std::string_view line = rest.substr(0, end); line.size() > 2) {
        labels.push_back(line.substr(2));
      }
      rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
  }
  std::size_t at = 0;
  const auto number = [&](std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc{} || value > 9999) return false;
    at = static_cast<std::size_t>(end - text.data());
    return true;
  };
  while (at < text.size()) {
    const char c = text[at++];
    if (c == ' ' || c == '.' || c == '\r') continue;
    std::uint64_t value = 1;
    Tape::Step step;
    if (c == 'I') {
      if (!number(value) || value == 0) break;
      // The number of an interrupt; which context that is, the test says.
      step.fires = true;
      step.context = static_cast<std::uint8_t>(value - 1);
      tape.steps.push_back(step);
      continue;
    }
    const auto letter = kLetters.find(c);
    if (letter == std::string_view::npos) {
      mistake = std::string("no context is called '") + c + "'";
      return false;
    }
    step.context = static_cast<std::uint8_t>(letter);
    if (at < text.size() && (text[at] == '~' || text[at] == '^' || text[at] == '?')) {
      step.chosen = text[at] == '?';
      ++at;
      if (!number(value)) {
        mistake = "a number expected behind ~, ^ or ?";
        return false;
      }
      step.behind = static_cast<std::uint16_t>(value);
      tape.steps.push_back(step);
      continue;
    }
    if (!number(value)) value = 1;
    for (std::uint64_t i = 0; i < value; ++i) tape.steps.push_back(step);
  }
  if (!labels.empty() && labels.size() != tape.steps.size()) {
    mistake = std::to_string(tape.steps.size()) + " choices, but " + std::to_string(labels.size()) +
              " steps";
    return false;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) tape.steps[i].label = labels[i];
  if (tape.steps.empty()) mistake = "a tape without steps";
  return !tape.steps.empty();
}

void TapeDriver::describe_divergence(const World& world, const Tape::Step& step) {
  words_ = "diverged at step " + std::to_string(at_) + ": expected ";
  words_ += kLetters[step.context];
  words_ += step.label.empty() ? std::string(" to go on") : " " + step.label;
  words_ += ", got ";
  std::string got;
  for (const Choice& choice : offered_) {
    if (choice.context != step.context) continue;
    got = label_of(world, choice);
    break;
  }
  words_ += got.empty() ? "nothing: it has ended, or waits" : got;
  if (got == step.label) words_ += ", which has no such outcome";
}

Choice TapeDriver::next(World& world) {
  offer_all(world, offered_);
  if (offered_.empty()) return Choice{};
  while (at_ < tape_.steps.size()) {
    step_ = tape_.steps[at_++];
    Tape::Step& step = step_;
    if (step.fires && tape_.interrupts.empty()) {
      // As parsed: the n-th interrupt of the test.
      std::size_t left = step.context + 1u;
      for (std::size_t i = 0; i < world.context_count(); ++i) {
        if (world.context_priority(i) != 0 && --left == 0) {
          step.context = static_cast<std::uint8_t>(i);
          break;
        }
      }
    }
    for (const Choice& choice : offered_) {
      if (fits(world, choice, step)) return choice;
    }
    if (!strict_) continue;
    describe_divergence(world, step);
    world.fail(Failure::diverged, {words_});
    return Choice{};
  }
  if (world.step_count() != 0) {
    const Choice& last = world.event(world.step_count() - 1).choice;
    for (const Choice& choice : offered_) {
      if (choice.context == last.context && choice.kind != Kind::fire) return choice;
    }
  }
  return offered_.front();
}

Choice RecordingDriver::next(World& world) {
  const Choice choice = inner_.next(world);
  if (choice.kind == Kind::none) return choice;
  Tape::Step step;
  step.context = choice.context;
  step.fires = choice.kind == Kind::fire;
  step.chosen = choice.kind == Kind::choose;
  step.behind = behind_of(world, choice);
  step.label = label_of(world, choice);
  tape_.steps.push_back(std::move(step));
  return choice;
}

Tape RecordingDriver::take(const World& world, std::string test) {
  tape_.test = std::move(test);
  tape_.interrupts.clear();
  for (std::size_t i = 0; i < world.context_count(); ++i) {
    tape_.interrupts.push_back(world.context_priority(i) != 0);
  }
  return std::move(tape_);
}

Choice RandomDriver::next(World& world) {
  offer_all(world, offered_);
  if (offered_.empty()) return Choice{};
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return offered_[(z ^ (z >> 31)) % offered_.size()];
}

}  // namespace chappe::explore
