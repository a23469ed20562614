#include <sojourn/http/server_sent_event.hpp>
#include <sojourn/http/server_sent_event_reader.hpp>

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn::tests {

namespace {

using http::ServerSentEvent;
using http::ServerSentEventReader;

/// All events of a stream that comes in pieces of this length.
std::vector<ServerSentEvent> read(std::string_view stream, std::size_t length)
{
    ServerSentEventReader reader(1000);
    std::vector<ServerSentEvent> events;
    for (std::size_t i = 0; i < stream.size(); i += length) {
        reader.add(stream.substr(i, length));
        while (auto event = reader.next()) {
            events.push_back(*std::move(event));
        }
    }
    return events;
}

/// The same, which must not depend on the pieces.
std::vector<ServerSentEvent> read(std::string_view stream)
{
    const auto whole = read(stream, stream.size());
    for (std::size_t length = 1; length < stream.size(); ++length) {
        INFO("pieces of " << length);
        CHECK(read(stream, length) == whole);
    }
    return whole;
}

ServerSentEvent data(std::string text)
{
    return {.data = std::move(text)};
}

} // namespace

TEST_CASE("server_sent_event: it has a line for each field, and an empty one at its end", "[http]")
{
    const ServerSentEvent event{
        .id = "3-17", .type = "created", .data = "{}", .retry = std::chrono::milliseconds(1500)
    };
    CHECK(event.text() == "id: 3-17\nevent: created\nretry: 1500\ndata: {}\n\n");
    CHECK(data("").text() == "data: \n\n");
    CHECK(ServerSentEvent().text() == "\n");
}

TEST_CASE("server_sent_event: no text of a field can begin another field", "[http]")
{
    CHECK(data("a\nid: 1\r\rb\r\n").text() == "data: a\ndata: id: 1\ndata: \ndata: b\ndata: \n\n");
}

TEST_CASE("server_sent_event_reader: it reads what an event writes", "[http]")
{
    const std::vector<ServerSentEvent> events = {
        {.id = "1", .type = "message", .data = "a\nb\n\nc", .retry = std::chrono::milliseconds(0)},
        {.id = "", .data = ""},
        {.data = " leading blank: and a colon"},
    };
    std::string stream;
    for (const auto& event : events) {
        stream += event.text();
    }
    CHECK(read(stream) == events);
}

TEST_CASE("server_sent_event_reader: lines end in each of the three ways", "[http]")
{
    CHECK(
        read("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\n") ==
        std::vector{data("a"), data("b"), data("c"), data("d")}
    );
}

TEST_CASE("server_sent_event_reader: what is no field is overlooked", "[http]")
{
    CHECK(read(": comment\n\n\n\nnothing: a\nid: a\0b\nretry: 1s\nretry: -1\n\n").empty());
    const std::string with_zero("id: a\0b\ndata: c\n\n", 17);
    CHECK(read(with_zero) == std::vector{data("c")});
    CHECK(read(": comment\ndata: a\nnothing\n\n") == std::vector{data("a")});
}

TEST_CASE("server_sent_event_reader: a byte order mark at the very beginning is none", "[http]")
{
    CHECK(
        read("\xEF\xBB\xBF"
             "data: a\n\n\xEF\xBB\xBF"
             "data: b\n\n") == std::vector{data("a")}
    );
}

TEST_CASE(
    "server_sent_event_reader: a byte order mark takes none of an event's room, however it comes",
    "[http]"
)
{
    ServerSentEventReader reader(7);
    for (const auto* const piece : {"\xEF", "\xBB", "\xBF", "data: a"}) {
        reader.add(piece);
        CHECK(!reader.next().has_value());
    }
    reader.add("\n\n");
    CHECK(reader.next() == data("a"));
    CHECK(!reader.has_overflowed());
}

TEST_CASE(
    "server_sent_event_reader: a field may lack its colon, and one blank is no text", "[http]"
)
{
    CHECK(read("data\n\n") == std::vector{data("")});
    CHECK(read("data:a\ndata:  b\n\n") == std::vector{data("a\n b")});
    CHECK(read("data\ndata\n\n") == std::vector{data("\n")});
}

TEST_CASE("server_sent_event_reader: an event that has not ended is none", "[http]")
{
    CHECK(read("data: a\n\ndata: b\n") == std::vector{data("a")});
}

TEST_CASE("server_sent_event_reader: an event without data still has its id", "[http]")
{
    CHECK(read("id: 5\n\n") == std::vector{ServerSentEvent{.id = "5"}});
}

TEST_CASE("server_sent_event_reader: an event may have so many bytes, and no more", "[http]")
{
    const auto* const at_bound = "data: 4567";
    ServerSentEventReader reader(10);
    for (int i = 0; i < 3; ++i) {
        reader.add(at_bound);
        reader.add("\n\n");
        CHECK(reader.next().has_value());
    }
    CHECK(!reader.has_overflowed());

    SECTION("in one line that does not end")
    {
        reader.add("data: 45678");
    }
    SECTION("in one line that does")
    {
        reader.add("data: 45678\n\n");
    }
    SECTION("in many")
    {
        reader.add("data: 4\ndata: 4\n\n");
    }
    CHECK(!reader.next());
    CHECK(reader.has_overflowed());
    reader.add("\n\ndata: a\n\n");
    CHECK(!reader.next());
}

} // namespace sojourn::tests
