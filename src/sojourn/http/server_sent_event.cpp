#include "sojourn/http/server_sent_event.hpp"

#include <cstddef>

namespace sojourn::http {

namespace {

/// A field for each line: a line's end within one would end the field, and begin another.
void append_lines(std::string& text, std::string_view name, std::string_view value)
{
    while (true) {
        const auto end = value.find_first_of("\r\n");
        text.append(name).append(": ").append(value.substr(0, end)).append("\n");
        if (end == std::string_view::npos) {
            return;
        }
        const std::size_t length = value.substr(end).starts_with("\r\n") ? 2 : 1;
        value.remove_prefix(end + length);
    }
}

} // namespace

std::string ServerSentEvent::text() const
{
    std::string text;
    if (id) {
        append_lines(text, "id", *id);
    }
    if (!type.empty()) {
        append_lines(text, "event", type);
    }
    if (retry) {
        append_lines(text, "retry", std::to_string(retry->count()));
    }
    if (data) {
        append_lines(text, "data", *data);
    }
    return text += '\n';
}

} // namespace sojourn::http
