/// @file
/// The id of a server-sent event of an MCP session: what a client that lost a stream gives back in
/// `Last-Event-ID`.

#ifndef SOJOURN_HTTP_MCP_EVENT_ID_HPP
#define SOJOURN_HTTP_MCP_EVENT_ID_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn::http {

/// Which of a session's streams the event was on, and which of that stream's events it was.
///
/// Unique within the session if its streams have numbers of their own. A replay sends what
/// `follows` the event that the client had last, so it never mixes streams.
struct McpEventId {
    std::uint64_t stream = 0;
    std::uint64_t sequence = 0;

    /// Reads what `text` writes, and nothing else: no signs, no blanks, no leading zeros, no number
    /// of more than 64 bits. So an event has one id, and an id one event.
    [[nodiscard]] static std::optional<McpEventId> parse(std::string_view text) noexcept;

    /// Such as "3-17", of stream 3. *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::string text() const;

    /// Whether it is a later event of the same stream.
    [[nodiscard]] constexpr bool follows(const McpEventId& last) const noexcept
    {
        return stream == last.stream && sequence > last.sequence;
    }

    friend bool operator==(const McpEventId&, const McpEventId&) = default;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_MCP_EVENT_ID_HPP
