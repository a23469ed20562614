#include "service/manual_service.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

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
