/// @file
/// The command line of `sojournctl`.

#ifndef SOJOURN_CLI_COMMAND_LINE_HPP
#define SOJOURN_CLI_COMMAND_LINE_HPP

#include "cli/client.hpp"
#include "cli/missed_frames.hpp"

#include <sojourn/core/time.hpp>

#include <boost/beast/http/verb.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace sojourn::cli {

/// What the program ends with.
enum class ExitStatus : int {
    success = 0,
    /// The endpoint refused, or could not do it.
    failure = 1,
    /// The command line was wrong, or nobody was there to say yes.
    usage = 2,
    /// Nobody answers at the endpoint.
    unreachable = 3,
    /// The token is missing or wrong, or does not allow it.
    forbidden = 4,
    /// There is no such session.
    not_found = 5,
    /// `health`: the service is not ready.
    not_ready = 6,
};

/// How an answer is shown.
enum class Topic : std::uint8_t {
    sessions,
    session,
    frames,
    deletion,
    cleanup,
    statistics,
    health,
    drain
};

/// A command line that asks the endpoint for something.
struct Invocation {
    Address address;
    std::optional<std::string> token;
    bool is_json = false;
    bool is_coloured = true;

    Topic topic{};
    boost::beast::http::verb method = boost::beast::http::verb::get;
    std::string target;
    /// What is asked before it is done, if it destroys something and nobody said yes.
    std::optional<std::string> question;
    /// `session list --all-pages`
    bool wants_all_pages = false;
    /// `frames --follow`
    bool follows = false;
    /// `frames --after`
    std::uint64_t after = 0;
    /// `frames --stream`
    FrameChoice frames = FrameChoice::all;
    /// `stats --watch`
    std::optional<Duration> interval;
    /// `drain`: how long to wait for its end; nothing for not at all.
    std::optional<Duration> patience;
};

/// A command line that asks for no more than a text.
struct Dismissal {
    ExitStatus status{};
    std::string text;
};

/// Reads a command line. Everything is checked before anything is asked.
[[nodiscard]] std::variant<Invocation, Dismissal>
parse_command_line(int argument_count, const char* const* arguments);

} // namespace sojourn::cli

#endif // SOJOURN_CLI_COMMAND_LINE_HPP
