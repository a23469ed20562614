/// @file
/// Reads durations as people write them in options and configuration: "90s", "15m", "1h30m", "7d".

#ifndef SOJOURN_CORE_DURATION_HPP
#define SOJOURN_CORE_DURATION_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/time.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sojourn {

/// The longest duration that any option accepts: 365 days. A year is longer than any session should
/// live, and small enough that no sum of deadlines overflows.
inline constexpr Duration max_duration = std::chrono::hours(24 * 365);

/// Reads a duration of whole numbers with units `d h m s ms`, each at most once and from larger to
/// smaller.
///
/// *Errors*: `duration_empty`; `duration_unit_missing` ("90"); `duration_unit_unknown` ("5y");
/// `duration_malformed` ("abc", "1.5h", "1s1h", " 1s"); `duration_zero` ("0", "0s");
/// `duration_negative` ("-5s"); `duration_too_long` (beyond `max_duration`, however many digits).
/// *Complexity*: linear in the text.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// Writes a duration so that `parse_duration` reads it back, when it is a positive multiple of one
/// millisecond and no longer than `max_duration`; what is finer is cut off. Zero and what is
/// negative are "0s".
[[nodiscard]] std::string to_string(Duration duration);

} // namespace sojourn

#endif // SOJOURN_CORE_DURATION_HPP
