#include <sojourn/testing/simulated_context.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn::testing;

namespace {

std::string order_of(const std::shared_ptr<ChoiceSource>& choices, char last)
{
    SimulatedContext context(choices);
    std::string order;
    for (char name = 'a'; name <= last; ++name) {
        asio::post(context, [&order, name] { order += name; });
    }
    context.run();
    return order;
}

asio::awaitable<void> note(std::string& order, char name)
{
    order += name;
    co_await asio::post(asio::use_awaitable);
    order += name;
}

} // namespace

TEST_CASE("simulated_context: runs in order where the first is chosen", "[async]")
{
    CHECK(order_of(std::make_shared<FirstChoice>(), 'f') == "abcdef");
}

TEST_CASE("simulated_context: a seed gives an order, the same every time", "[async]")
{
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto order = order_of(std::make_shared<SeededChoices>(seed), 'f');
        CHECK(order == order_of(std::make_shared<SeededChoices>(seed), 'f'));
        orders.insert(order);
    }
    CHECK(orders.size() > 30);
}

TEST_CASE("simulated_context: every interleaving of two coroutines", "[async]")
{
    const auto choices = std::make_shared<ExhaustiveChoices>();
    std::set<std::string> orders;
    std::set<std::uint64_t> traces;
    do {
        SimulatedContext context(choices);
        std::string order;
        asio::co_spawn(context, note(order, 'a'), asio::detached);
        asio::co_spawn(context, note(order, 'b'), asio::detached);
        context.run();
        orders.insert(order);
        traces.insert(context.trace());
    } while (choices->next());
    CHECK(orders == std::set<std::string>{"aabb", "abab", "abba", "baab", "baba", "bbaa"});
    CHECK(traces.size() == choices->runs());
}

TEST_CASE("simulated_context: dispatch runs at once inside, and post never", "[async]")
{
    SimulatedContext context(std::make_shared<FirstChoice>());
    const asio::any_io_executor executor = context.get_executor();
    std::string order;
    asio::dispatch(executor, [&] {
        asio::post(executor, [&] { order += 'p'; });
        asio::dispatch(executor, [&] { order += 'd'; });
        order += 'o';
    });
    CHECK(order.empty());
    CHECK(context.run() == 2);
    CHECK(order == "dop");
    CHECK(context.steps() == 2);
    CHECK_FALSE(context.run_one());
}

TEST_CASE("simulated_context: a strand keeps its order whatever is chosen", "[async]")
{
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimulatedContext context(std::make_shared<SeededChoices>(seed));
        auto strand = asio::make_strand(context.get_executor());
        std::string order;
        for (const char name : {'a', 'b', 'c'}) {
            asio::post(context, [&order] { order += '.'; });
            asio::post(strand, [&order, name] { order += name; });
        }
        context.run();
        std::erase(order, '.');
        INFO("seed " << seed);
        CHECK(order == "abc");
    }
}

TEST_CASE("simulated_context: knows of work that may still come", "[async]")
{
    SimulatedContext context(std::make_shared<FirstChoice>());
    CHECK(context.outstanding_work() == 0);
    {
        const asio::any_io_executor executor = context.get_executor();
        auto guard = asio::make_work_guard(executor);
        CHECK(context.outstanding_work() == 1);
        const auto copy = guard;
        CHECK(context.outstanding_work() == 2);
        guard.reset();
        CHECK(context.outstanding_work() == 1);
    }
    CHECK(context.outstanding_work() == 0);
}

TEST_CASE("simulated_context: an exception leaves the others", "[async]")
{
    SimulatedContext context(std::make_shared<FirstChoice>());
    int ran = 0;
    asio::post(context, [] { throw std::runtime_error("expected"); });
    asio::post(context, [&] { ++ran; });
    CHECK_THROWS_AS(context.run(), std::runtime_error);
    CHECK(context.ready() == 1);
    CHECK(context.run() == 1);
    CHECK(ran == 1);
}

TEST_CASE("simulated_context: destroys what has not run, and what that posts", "[async]")
{
    const auto alive = std::make_shared<int>();

    struct Poster {
        Poster(asio::any_io_executor where, std::shared_ptr<int> what)
            : executor(std::move(where)), token(std::move(what))
        {
        }

        Poster(Poster&&) = default;
        Poster(const Poster&) = delete;
        Poster& operator=(Poster&&) = delete;
        Poster& operator=(const Poster&) = delete;

        ~Poster()
        {
            if (token) {
                asio::post(executor, [token = token] {});
            }
        }

        void operator()() const {}

        asio::any_io_executor executor;
        std::shared_ptr<int> token;
    };

    {
        SimulatedContext context(std::make_shared<FirstChoice>());
        asio::post(context, Poster(context.get_executor(), alive));
        std::string order;
        asio::co_spawn(context, note(order, 'a'), asio::detached);
        CHECK(alive.use_count() == 2);
    }
    CHECK(alive.use_count() == 1);
}

TEST_CASE("simulated_context: tells of what becomes ready", "[async]")
{
    SimulatedContext context(std::make_shared<FirstChoice>());
    std::vector<std::size_t> ready;
    context.on_post([&] { ready.push_back(context.ready()); });
    asio::post(context, [] {});
    asio::post(context, [] {});
    CHECK(ready == std::vector<std::size_t>{1, 2});
}
