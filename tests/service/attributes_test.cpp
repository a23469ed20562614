#include "service/manual_service.hpp"
#include "support/allocations.hpp"
#include "support/context_threads.hpp"

#include <boost/asio/use_future.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

TEST_CASE(
    "session_service: a commit of the current version is applied and counted", "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    const auto first = sessions.run(sessions.service.snapshot(id)).value();
    CHECK(first.version == 1);
    CHECK(first.data.empty());

    CHECK(sessions.run(sessions.service.commit(id, 1, {{"k", "v"}})).value() == 2);
    const auto second = sessions.run(sessions.service.snapshot(id)).value();
    CHECK(second.version == 2);
    CHECK(second.data.get("k") == "v");
    // A snapshot is what it was.
    CHECK(first.data.empty());
}

TEST_CASE(
    "session_service: a commit of another version is a conflict and writes nothing",
    "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish(CreateOptions().attributes({{"k", "v"}}));
    for (const std::uint64_t version : {0U, 2U, 100U}) {
        const auto result = sessions.run(sessions.service.commit(id, version, {{"k", "w"}}));
        CHECK(result.error() == errc::conflict);
    }
    const auto snapshot = sessions.run(sessions.service.snapshot(id)).value();
    CHECK(snapshot.version == 1);
    CHECK(snapshot.data.get("k") == "v");
}

TEST_CASE("session_service: attributes neither touch nor count", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    sessions.pass(29min);
    REQUIRE(sessions.run(sessions.service.commit(id, 1, {{"k", "v"}})).has_value());
    REQUIRE(sessions.run(sessions.service.snapshot(id)).has_value());
    const auto info = sessions.run(sessions.service.peek(id)).value();
    CHECK(info.expires_in == 1min);
    CHECK(info.requests == 1);
}

TEST_CASE(
    "session_service: attributes beyond their bound are refused by every way in", "[async][service]"
)
{
    auto options = ServiceOptions().max_attribute_bytes(10 + Attributes::entry_overhead);
    ManualService sessions(options);
    const auto id = sessions.establish();
    const Attributes large{{"12345", "123456"}};
    const Attributes fitting{{"12345", "12345"}};
    const auto fill = [&](Attributes& data) { data = large; };

    CHECK(
        sessions.run(sessions.service.commit(id, 1, large)).error() == errc::attributes_too_large
    );
    CHECK(sessions.run(sessions.service.modify(id, fill)).error() == errc::attributes_too_large);
    CHECK(
        sessions.run(sessions.service.create(CreateOptions().attributes(large))).error() ==
        errc::attributes_too_large
    );
    CHECK(sessions.run(sessions.service.snapshot(id)).value().version == 1);
    CHECK(sessions.run(sessions.service.commit(id, 1, fitting)).value() == 2);
}

TEST_CASE(
    "session_service: attributes are freed once the turn that ended their session is over",
    "[async][service]"
)
{
    ManualService sessions;
    constexpr std::size_t size = 50'000;
    const auto establish = [&] {
        return sessions.establish(CreateOptions().attributes({{"k", std::string(size, 'v')}}));
    };
    const auto first = establish();
    const auto second = establish();
    const auto both = bytes_allocated();
    REQUIRE(sessions.run(sessions.service.remove(first)).has_value());
    const auto one = bytes_allocated();
    CHECK(one + size / 2 < both);
    auto removed = sessions.service.async_remove(second, asio::use_future);
    sessions.settle();
    REQUIRE(removed.get().has_value());
    CHECK(bytes_allocated() + size / 2 < one);
}

TEST_CASE("session_service: modify gives what it wrote", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish(CreateOptions().attributes({{"keep", "1"}}));
    const auto change = [](Attributes& data) { data.set("k", "v"); };
    const auto result = sessions.run(sessions.service.modify(id, change)).value();
    CHECK(result.version == 2);
    CHECK(result.data == Attributes{{"k", "v"}, {"keep", "1"}});
    CHECK(sessions.run(sessions.service.snapshot(id)).value().data == result.data);
}

TEST_CASE(
    "session_service: what a change throws comes out of modify, and nothing is written",
    "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish(CreateOptions().attributes({{"k", "v"}}));
    const auto fail = [](Attributes& data) {
        data.set("k", "half done");
        throw std::runtime_error("no");
    };
    CHECK_THROWS_AS(sessions.run(sessions.service.modify(id, fail)), std::runtime_error);
    const auto fail_oddly = [](Attributes&) { throw 42; };
    CHECK_THROWS_AS(sessions.run(sessions.service.modify(id, fail_oddly)), int);
    const auto snapshot = sessions.run(sessions.service.snapshot(id)).value();
    CHECK(snapshot.version == 1);
    CHECK(snapshot.data.get("k") == "v");
    CHECK(sessions.metrics().leased == 0);
}

namespace {

/// Commits something else while a modification is under way, which it does from inside it.
struct Intruder {
    ManualService& sessions;
    SessionId id;
    int intrusions = 0;
    int calls = 0;

    void operator()(Attributes& data)
    {
        ++calls;
        if (intrusions > 0) {
            --intrusions;
            // On a context of its own: this one is busy with the modification.
            asio::io_context context;
            const auto now = run_coro(context, sessions.service.snapshot(id)).value();
            auto other = now.data;
            other.set("intruder", std::to_string(intrusions));
            run_coro(context, sessions.service.commit(id, now.version, other)).value();
        }
        data.set("mine", "yes");
    }
};

} // namespace

TEST_CASE(
    "session_service: modify starts over when another commit came between", "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    Intruder intruder{sessions, id, 3};
    const auto result = sessions.run(sessions.service.modify(id, std::ref(intruder))).value();
    CHECK(intruder.calls == 4);
    CHECK(result.version == 5);
    CHECK(result.data == Attributes{{"intruder", "0"}, {"mine", "yes"}});
}

TEST_CASE("session_service: modify gives up after 64 attempts in vain", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    Intruder intruder{sessions, id, 1000};
    CHECK(sessions.run(sessions.service.modify(id, std::ref(intruder))).error() == errc::conflict);
    CHECK(intruder.calls == 64);
    CHECK_FALSE(sessions.run(sessions.service.snapshot(id)).value().data.get("mine"));
}

namespace {

void increment(Attributes& data)
{
    const auto now = data.get("count");
    data.set("count", std::to_string(now ? std::stoi(std::string(*now)) + 1 : 1));
}

asio::awaitable<int> increment_often(SessionService& service, SessionId id, int times)
{
    int done = 0;
    while (done < times) {
        const std::function<void(Attributes&)> change = increment;
        done += co_await service.modify(id, change) ? 1 : 0;
    }
    co_return done;
}

/// The same by hand.
asio::awaitable<int> commit_often(SessionService& service, SessionId id, int times)
{
    int done = 0;
    while (done < times) {
        const auto before = co_await service.snapshot(id);
        auto data = before.value().data;
        increment(data);
        done += co_await service.commit(id, before->version, std::move(data)) ? 1 : 0;
    }
    co_return done;
}

} // namespace

TEST_CASE("session_service: no update is lost among many coroutines", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    constexpr int each = 100;
    std::vector<std::shared_ptr<CoroResult<int>>> running;
    {
        const ContextThreads background(sessions.context, 3);
        const auto executor = sessions.context.get_executor();
        for (int i = 0; i < 4; ++i) {
            running.push_back(spawn_coro(executor, increment_often(sessions.service, id, each)));
            running.push_back(spawn_coro(executor, commit_often(sessions.service, id, each)));
        }
        for (const auto& one : running) {
            poll_until([&] { return one->is_done(); });
            CHECK(one->take() == each);
        }
    }
    sessions.context.restart();
    const auto snapshot = sessions.run(sessions.service.snapshot(id)).value();
    CHECK(snapshot.data.get("count") == std::to_string(8 * each));
    CHECK(snapshot.version == 1 + 8 * each);
}

TEST_CASE(
    "session_service: what a change throws becomes an error of async_modify", "[async][service]"
)
{
    std::vector<std::string> reports;
    auto environment =
        ServiceEnvironment().on_failure([&](std::string_view where, const std::exception_ptr&) {
            reports.emplace_back(where);
        });
    ManualService sessions(ServiceOptions(), environment);
    const auto id = sessions.establish();
    const auto error_after = [&](std::function<void(Attributes&)> change) {
        auto future = sessions.service.async_modify(id, std::move(change), asio::use_future);
        sessions.settle();
        return future.get().error().code();
    };
    namespace errc = boost::system::errc;
    const auto io_error = make_error_code(errc::io_error);
    CHECK(error_after([&](Attributes&) {
              throw boost::system::system_error(io_error);
          }) == io_error);
    CHECK(error_after([](Attributes&) { throw std::bad_alloc(); }) == errc::not_enough_memory);
    const auto wrong = std::make_error_code(std::errc::io_error);
    const std::error_code told = error_after([&](Attributes&) { throw std::system_error(wrong); });
    CHECK(told == wrong);
    CHECK(reports.empty());
    CHECK(error_after([](Attributes&) { throw 42; }) == errc::operation_canceled);
    CHECK(reports == std::vector<std::string>{"modify"});
    CHECK(sessions.run(sessions.service.snapshot(id)).value().version == 1);
}
