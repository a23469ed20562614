/// @file
/// Reads a `text/event-stream` in the pieces in which it comes.

#ifndef SOJOURN_HTTP_SERVER_SENT_EVENT_READER_HPP
#define SOJOURN_HTTP_SERVER_SENT_EVENT_READER_HPP

#include "sojourn/http/server_sent_event.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn::http {

/// The events of a stream, one after the other.
///
/// What it gives is each event that has at least one field, also one without data: who passes a
/// stream on must pass on its ids. It does not keep an id for the events after it, as a client
/// does. Comments, unknown fields, an id with U+0000 and a `retry` that is no number are
/// overlooked, as is what comes after the last empty line.
class ServerSentEventReader {
public:
    /// An event may have so many bytes, with its fields' names and comments.
    explicit ServerSentEventReader(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes)
    {
    }

    /// Takes the next bytes of the stream. *Exceptions*: `bad_alloc`.
    void add(std::string_view bytes);

    /// The next event of what was added; nothing if there is none yet. Linear in what was added.
    /// *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::optional<ServerSentEvent> next();

    /// Whether an event had more bytes than it may. From then on there are no more events.
    [[nodiscard]] bool has_overflowed() const noexcept { return has_overflowed_; }

private:
    [[nodiscard]] bool has_begun();
    [[nodiscard]] std::optional<std::string_view> next_line();
    void read_line(std::string_view line);
    void read_field(std::string_view name, std::string_view value);

    std::size_t max_event_bytes_;
    /// What was added; up to `read_` it has been read.
    std::string added_;
    std::size_t read_ = 0;
    /// Where to look for a line's end: there is none between `read_` and this.
    std::size_t searched_ = 0;
    std::size_t event_bytes_ = 0;
    ServerSentEvent event_;
    bool has_begun_ = false;
    /// A line feed that comes next belongs to the line's end before it.
    bool was_carriage_return_ = false;
    bool has_overflowed_ = false;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_SERVER_SENT_EVENT_READER_HPP
