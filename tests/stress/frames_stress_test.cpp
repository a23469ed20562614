#include "support/context_threads.hpp"
#include "support/sanitizers.hpp"
#include "support/seed.hpp"

#include <sojourn/service/session_service.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;

// Many record, read and follow at once, in several threads: nobody misses a frame that is kept, no
// bound is passed, and at the end there is nothing left.

namespace {

constexpr std::uint64_t frame_rounds = is_sanitized ? 200 : 1'000;
constexpr std::uint64_t recorders = 4;
constexpr std::size_t most_bytes = 200'000;

ServiceOptions recording(std::size_t shards)
{
    return ServiceOptions()
        .shards(shards)
        .max_half_open(1'000)
        .request_rate(RateLimit::unlimited())
        .creation_rate(RateLimit::unlimited());
}

/// Returns how many numbers were not larger than the one before.
asio::awaitable<std::uint64_t> record_all(SessionService& service, SessionId id)
{
    auto lease = co_await service.acquire_weak(std::move(id));
    std::uint64_t strange = 0;
    std::uint64_t before = 0;
    for (std::uint64_t i = 0; i < frame_rounds; ++i) {
        const auto number = co_await lease.value().record(FrameDirection::to_client, "frame");
        strange += number && *number > before ? 0U : 1U;
        before = number ? *number : before;
    }
    co_return strange;
}

/// Follows until all have been there. Returns how many frames it has missed or had twice.
asio::awaitable<std::uint64_t> follow_all(SessionService& service, SessionReference reference)
{
    std::uint64_t strange = 0;
    FrameQuery query;
    for (std::uint64_t seen = 0; seen < recorders * frame_rounds;) {
        const auto page = co_await service.next_frames(reference, query);
        for (const auto& frame : page.value().frames) {
            strange += frame->sequence == ++seen ? 0U : 1U;
        }
        query.after(page->next);
    }
    co_return strange;
}

struct FrameFindings {
    std::atomic<std::uint64_t> recorded{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<std::uint64_t> strange{0};
};

/// Follows a session until it ends.
asio::awaitable<void>
follow_to_the_end(SessionService& service, SessionReference reference, FrameFindings& found)
{
    FrameQuery query;
    for (;;) {
        const auto page = co_await service.next_frames(reference, query);
        if (!page) {
            found.strange += page.error() == errc::not_found ? 0U : 1U;
            ++found.ended;
            co_return;
        }
        found.strange += page->frames.empty() || page->next <= query.after() ? 1U : 0U;
        query.after(page->next);
    }
}

/// Makes sessions, records in them more than fits, and ends them.
asio::awaitable<void> live(SessionService& service, FrameFindings& found, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    const auto executor = co_await asio::this_coro::executor;
    for (std::uint64_t i = 0; i < frame_rounds / 10; ++i) {
        auto created = co_await service.create();
        auto& lease = created.value().lease;
        asio::co_spawn(
            executor,
            follow_to_the_end(service, lease.info().reference, found),
            [](const std::exception_ptr&) {}
        );
        for (std::uint64_t frames = random() % 40; frames > 0; --frames) {
            const auto number = co_await lease.record(
                FrameDirection::from_client, std::string(random() % 3'000, 'x')
            );
            found.recorded += number ? 1U : 0U;
        }
        const auto metrics = co_await service.metrics();
        // Of several shards each is looked at in its turn, and bytes go from one to another.
        const bool is_bounded =
            service.options().shards() > 1 || metrics->frame_bytes <= most_bytes;
        found.strange += is_bounded && metrics->ledger_holds() ? 0U : 1U;
        const auto removed = co_await service.remove(created->id);
        found.strange += removed ? 0U : 1U;
    }
}

} // namespace

TEST_CASE("stress: who follows a session misses none of its frames", "[stress][service]")
{
    const auto shards = GENERATE(1U, 3U);
    asio::io_context context;
    SessionService service(
        context.get_executor(),
        recording(shards).max_frames_per_session(10'000).max_frame_bytes_per_session(64UL << 20U)
    );
    const ContextThreads threads(context, 4);
    auto created = service.async_create(CreateOptions(), asio::use_future).get().value();
    std::vector<std::future<std::uint64_t>> all;
    for (std::uint64_t i = 0; i < recorders; ++i) {
        const auto reference = created.lease.info().reference;
        all.push_back(asio::co_spawn(context, follow_all(service, reference), asio::use_future));
        all.push_back(asio::co_spawn(context, record_all(service, created.id), asio::use_future));
    }
    for (auto& each : all) {
        CHECK(each.get() == 0);
    }
}

TEST_CASE("stress: frames of many sessions keep to their bounds, and end", "[stress][service]")
{
    const auto shards = GENERATE(1U, 3U);
    const auto seed = announced_seed();
    CAPTURE(shards, seed);
    constexpr std::uint64_t lives = 8;
    FrameFindings found;
    asio::io_context context;
    SessionService service(
        context.get_executor(),
        recording(shards)
            .max_frames_per_session(20)
            .max_frame_bytes_per_session(40'000)
            .max_frame_bytes(most_bytes)
    );
    {
        ContextThreads threads(context, 4);
        std::vector<std::future<void>> all;
        for (std::uint64_t i = 0; i < lives; ++i) {
            all.push_back(asio::co_spawn(context, live(service, found, seed + i), asio::use_future)
            );
        }
        for (auto& each : all) {
            each.get();
        }
        const auto metrics = service.async_metrics(asio::use_future).get().value();
        CHECK(metrics.frames_recorded == found.recorded);
        CHECK(metrics.frames == 0);
        CHECK(metrics.frame_bytes == 0);
        CHECK(metrics.frames_recorded == metrics.frames_dropped + metrics.frames_ended);
        REQUIRE(service.async_drain(Duration::zero(), asio::use_future).get().has_value());
        // The followers end, as nothing else is left to do.
        threads.finish();
    }
    CHECK(found.strange == 0);
    CHECK(found.ended == lives * (frame_rounds / 10));
}
