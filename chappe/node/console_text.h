#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/short_string.h"
#include "chappe/base/text.h"

/// How the console reads and writes numbers, keys and dates: exactly as the reference does, since
/// tools parse its replies.
namespace chappe::node {

/// 160 bytes with the zero byte that ends it in the reference.
using Reply = ShortString<159>;

// --- Reading -------------------------------------------------------------------------------------

/// The number that `words` begin with, after spaces; 0 if there is none.
double leading_number(std::string_view words);
std::int32_t leading_integer(std::string_view words);
/// The number that `words` are, and nothing else.
std::optional<double> whole_number(std::string_view words);

/// Takes the first word off `rest`; empty if there is none. Words are separated by spaces.
std::string_view take_word(std::string_view& rest);
std::string_view trim_front(std::string_view words);
std::string_view trim(std::string_view words);

// --- Writing -------------------------------------------------------------------------------------

template <std::integral N>
void append_number(Reply& out, N number) {
  out.append(Text<24>().add(number).view());
}
/// Up to seven decimals, cut and not rounded, trailing zeros removed, at least one decimal.
void append_float(Reply& out, float number);
/// Three decimals, rounded, without trailing zeros: a bandwidth.
void append_bandwidth(Reply& out, double khz);
/// A number of tenths with one decimal.
void append_tenths(Reply& out, std::int64_t tenths);
/// Upper-case digits.
void append_hex(Reply& out, Bytes bytes);
/// "HH:MM - D/M/YYYY UTC". The reference counts from 2000 in four-year steps, so from 2100 on, and
/// before 2000, its dates are its own; nobody sees a difference who sets a clock right.
void append_date(Reply& out, std::uint32_t unix_seconds);

}  // namespace chappe::node
