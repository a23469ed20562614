/// @file
/// Events of a `text/event-stream`, as the HTML standard has them in "Server-sent events".

#ifndef SOJOURN_HTTP_SERVER_SENT_EVENT_HPP
#define SOJOURN_HTTP_SERVER_SENT_EVENT_HPP

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn::http {

/// The value of `Content-Type` of a stream of events.
inline constexpr std::string_view event_stream_type = "text/event-stream";

/// A comment, which clients overlook. Sent now and then, it keeps a stream that has nothing to say
/// from being taken for dead, and finds out whether the client is.
inline constexpr std::string_view keep_alive_comment = ": \n\n";

/// An event, or a part of one: each field may be missing. A client is told only of one that has
/// data, but takes note of the id and of `retry` all the same.
struct ServerSentEvent {
    /// Without a line's end or U+0000.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designator may leave it out
    std::optional<std::string> id = {};
    /// Empty for "message". Without a line's end.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designator may leave it out
    std::string type = {};
    /// Any text. A client is given each line's end of it as a line feed.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designator may leave it out
    std::optional<std::string> data = {};
    /// After which time a client that has lost the stream should come back.
    std::optional<std::chrono::milliseconds> retry = std::nullopt;

    /// The event as it is sent. *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::string text() const;

    friend bool operator==(const ServerSentEvent&, const ServerSentEvent&) = default;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_SERVER_SENT_EVENT_HPP
