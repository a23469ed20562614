/// @file
/// Fuzzes the reader of server-sent events: in whatever pieces a stream comes, it holds the same
/// events, and each of them, written, reads as itself. The first byte is the length of the pieces.

#include "fuzz/finding.hpp"

#include <sojourn/http/server_sent_event.hpp>
#include <sojourn/http/server_sent_event_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

using namespace sojourn::http;
using namespace sojourn::tests;

namespace {

constexpr std::size_t max_event_bytes = 200;

std::vector<ServerSentEvent> read(std::string_view stream, std::size_t length)
{
    ServerSentEventReader reader(max_event_bytes);
    std::vector<ServerSentEvent> events;
    while (!stream.empty()) {
        const auto piece = stream.substr(0, std::max<std::size_t>(length, 1));
        stream.remove_prefix(piece.size());
        reader.add(piece);
        while (auto event = reader.next()) {
            events.push_back(*std::move(event));
        }
    }
    return events;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are what it is about
    const std::string_view stream(reinterpret_cast<const char*>(bytes + 1), size - 1);
    const auto events = read(stream, stream.size());
    const auto in_pieces = read(stream, bytes[0]);
    if (in_pieces != events) {
        report_finding("{} events at once, {} in pieces", events.size(), in_pieces.size());
    }
    for (const auto& event : events) {
        const auto text = event.text();
        ServerSentEventReader reader(text.size());
        reader.add(text);
        if (reader.next() != event || reader.next() || reader.has_overflowed()) {
            report_finding("an event does not read as it was written: '{}'", text);
        }
    }
    return 0;
}
