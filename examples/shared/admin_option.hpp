/// @file
/// The options of an admin endpoint, as our programs take them.

#ifndef EXAMPLES_SHARED_ADMIN_OPTION_HPP
#define EXAMPLES_SHARED_ADMIN_OPTION_HPP

#include <sojourn/admin/options.hpp>

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace examples {

/// What is said of the endpoint, before it is checked as a whole.
struct AdminWishes {
    std::optional<sojourn::admin::Options> endpoint;
    std::optional<std::string> token;
    bool console = false;
};

/// Adds them. The wishes must outlive the parsing.
void add_admin_options(CLI::App& program, AdminWishes& wishes);

/// The endpoint that is wished for, with metrics; nothing if there is to be none. Throws
/// `CLI::ValidationError` if the options do not go together.
[[nodiscard]] std::optional<sojourn::admin::Options> to_admin(const AdminWishes& wishes);

} // namespace examples

#endif // EXAMPLES_SHARED_ADMIN_OPTION_HPP
