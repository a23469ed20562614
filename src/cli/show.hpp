/// @file
/// What the endpoint told, as text for people. Pure.

#ifndef SOJOURN_CLI_SHOW_HPP
#define SOJOURN_CLI_SHOW_HPP

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sojourn::cli {

/// A table of sessions, no wider than so many columns if it can be.
[[nodiscard]] std::string
show_sessions(const boost::json::array& sessions, std::optional<std::size_t> columns);

[[nodiscard]] std::string show_session(const boost::json::value& session);

/// Whether a table has its headings.
enum class Heading : std::uint8_t { shown, omitted };

/// A line for each frame, cut to so many columns. The columns of several such texts are in line.
[[nodiscard]] std::string
show_frames(const boost::json::array& frames, std::optional<std::size_t> columns, Heading heading);

/// What is asked for most of what was counted; with those of a moment before, how many of each came
/// in a second, too.
[[nodiscard]] std::string show_statistics(
    const boost::json::value& now, const boost::json::value* before = nullptr, double seconds = 1
);

[[nodiscard]] std::string show_health(const boost::json::value& health, bool is_coloured);

/// JSON of this value, on one line, with `\u` escapes for what a terminal would obey or not show.
[[nodiscard]] std::string show_json(const boost::json::value& value);

/// A length of time such as "1h30m", of no more than two units; "450ms" below a second.
[[nodiscard]] std::string show_seconds(double seconds);

} // namespace sojourn::cli

#endif // SOJOURN_CLI_SHOW_HPP
