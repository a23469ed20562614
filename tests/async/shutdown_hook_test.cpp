#include "sojourn/async/shutdown_hook.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::tests {

namespace {

class Hook final : private ShutdownHook {
public:
    explicit Hook(
        asio::execution_context& context, std::function<void()> tell = [] {}
    )
        : ShutdownHook(context), tell_(std::move(tell))
    {
    }

    int told = 0;

private:
    void on_context_shutdown() noexcept override
    {
        ++told;
        tell_();
    }

    std::function<void()> tell_;
};

} // namespace

TEST_CASE("shutdown_hook: each hook is told once when its context ends", "[async][shutdown_hook]")
{
    std::optional<asio::io_context> context(std::in_place);
    asio::thread_pool other(1);
    Hook first(*context);
    Hook second(*context);
    Hook elsewhere(other);
    CHECK(first.told == 0);
    context.reset();
    CHECK(first.told == 1);
    CHECK(second.told == 1);
    CHECK(elsewhere.told == 0);
}

TEST_CASE(
    "shutdown_hook: hooks that are gone are not told, wherever they were in the list",
    "[async][shutdown_hook]"
)
{
    for (std::size_t gone = 0; gone < 3; ++gone) {
        std::optional<asio::io_context> context(std::in_place);
        std::vector<std::unique_ptr<Hook>> hooks;
        for (int i = 0; i < 3; ++i) {
            hooks.push_back(std::make_unique<Hook>(*context));
        }
        hooks[gone].reset();
        context.reset();
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK((i == gone || hooks[i]->told == 1));
        }
    }
}

TEST_CASE(
    "shutdown_hook: a hook may destroy others, itself too, when told", "[async][shutdown_hook]"
)
{
    std::optional<asio::io_context> context(std::in_place);
    std::vector<std::unique_ptr<Hook>> hooks(4);
    int told = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        hooks[i] = std::make_unique<Hook>(*context, [&] {
            ++told;
            hooks[0].reset();
            hooks[1].reset();
        });
    }
    // The last made is told first, and takes the first two along.
    context.reset();
    CHECK(told == 2);
}

TEST_CASE(
    "shutdown_hook: a hook that is made when another is told is told, too", "[async][shutdown_hook]"
)
{
    std::optional<asio::io_context> context(std::in_place);
    std::unique_ptr<Hook> late;
    auto& alive = *context;
    const Hook first(alive, [&] { late = std::make_unique<Hook>(alive); });
    context.reset();
    REQUIRE(late);
    CHECK(late->told == 1);
}

TEST_CASE("shutdown_hook: hooks come and go from many threads", "[async][shutdown_hook]")
{
    std::optional<asio::io_context> context(std::in_place);
    Hook stays(*context);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 1000; ++j) {
                const Hook one(*context);
                const Hook two(*context);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    context.reset();
    CHECK(stays.told == 1);
}

} // namespace sojourn::tests
