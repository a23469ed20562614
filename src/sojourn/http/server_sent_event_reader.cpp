#include "sojourn/http/server_sent_event_reader.hpp"

#include "sojourn/http/decimal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace sojourn::http {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

} // namespace

void ServerSentEventReader::add(std::string_view bytes)
{
    added_.erase(0, read_);
    searched_ -= read_;
    read_ = 0;
    added_ += bytes;
}

std::optional<ServerSentEvent> ServerSentEventReader::next()
{
    while (!has_overflowed_ && has_begun()) {
        const auto line = next_line();
        if (!line) {
            // What has no end yet may never have one.
            has_overflowed_ = event_bytes_ + (added_.size() - read_) > max_event_bytes_;
            return std::nullopt;
        }
        event_bytes_ += line->size();
        has_overflowed_ = event_bytes_ > max_event_bytes_;
        if (has_overflowed_) {
            return std::nullopt;
        }
        if (!line->empty()) {
            read_line(*line);
            continue;
        }
        event_bytes_ = 0;
        if (event_ != ServerSentEvent()) {
            return std::exchange(event_, ServerSentEvent());
        }
    }
    return std::nullopt;
}

/// Whether there is something of the first event. A byte order mark before it is none of its bytes.
bool ServerSentEventReader::has_begun()
{
    if (has_begun_) {
        return true;
    }
    if (byte_order_mark.starts_with(added_)) {
        // It may become one.
        return false;
    }
    if (added_.starts_with(byte_order_mark)) {
        read_ = byte_order_mark.size();
        searched_ = read_;
    }
    has_begun_ = true;
    return true;
}

/// The next line, without its end: a carriage return, a line feed, or both.
std::optional<std::string_view> ServerSentEventReader::next_line()
{
    if (was_carriage_return_ && read_ < added_.size()) {
        was_carriage_return_ = false;
        if (added_[read_] == '\n') {
            ++read_;
            searched_ = std::max(searched_, read_);
        }
    }
    const auto end = added_.find_first_of("\r\n", searched_);
    if (end == std::string::npos) {
        searched_ = added_.size();
        return std::nullopt;
    }
    const auto line = std::string_view(added_).substr(read_, end - read_);
    was_carriage_return_ = added_[end] == '\r';
    read_ = end + 1;
    searched_ = read_;
    return line;
}

void ServerSentEventReader::read_line(std::string_view line)
{
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        read_field(line, {});
        return;
    }
    auto value = line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    read_field(line.substr(0, colon), value);
}

void ServerSentEventReader::read_field(std::string_view name, std::string_view value)
{
    if (name == "data") {
        if (event_.data) {
            event_.data->append("\n").append(value);
        } else {
            event_.data = value;
        }
    } else if (name == "event") {
        event_.type = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        event_.id = value;
    } else if (name == "retry") {
        if (const auto number = parse_decimal<std::uint32_t>(value)) {
            event_.retry = std::chrono::milliseconds(*number);
        }
    }
}

} // namespace sojourn::http
