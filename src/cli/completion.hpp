/// @file
/// Completion for shells, made from the command line itself, so that it knows no more and no less.

#ifndef SOJOURN_CLI_COMPLETION_HPP
#define SOJOURN_CLI_COMPLETION_HPP

#include <string>
#include <string_view>

namespace CLI { // NOLINT(readability-identifier-naming): CLI11's
class App;
} // namespace CLI

namespace sojourn::cli {

/// A script for "bash" or "zsh".
[[nodiscard]] std::string completion_script(const CLI::App& program, std::string_view shell);

} // namespace sojourn::cli

#endif // SOJOURN_CLI_COMPLETION_HPP
