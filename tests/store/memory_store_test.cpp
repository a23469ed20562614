#include "sojourn/store/memory_store.hpp"
#include "store/manual_store.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace asio = boost::asio;

TEST_CASE("memory_store: keeps the contract of stores", "[store]")
{
    asio::io_context context;
    ManualStore subject(context.get_executor());
    for (const auto& finding : run_coro(context, testing::check_store(subject))) {
        FAIL_CHECK(finding.check << ": " << finding.text);
    }
}

TEST_CASE("memory_store: keeps it for callers in many threads", "[store]")
{
    asio::thread_pool pool(4);
    ManualStore subject(pool.get_executor());
    const auto checked = spawn_coro(pool.get_executor(), testing::check_store(subject));
    pool.join();
    REQUIRE(checked->is_done());
    for (const auto& finding : checked->take()) {
        FAIL_CHECK(finding.check << ": " << finding.text);
    }
}

TEST_CASE("memory_store: two services of one process share it", "[store]")
{
    asio::io_context context;
    MemoryStore store(context.get_executor());
    const auto key = StoreKey::of_principal("a");
    run_coro(context, store.create_if_absent(key, StoreRecord("x", 1h), 1s)).value();
    asio::io_context other;
    CHECK(run_coro(other, store.load(key, 1s)).value().record.payload == "x");
}

TEST_CASE("memory_store: at its bound it refuses, and forgets nothing", "[store]")
{
    asio::io_context context;
    const auto at = [](int number) { return StoreKey::of_principal(std::to_string(number)); };

    SECTION("of records")
    {
        MemoryStore store(context.get_executor(), MemoryStoreOptions().max_records(2));
        const auto create = [&](int number) {
            return run_coro(context, store.create_if_absent(at(number), StoreRecord("x", 1h), 1s));
        };
        CHECK(create(1).has_value());
        CHECK(create(2).has_value());
        CHECK(create(3).error() == errc::store_full);
        CHECK(run_coro(context, store.remove(at(3), 1h, 1s)).error() == errc::store_full);
        CHECK(run_coro(context, store.remove(at(3), 0s, 1s)).value() == false);
        CHECK(run_coro(context, store.load(at(1), 1s)).has_value());
        CHECK(run_coro(context, store.remove(at(1), 0s, 1s)).value());
        CHECK(create(3).has_value());
    }
    SECTION("of bytes")
    {
        MemoryStore store(context.get_executor(), MemoryStoreOptions().max_payload_bytes(10));
        const auto create = [&](int number, std::size_t bytes) {
            return run_coro(
                context,
                store.create_if_absent(at(number), StoreRecord(std::string(bytes, 'x'), 1h), 1s)
            );
        };
        const auto save = [&](int number, std::size_t bytes) {
            return run_coro(
                context,
                store.save_if_version(at(number), 1, StoreRecord(std::string(bytes, 'y'), 1h), 1s)
            );
        };
        CHECK(create(1, 6).has_value());
        CHECK(create(2, 5).error() == errc::store_full);
        CHECK(create(2, 4).has_value());
        CHECK(save(1, 7).error() == errc::store_full);
        CHECK(run_coro(context, store.load(at(1), 1s)).value().record.payload == "xxxxxx");
        CHECK(save(1, 5).value() == 2);
        CHECK(save(2, 5).value() == 2);
    }
}
