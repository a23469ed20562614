#include "service/manual_service.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <exception>
#include <optional>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

boost::system::error_code code_of(const std::exception_ptr& failure)
{
    try {
        if (failure) {
            std::rethrow_exception(failure);
        }
    } catch (const boost::system::system_error& error) {
        return error.code();
    }
    return {};
}

} // namespace

TEST_CASE(
    "session_service: a cancelled cleanup ends between two turns and leaves all in order",
    "[async][service]"
)
{
    constexpr std::size_t count = 20;
    auto options = plain_options().cleanup_batch(1);
    ManualService sessions(options);
    for (std::size_t i = 0; i < count; ++i) {
        (void)sessions.add();
    }
    asio::cancellation_signal signal;
    std::optional<boost::system::error_code> ended;
    asio::co_spawn(
        sessions.context,
        sessions.service.cleanup(CleanupScope::all),
        asio::bind_cancellation_slot(
            signal.slot(),
            [&](const std::exception_ptr& failure, const Result<std::size_t>&) {
                ended = code_of(failure);
            }
        )
    );
    sessions.context.restart();
    for (int i = 0; i < 5; ++i) {
        CHECK(sessions.context.poll_one() == 1);
    }
    CHECK_FALSE(ended.has_value());
    signal.emit(asio::cancellation_type::terminal);
    sessions.settle();
    REQUIRE(ended.has_value());
    CHECK(*ended == asio::error::operation_aborted);
    const auto metrics = sessions.metrics();
    CHECK(metrics.live > 0);
    CHECK(metrics.live < count);
    CHECK(sessions.run(sessions.service.cleanup(CleanupScope::all)).value() == metrics.live);
}

TEST_CASE(
    "session_service: a handler's operations are cancelled as a coroutine's are", "[async][service]"
)
{
    ManualService sessions(plain_options().max_in_flight(1).cleanup_batch(1));
    const auto id = sessions.establish();
    auto held = sessions.acquire(id);
    const auto type = GENERATE(
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    );
    asio::cancellation_signal cancel;
    boost::system::error_code code;
    int completions = 0;
    const auto note = [&](const auto& result) {
        ++completions;
        code = result.error().code();
    };
    SECTION("a request that waits for a permit")
    {
        sessions.service.async_acquire(id, asio::bind_cancellation_slot(cancel.slot(), note));
        sessions.settle();
        REQUIRE(completions == 0);
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 1);
        CHECK(code == asio::error::operation_aborted);
        CHECK(sessions.metrics().requests_shed == 1);
    }
    SECTION("one that has its turn, and waits for a permit")
    {
        sessions.service.async_acquire_exclusive(
            id, 1h, asio::bind_cancellation_slot(cancel.slot(), note)
        );
        sessions.settle();
        REQUIRE(completions == 0);
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 1);
        CHECK(code == asio::error::operation_aborted);
    }
    SECTION("one that has effects, by terminal alone")
    {
        for (int i = 0; i < 10; ++i) {
            (void)sessions.add();
        }
        sessions.service.async_cleanup(
            CleanupScope::all, asio::bind_cancellation_slot(cancel.slot(), note)
        );
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 1);
        const bool is_cancelled = type == asio::cancellation_type::terminal;
        CHECK((code == asio::error::operation_aborted) == is_cancelled);
        CHECK((sessions.metrics().live > 1) == is_cancelled);
    }
    SECTION("but not a drain")
    {
        sessions.service.async_drain(1s, asio::bind_cancellation_slot(cancel.slot(), note));
        sessions.settle();
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 0);
        sessions.pass(3s);
        CHECK(completions == 1);
        CHECK_FALSE(code);
    }
    CHECK(sessions.metrics().leased == 1);
}

TEST_CASE("session_service: a signal may outlive the service and its context", "[async][service]")
{
    asio::cancellation_signal cancel;
    bool is_completed = false;
    {
        ManualService sessions(plain_options().max_in_flight(1));
        const auto id = sessions.establish();
        const auto held = sessions.acquire(id);
        sessions.service.async_acquire(
            id,
            asio::bind_cancellation_slot(
                cancel.slot(), [&](const Result<SessionLease>&) { is_completed = true; }
            )
        );
        sessions.settle();
    }
    cancel.emit(asio::cancellation_type::terminal);
    CHECK_FALSE(is_completed);
}
