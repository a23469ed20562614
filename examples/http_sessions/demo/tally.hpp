/// @file
/// What the visitors of the demo saw, counted on their side of the wire.

#ifndef HTTP_SESSIONS_DEMO_TALLY_HPP
#define HTTP_SESSIONS_DEMO_TALLY_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace http_sessions {

struct Tally {
    std::uint64_t requests = 0;
    std::uint64_t created = 0;
    std::uint64_t touched = 0;
    std::uint64_t rate_limited = 0;
    /// Wanted a session and were told to come back later.
    std::uint64_t shed = 0;
    /// Came back and found that their session had been evicted or had expired.
    std::uint64_t lost = 0;

    std::uint64_t failures = 0;
    /// The first few of them.
    std::vector<std::string> failure_texts;

    /// Notes something that should not have happened.
    void fail(std::string what)
    {
        constexpr std::size_t texts_max = 5;
        ++failures;
        if (failure_texts.size() < texts_max) {
            failure_texts.push_back(std::move(what));
        }
    }
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_DEMO_TALLY_HPP
