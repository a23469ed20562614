/// @file
/// The options of a service, and how our programs add options.

#ifndef EXAMPLES_SHARED_SERVICE_OPTION_HPP
#define EXAMPLES_SHARED_SERVICE_OPTION_HPP

#include <sojourn/core/service_options.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace examples {

/// Adds an option that takes its value as text: `add(name, help, form, take)`, where
/// `take(name, text)` converts it, so that errors are ours and say what is accepted.
[[nodiscard]] inline auto adder(CLI::App& program)
{
    return [&program](
               const std::string& name, const std::string& help, const std::string& form, auto take
           ) {
        return program
            .add_option_function<std::string>(
                name, [name, take](const std::string& text) { take(name, text); }, help
            )
            ->type_name(form);
    };
}

/// Adds the options that every server with sessions has. The references must outlive the parsing.
void add_service_options(CLI::App& program, unsigned& threads, sojourn::ServiceOptions& service);

/// Throws `CLI::ValidationError` if they do not go together.
void check_service_options(const sojourn::ServiceOptions& service);

} // namespace examples

#endif // EXAMPLES_SHARED_SERVICE_OPTION_HPP
