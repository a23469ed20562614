/// @file
/// What the terminal is like, if there is one.

#ifndef SOJOURN_CLI_TERMINAL_HPP
#define SOJOURN_CLI_TERMINAL_HPP

#include <cstddef>
#include <optional>

namespace sojourn::cli {

/// Whether a person types there.
[[nodiscard]] bool is_asked_by_a_person();

/// Columns of the terminal that the output goes to; nothing if it goes elsewhere.
[[nodiscard]] std::optional<std::size_t> output_columns();

/// Whether errors and progress go to a terminal.
[[nodiscard]] bool shows_progress();

/// Whether the user asked for no colour, by the variable NO_COLOR.
[[nodiscard]] bool declines_colour();

} // namespace sojourn::cli

#endif // SOJOURN_CLI_TERMINAL_HPP
