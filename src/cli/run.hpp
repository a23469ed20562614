/// @file
/// Does what a command line asks for, and shows what came of it.

#ifndef SOJOURN_CLI_RUN_HPP
#define SOJOURN_CLI_RUN_HPP

#include "cli/command_line.hpp"

namespace sojourn::cli {

/// Throws `Unreachable`.
[[nodiscard]] ExitStatus run(const Invocation& invocation);

} // namespace sojourn::cli

#endif // SOJOURN_CLI_RUN_HPP
