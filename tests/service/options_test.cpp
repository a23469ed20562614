#include "service/manual_service.hpp"

#include <sojourn/core/id_source.hpp>
#include <sojourn/testing/seeded_id_source.hpp>

#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

// g++ 12 miscompiles aggregates in a co_await expression.
static_assert(!std::is_aggregate_v<AcquireOptions>);
static_assert(!std::is_aggregate_v<RotateOptions>);

TEST_CASE(
    "session_service: options out of bounds are refused by the name of the field",
    "[async][service]"
)
{
    const auto options = [] { return ServiceOptions(); };
    const std::vector<std::pair<std::string, ServiceOptions>> refused = {
        {"max_sessions", options().max_sessions(0)},
        {"max_sessions", options().max_sessions(100'000'001)},
        {"shards", options().shards(0)},
        {"shards", options().shards(257)},
        {"shards", options().max_sessions(3).shards(4)},
        {"idle_timeout", options().idle_timeout(0s)},
        {"idle_timeout", options().idle_timeout(-1s)},
        {"idle_timeout", options().idle_timeout(max_duration + 1ns)},
        {"absolute_lifetime", options().absolute_lifetime(1ms - 1ns)},
        {"absolute_lifetime", options().absolute_lifetime(Duration::max())},
        {"half_open_timeout", options().half_open_timeout(Duration::min())},
        {"half_open_timeout", options().half_open_timeout(max_duration + 1ns)},
        {"max_half_open", options().max_half_open(0)},
        {"max_half_open", options().max_half_open(100'000'001)},
        {"max_sessions_per_principal", options().max_sessions_per_principal(0)},
        {"max_sessions_per_principal", options().max_sessions_per_principal(1'001)},
        {"creation_rate", options().creation_rate(RateLimit(0, 1))},
        {"creation_rate", options().creation_rate(RateLimit(1, 1'000'001))},
        {"creation_keys", options().creation_keys(3)},
        {"creation_keys", options().creation_keys(100'000'001)},
        {"request_rate", options().request_rate(RateLimit(100, 0))},
        {"request_rate", options().request_rate(RateLimit(1'000'000'001, 1))},
        {"request_rate", options().request_rate(RateLimit(1, 1'000'001))},
        {"max_in_flight", options().max_in_flight(0)},
        {"max_in_flight", options().max_in_flight(1'000'000'001)},
        {"max_in_flight_per_session", options().max_in_flight_per_session(0)},
        {"max_in_flight_per_session", options().max_in_flight_per_session(65'536)},
        {"max_waiting_requests", options().max_waiting_requests(1'000'000'001)},
        {"max_request_wait", options().max_request_wait(0s)},
        {"max_request_wait", options().max_request_wait(max_duration + 1ns)},
        {"when_full", options().when_full(static_cast<WhenFull>(7))},
        {"max_waiting_creations", options().max_waiting_creations(1'000'000'001)},
        {"max_creation_wait", options().max_creation_wait(0s)},
        {"max_creation_wait", options().max_creation_wait(max_duration + 1ns)},
        {"listener_timeout", options().listener_timeout(0s)},
        {"listener_timeout", options().listener_timeout(max_duration + 1ns)},
        {"eviction_grace", options().eviction_grace(-1ns)},
        {"eviction_grace", options().eviction_grace(max_duration + 1ns)},
        {"max_total_attribute_bytes",
         options().max_total_attribute_bytes((std::size_t{1} << 50U) + 1)},
        {"max_attribute_bytes", options().max_attribute_bytes(64UL * 1024 * 1024 + 1)},
        {"max_frames_per_session", options().max_frames_per_session(10'001)},
        {"max_frame_bytes_per_session",
         options().max_frame_bytes_per_session(64UL * 1024 * 1024 + 1)},
        {"max_frame_bytes", options().max_frame_bytes((std::size_t{1} << 50U) + 1)},
        {"max_pending_events", options().max_pending_events(0)},
        {"max_pending_events", options().max_pending_events(100'000'001)},
        {"cleanup_batch", options().cleanup_batch(0)},
        {"cleanup_batch", options().cleanup_batch(10'001)},
    };
    for (const auto& [field, wrong] : refused) {
        INFO(field);
        asio::io_context context;
        std::string text;
        boost::system::error_code code;
        try {
            const SessionService service(context.get_executor(), wrong);
        } catch (const boost::system::system_error& error) {
            text = error.what();
            code = error.code();
        }
        CHECK(code == make_error_code(errc::invalid_options));
        CHECK(text.starts_with(field + " must be "));
        // Nothing was left behind that would keep the context busy.
        context.run_for(default_limit);
        CHECK(context.stopped());
    }
}

TEST_CASE("session_service: options at their bounds work", "[async][service]")
{
    auto least = ServiceOptions()
                     .max_sessions(1)
                     .idle_timeout(1ms)
                     .absolute_lifetime(1ms)
                     .half_open_timeout(1ms)
                     .max_half_open(1)
                     .max_sessions_per_principal(1)
                     .creation_rate(RateLimit(1, 1))
                     .creation_keys(4)
                     .eviction_grace(0s)
                     .max_in_flight(1)
                     .max_in_flight_per_session(1)
                     .max_waiting_requests(0)
                     .max_request_wait(1ms)
                     .max_total_attribute_bytes(0)
                     .request_rate(RateLimit(1, 1))
                     .max_attribute_bytes(0)
                     .max_frames_per_session(1)
                     .max_frame_bytes_per_session(0)
                     .max_frame_bytes(0)
                     .max_pending_events(1)
                     .cleanup_batch(1);
    ManualService small(least);
    const auto id = small.add();
    CHECK(small.knows(id));
    small.pass(1ms);
    CHECK(small.metrics().live == 0);

    auto most = ServiceOptions()
                    .max_sessions(256)
                    .shards(256)
                    .idle_timeout(max_duration)
                    .absolute_lifetime(max_duration)
                    .half_open_timeout(max_duration)
                    .max_half_open(100'000'000)
                    .max_sessions_per_principal(1'000)
                    .creation_rate(RateLimit(1'000'000'000, 1'000'000))
                    .eviction_grace(max_duration)
                    .max_in_flight(1'000'000'000)
                    .max_in_flight_per_session(65'535)
                    .max_waiting_requests(1'000'000'000)
                    .max_request_wait(max_duration)
                    .max_total_attribute_bytes(std::size_t{1} << 50U)
                    .request_rate(RateLimit(1'000'000'000, 1'000'000))
                    .max_attribute_bytes(64UL * 1024 * 1024)
                    .max_frames_per_session(10'000)
                    .max_frame_bytes_per_session(64UL * 1024 * 1024)
                    .max_frame_bytes(std::size_t{1} << 50U)
                    .max_pending_events(100'000'000)
                    .cleanup_batch(10'000);
    ManualService large(most);
    const auto kept = large.establish();
    large.pass(max_duration - 1ns);
    CHECK(large.knows(kept));
    large.pass(1ns);
    CHECK(large.metrics().live == 0);
    CHECK(large.run(large.service.drain()).value().is_clean());
}

namespace {

/// A source that fails when told so.
class BrokenSource final : public IdSource {
public:
    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        if (is_broken) {
            return make_error_code(boost::system::errc::io_error);
        }
        return good_.fill(bytes);
    }

    bool is_broken = false;

private:
    testing::SeededIdSource good_{7};
};

} // namespace

TEST_CASE("session_service: without random bytes no service begins", "[async][service]")
{
    asio::io_context context;
    const auto source = std::make_shared<BrokenSource>();
    source->is_broken = true;
    const auto environment = ServiceEnvironment().id_source(source);
    boost::system::error_code code;
    try {
        const SessionService service(context.get_executor(), ServiceOptions(), environment);
    } catch (const boost::system::system_error& error) {
        code = error.code();
    }
    CHECK(code == make_error_code(errc::id_source_failed));
}

TEST_CASE("session_service: without random bytes nothing is created or rotated", "[async][service]")
{
    const auto source = std::make_shared<BrokenSource>();
    auto options = plain_options().max_sessions(1).shards(1);
    ManualService sessions(options, ServiceEnvironment().id_source(source));
    const auto id = sessions.establish();

    source->is_broken = true;
    CHECK(sessions.run(sessions.service.create()).error() == errc::id_source_failed);
    const auto adopted = SessionId::parse("adopted").value();
    const auto wish = CreateOptions().adopt(adopted);
    CHECK(sessions.run(sessions.service.create(wish)).error() == errc::id_source_failed);
    CHECK(sessions.run(sessions.service.rotate(id)).error() == errc::id_source_failed);
    auto created = sessions.service.async_create(CreateOptions(), asio::use_future);
    auto rotated = sessions.service.async_rotate(id, RotateOptions(), asio::use_future);
    sessions.settle();
    CHECK(created.get().error() == errc::id_source_failed);
    CHECK(rotated.get().error() == errc::id_source_failed);
    // Nobody was evicted to make room for nothing.
    CHECK(sessions.knows(id));
    CHECK(sessions.metrics().created == 1);

    source->is_broken = false;
    CHECK(sessions.run(sessions.service.rotate(id)).has_value());
    CHECK(sessions.run(sessions.service.create()).has_value());
}

TEST_CASE("session_service: what cannot be an id is refused before any look-up", "[async][service]")
{
    using namespace std::string_literals;
    const std::vector<std::string> refused = {
        "",
        "line\r\nSet-Cookie: a=b",
        "with space",
        "nul\0inside"s,
        "tab\t",
        "\x7f",
        "d\xc3\xa4mon",
        "\xff\xfe",
        std::string(129, 'x'),
        std::string(1'000'000, 'x'),
    };
    for (const auto& text : refused) {
        const auto id = SessionId::parse(text);
        REQUIRE(id.error() == errc::invalid_id);
        CHECK(SessionId::parse_issued(text).error() == errc::invalid_id);
        if (!text.empty()) {
            CHECK(id.error().message().find(text) == std::string::npos);
        }
    }
}

TEST_CASE("session_service: no error tells an id, a principal or an attribute", "[async][service]")
{
    auto options =
        ServiceOptions().max_attribute_bytes(90).request_rate(RateLimit(1, 1)).max_sessions(1);
    ManualService sessions(options);
    const std::string secret = "SECRETSECRETSECRET";
    const auto id = SessionId::parse(secret).value();
    const auto wish = CreateOptions().adopt(id).principal(secret).attributes({{secret, "v"}});
    auto created = sessions.create(wish);
    std::vector<Error> errors;
    auto& service = sessions.service;
    errors.push_back(sessions.run(service.create(wish)).error());
    errors.push_back(sessions.run(service.create()).error());
    errors.push_back(sessions.run(service.commit(id, 7, Attributes())).error());
    errors.push_back(sessions.run(service.commit(id, 1, {{secret, secret}})).error());
    created.lease.release();
    sessions.acquire(id).release();
    errors.push_back(sessions.run(service.acquire(id)).error());
    errors.push_back(
        sessions.run(service.rotate(id, RotateOptions().principal(secret + std::string(300, 'p'))))
            .error()
    );
    (void)sessions.run(service.remove(id));
    errors.push_back(sessions.run(service.remove(id)).error());
    (void)sessions.run(service.drain());
    errors.push_back(sessions.run(service.create(wish)).error());

    for (const auto& error : errors) {
        REQUIRE(error.code());
        std::string text = error.message();
        try {
            (void)Result<void>(error).value();
        } catch (const std::exception& thrown) {
            text += thrown.what();
        }
        CHECK(text.find("SECRET") == std::string::npos);
    }
}

TEST_CASE("session_service: a seeded source gives the same ids every time", "[async][service]")
{
    std::vector<std::string> runs;
    for (int run = 0; run < 2; ++run) {
        const auto source = std::make_shared<testing::SeededIdSource>(42);
        ManualService sessions(ServiceOptions(), ServiceEnvironment().id_source(source));
        std::string ids;
        for (int i = 0; i < 5; ++i) {
            const auto id = sessions.add();
            ids += id.text();
            ids += sessions.run(sessions.service.rotate(id)).value().text();
        }
        runs.push_back(std::move(ids));
    }
    CHECK(runs[0] == runs[1]);
}
