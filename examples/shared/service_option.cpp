#include "shared/service_option.hpp"

#include "shared/option_value.hpp"

#include <algorithm>
#include <string_view>

namespace examples {

namespace {

/// The option that sets this field of `sojourn::ServiceOptions`.
std::string option_for(std::string_view field)
{
    if (field == "absolute_lifetime") {
        return "--lifetime";
    }
    if (field == "request_rate") {
        return "--rate";
    }
    if (field == "max_sessions_per_principal") {
        return "--sessions-per-principal";
    }
    std::string option = "--" + std::string(field);
    std::ranges::replace(option, '_', '-');
    return option;
}

} // namespace

void add_service_options(CLI::App& program, unsigned& threads, sojourn::ServiceOptions& service)
{
    const auto add = adder(program);
    add("--threads",
        "threads that serve, 1 to 256 (1)",
        "N",
        [&threads](const auto& name, const auto& text) {
            threads = static_cast<unsigned>(to_count(name, text, 256));
        });
    add("--max-sessions",
        "sessions that may exist at once, 1 to 100000000 (100000)",
        "N",
        [&service](const auto& name, const auto& text) {
            service.max_sessions(to_count(name, text, 100'000'000));
        });
    add("--creation-rate",
        "sessions a second that one address may create, and at once; or 'unlimited' (unlimited: "
        "behind a proxy all have its address)",
        "N",
        [&service](const auto& name, const auto& text) {
            service.creation_rate(to_rate(name, text));
        });
    add("--idle-timeout",
        "how long a session may lie idle (30m)",
        "DURATION",
        [&service](const auto& name, const auto& text) {
            service.idle_timeout(to_duration(name, text));
        });
    add("--lifetime",
        "how long a session may live, however busy it is (8h)",
        "DURATION",
        [&service](const auto& name, const auto& text) {
            service.absolute_lifetime(to_duration(name, text));
        });
    add("--rate",
        "requests a second that one session may make, and at once; or 'unlimited' (100)",
        "N",
        [&service](const auto& name, const auto& text) {
            service.request_rate(to_rate(name, text));
        });
    add("--max-in-flight",
        "requests with a session that may be at work at once, 1 to 1000000; others wait in line "
        "(no limit)",
        "N",
        [&service](const auto& name, const auto& text) {
            service.max_in_flight(to_count(name, text, 1'000'000));
        });
}

void check_service_options(const sojourn::ServiceOptions& service)
{
    if (const auto invalid = service.validate()) {
        refuse(option_for(invalid->field), "must be " + std::string(invalid->accepted));
    }
}

} // namespace examples
