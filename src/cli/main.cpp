// sojournctl: looks into a service through its admin endpoint. docs/admin.md.

#include "cli/command_line.hpp"
#include "cli/run.hpp"

#include <boost/system/system_error.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <variant>

int main(int argument_count, char** arguments)
{
    using sojourn::cli::Dismissal;
    using sojourn::cli::ExitStatus;
    using sojourn::cli::Invocation;

    try {
        const auto parsed = sojourn::cli::parse_command_line(argument_count, arguments);
        if (const auto* const dismissal = std::get_if<Dismissal>(&parsed)) {
            (dismissal->status == ExitStatus::success ? std::cout : std::cerr) << dismissal->text;
            return static_cast<int>(dismissal->status);
        }
        const auto& invocation = std::get<Invocation>(parsed);
        try {
            const auto status = sojourn::cli::run(invocation);
            if (!std::cout.flush()) {
                throw std::runtime_error("cannot write the output");
            }
            return static_cast<int>(status);
        } catch (const sojourn::cli::Unreachable& error) {
            std::cerr << "sojournctl: " << invocation.address.text << ": " << error.what() << '\n';
            return static_cast<int>(ExitStatus::unreachable);
        }
    } catch (const boost::system::system_error&) {
        std::cerr << "sojournctl: the endpoint's answer is none of an admin endpoint\n";
        return EXIT_FAILURE;
    } catch (const std::exception& error) {
        std::cerr << "sojournctl: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
