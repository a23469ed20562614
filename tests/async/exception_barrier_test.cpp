#include "sojourn/async/exception_barrier.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::tests {

namespace {

struct DerivedFromNothing {};

asio::awaitable<void> return_normally()
{
    co_await asio::post(asio::use_awaitable);
}

asio::awaitable<void> throw_an_exception()
{
    co_await asio::post(asio::use_awaitable);
    throw std::runtime_error("exception");
}

asio::awaitable<void> throw_an_int()
{
    throw 5; // NOLINT(hicpp-exception-baseclass): that is the point
    co_return;
}

asio::awaitable<void> throw_a_struct()
{
    co_await asio::post(asio::use_awaitable);
    throw DerivedFromNothing(); // NOLINT(hicpp-exception-baseclass): that is the point
}

asio::awaitable<void> throw_before_there_is_a_coroutine()
{
    throw std::runtime_error("no coroutine");
}

/// What was thrown, in words.
std::string name_of(const std::exception_ptr& what)
{
    try {
        std::rethrow_exception(what);
    } catch (const std::exception& failure) {
        return failure.what();
    } catch (int number) {
        return std::to_string(number);
    } catch (const DerivedFromNothing&) {
        return "struct";
    }
}

bool run_behind(
    asio::io_context& context, ExceptionBarrier& barrier, asio::awaitable<void> (*make)()
)
{
    return run_coro(context, barrier.run(make));
}

} // namespace

TEST_CASE(
    "exception_barrier: survives, counts and reports whatever is thrown",
    "[async][exception_barrier]"
)
{
    asio::io_context context;
    std::vector<std::string> reports;
    ExceptionBarrier barrier("sweep", [&](std::string_view where, const std::exception_ptr& what) {
        reports.push_back(std::string(where) + ": " + name_of(what));
    });
    CHECK(run_behind(context, barrier, &return_normally));
    CHECK(barrier.failures() == 0);
    CHECK_FALSE(run_behind(context, barrier, &throw_an_exception));
    CHECK_FALSE(run_behind(context, barrier, &throw_an_int));
    CHECK_FALSE(run_behind(context, barrier, &throw_a_struct));
    CHECK_FALSE(run_behind(context, barrier, &throw_before_there_is_a_coroutine));
    CHECK(run_behind(context, barrier, &return_normally));
    CHECK(barrier.failures() == 4);
    CHECK(
        reports ==
        std::vector<std::string>{
            "sweep: exception", "sweep: 5", "sweep: struct", "sweep: no coroutine"
        }
    );
}

TEST_CASE("exception_barrier: needs no reporter", "[async][exception_barrier]")
{
    asio::io_context context;
    ExceptionBarrier barrier("sweep");
    CHECK_FALSE(run_behind(context, barrier, &throw_an_exception));
    CHECK(barrier.failures() == 1);
}

TEST_CASE("exception_barrier: survives a reporter that throws", "[async][exception_barrier]")
{
    asio::io_context context;
    int reports = 0;
    ExceptionBarrier barrier("sweep", [&](std::string_view, const std::exception_ptr&) {
        if (++reports == 1) {
            throw std::runtime_error("reporter");
        }
        throw 1; // NOLINT(hicpp-exception-baseclass): that is the point
    });
    CHECK_FALSE(run_behind(context, barrier, &throw_an_exception));
    CHECK_FALSE(run_behind(context, barrier, &throw_an_int));
    CHECK(reports == 2);
    CHECK(barrier.failures() == 2);
}

TEST_CASE("exception_barrier: counts what many threads catch", "[async][exception_barrier]")
{
    ExceptionBarrier barrier("sweep");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 1000; ++j) {
                barrier.caught(nullptr);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(barrier.failures() == 4000);
}

} // namespace sojourn::tests
