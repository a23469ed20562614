// What does a request pay for its session: acquire and release through co_await, at an idle strand?

#include "sojourn/service/session_service.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace {

namespace asio = boost::asio;
using Ids = std::vector<sojourn::SessionId>;

constexpr std::size_t batch = 10'000;

asio::awaitable<Ids> create_sessions(sojourn::SessionService& sessions, std::size_t count)
{
    Ids ids;
    for (std::size_t i = 0; i < count; ++i) {
        auto options = sojourn::CreateOptions().principal("bench");
        auto created = co_await sessions.create(std::move(options));
        ids.push_back(created.value().id);
    }
    co_return ids;
}

asio::awaitable<void> request_each(sojourn::SessionService& sessions, const Ids& ids)
{
    for (std::size_t i = 0; i < batch; ++i) {
        const auto lease = co_await sessions.acquire(ids[i * 7 % ids.size()]);
        benchmark::DoNotOptimize(lease.has_value());
    }
}

template <class T>
T run(asio::io_context& context, asio::awaitable<T> coroutine)
{
    auto done = asio::co_spawn(context, std::move(coroutine), asio::use_future);
    context.restart();
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        context.run_one();
    }
    return done.get();
}

sojourn::ServiceOptions unlimited(std::size_t sessions)
{
    return sojourn::ServiceOptions().max_sessions(sessions).request_rate(
        sojourn::RateLimit::unlimited()
    );
}

void acquire_release(benchmark::State& state)
{
    const auto count = static_cast<std::size_t>(state.range(0));
    asio::io_context context;
    sojourn::SessionService sessions(context.get_executor(), unlimited(count));
    const auto ids = run(context, create_sessions(sessions, count));
    for (auto _ : state) {
        run(context, request_each(sessions, ids));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

/// A new session for every visitor, when each must push another one out.
void create_at_capacity(benchmark::State& state)
{
    const auto count = static_cast<std::size_t>(state.range(0));
    asio::io_context context;
    sojourn::SessionService sessions(context.get_executor(), unlimited(count));
    run(context, create_sessions(sessions, count));
    for (auto _ : state) {
        benchmark::DoNotOptimize(run(context, create_sessions(sessions, batch)));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

} // namespace

BENCHMARK(acquire_release)
    ->Name("session_service/acquire_release/alone")
    ->ArgName("sessions")
    ->Arg(1'000)
    ->Arg(100'000);
BENCHMARK(create_at_capacity)
    ->Name("session_service/create/at_capacity")
    ->ArgName("sessions")
    ->Arg(1'000)
    ->Arg(100'000);
