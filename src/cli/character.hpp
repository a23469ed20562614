/// @file
/// Characters of a UTF-8 text, and which of them no terminal should be sent. Pure.

#ifndef SOJOURN_CLI_CHARACTER_HPP
#define SOJOURN_CLI_CHARACTER_HPP

#include <cstddef>
#include <string_view>

namespace sojourn::cli {

struct Character {
    char32_t code = 0;
    /// How long it is in UTF-8.
    std::size_t bytes = 0;
};

/// Precondition: the text is UTF-8, and not empty.
[[nodiscard]] Character first_character(std::string_view text) noexcept;

/// True for what a terminal shows nothing for, but obeys it or changes the order of others: control
/// characters, and Unicode's format characters for bidirectional text, lines and joins.
[[nodiscard]] bool is_unseen(char32_t code) noexcept;

} // namespace sojourn::cli

#endif // SOJOURN_CLI_CHARACTER_HPP
