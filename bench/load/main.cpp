// What the service does under more load than it can take. See ../README.md.
//
//   sojourn_load [--small] [--seconds N] [QUESTION...]
//
// Asks all questions, or those that are named, and prints the figures as JSON. Exit status 1 if
// something does not hold that must, whatever the machine does.

#include "load/questions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using sojourn::bench::Claims;
using sojourn::bench::Report;
using sojourn::bench::Scale;
using namespace std::chrono_literals;

struct Question {
    std::string_view name;
    Report (*ask)(const Scale&, Claims&);
};

constexpr std::array questions{
    Question{"overload", sojourn::bench::overload},
    Question{"attacker", sojourn::bench::attacker},
    Question{"slow_listener", sojourn::bench::slow_listener},
};

constexpr Scale full{
    .phase = 30s,
    .users = 1'000,
    .max_sessions = 100'000,
    .mints = 1'000'000,
    .listener_time = 100ms,
};

/// About a second for each question, to see that all of it works.
constexpr Scale small{
    .phase = 200ms,
    .users = 100,
    .max_sessions = 4'000,
    .mints = 40'000,
    .listener_time = 5ms,
};

struct Wish {
    Scale scale = full;
    std::vector<Question> questions;
};

std::optional<std::chrono::seconds> seconds_in(std::string_view text)
{
    constexpr int most = 3'600;
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > most) {
        return std::nullopt;
    }
    return std::chrono::seconds(count);
}

std::optional<Wish> wish_in(std::span<char* const> arguments)
{
    Wish wish;
    std::optional<std::chrono::seconds> phase;
    for (auto next = arguments.begin(); next != arguments.end(); ++next) {
        const std::string_view word = *next;
        if (word == "--small") {
            wish.scale = small;
        } else if (word == "--seconds" && next + 1 != arguments.end()) {
            phase = seconds_in(*++next);
            if (!phase) {
                return std::nullopt;
            }
        } else {
            const auto* const asked = std::ranges::find(questions, word, &Question::name);
            if (asked == questions.end()) {
                return std::nullopt;
            }
            wish.questions.push_back(*asked);
        }
    }
    if (phase) {
        wish.scale.phase = *phase;
    }
    if (wish.questions.empty()) {
        wish.questions.assign(questions.begin(), questions.end());
    }
    return wish;
}

} // namespace

int main(int argc, char** argv)
try {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    const auto wish = wish_in(arguments.subspan(1));
    if (!wish) {
        std::cerr << "usage: sojourn_load [--small] [--seconds N] "
                     "[overload] [attacker] [slow_listener]\n";
        return 2;
    }
    Claims claims;
    std::vector<Report> reports;
    for (const auto& question : wish->questions) {
        reports.push_back(question.ask(wish->scale, claims));
    }
    sojourn::bench::write_json(std::cout, reports);
    for (const auto& broken : claims.broken()) {
        std::cerr << "sojourn_load: " << broken << '\n';
    }
    return claims.broken().empty() ? 0 : 1;
} catch (const std::exception& failure) {
    std::cerr << "sojourn_load: " << failure.what() << '\n';
    return 1;
}
