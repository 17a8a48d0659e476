#include "chappe/node/console_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace chappe::node {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

// Where a number begins: from_chars knows neither spaces nor a plus. "inf" and "nan" are no
// numbers.
std::string_view at_number(std::string_view words) {
  words = trim_front(words);
  if (words.starts_with('+')) words.remove_prefix(1);
  const std::string_view digits = words.starts_with('-') ? words.substr(1) : words;
  const bool is_number = !digits.empty() && (is_digit(digits[0]) || digits[0] == '.');
  return is_number ? words : std::string_view();
}

}  // namespace

double leading_number(std::string_view words) {
  const std::string_view text = at_number(words);
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() ? number : 0;
}

std::int32_t leading_integer(std::string_view words) {
  const std::string_view text = at_number(words);
  std::int32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc::result_out_of_range) {
    return text.starts_with('-') ? std::numeric_limits<std::int32_t>::min()
                                 : std::numeric_limits<std::int32_t>::max();
  }
  return number;
}

std::optional<double> whole_number(std::string_view words) {
  const std::string_view text = at_number(trim(words));
  if (text.empty()) return std::nullopt;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::string_view trim_front(std::string_view words) {
  words.remove_prefix(std::min(words.find_first_not_of(' '), words.size()));
  return words;
}

std::string_view trim(std::string_view words) {
  words = trim_front(words);
  const std::size_t last = words.find_last_not_of(' ');
  return words.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view take_word(std::string_view& rest) {
  rest = trim_front(rest);
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

void append_float(Reply& out, float number) {
  constexpr double kScale = 1e7;
  constexpr double kLargest = 4e9;  // beyond, nothing that is set here makes sense
  const double value = std::clamp(static_cast<double>(number), -kLargest, kLargest);
  const double magnitude = std::abs(value);
  const double whole = std::floor(magnitude);
  // A float has 24 bits and 10^7 needs 17 beside its twos: the product is exact.
  auto decimals = static_cast<std::uint32_t>((magnitude - whole) * kScale);
  int places = 7;
  while (places > 1 && decimals % 10 == 0) {
    decimals /= 10;
    --places;
  }
  if (value < 0) out.append('-');
  append_number(out, static_cast<std::uint32_t>(whole));
  out.append('.');
  std::uint32_t unit = 1;
  for (int i = 1; i < places; ++i) unit *= 10;
  for (; unit > 0; unit /= 10) out.append(static_cast<char>('0' + decimals / unit % 10));
}

void append_bandwidth(Reply& out, double khz) {
  const std::int64_t thousandths = std::llround(khz * 1000);
  append_number(out, thousandths / 1000);
  std::int64_t rest = thousandths % 1000;
  if (rest == 0) return;
  out.append('.');
  for (std::int64_t unit = 100; rest > 0; unit /= 10) {
    out.append(static_cast<char>('0' + rest / unit));
    rest %= unit;
  }
}

void append_tenths(Reply& out, std::int64_t tenths) {
  append_number(out, tenths / 10);
  out.append('.');
  append_number(out, tenths % 10);
}

void append_hex(Reply& out, Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const std::uint8_t byte : bytes) out.append(kDigits[byte >> 4]).append(kDigits[byte & 15]);
}

void append_date(Reply& out, std::uint32_t unix_seconds) {
  constexpr std::uint32_t kYear2000 = 946'684'800;
  constexpr std::uint32_t kDay = 86'400;
  constexpr std::uint32_t kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const std::uint32_t seconds = unix_seconds - kYear2000;
  std::uint32_t days = seconds / kDay;
  std::uint32_t year = 2000;
  for (;; ++year) {
    const std::uint32_t length = year % 4 == 0 ? 366 : 365;
    if (days < length) break;
    days -= length;
  }
  std::uint32_t month = 0;
  for (;; ++month) {
    const std::uint32_t length = kMonthDays[month] + (month == 1 && year % 4 == 0 ? 1 : 0);
    if (days < length) break;
    days -= length;
  }
  const auto append_two = [&](std::uint32_t number) {
    out.append(static_cast<char>('0' + number / 10)).append(static_cast<char>('0' + number % 10));
  };
  append_two(seconds / 3600 % 24);
  out.append(':');
  append_two(seconds / 60 % 60);
  out.append(" - ");
  append_number(out, days + 1);
  out.append('/');
  append_number(out, month + 1);
  out.append('/');
  append_number(out, year);
  out.append(" UTC");
}

}  // namespace chappe::node
