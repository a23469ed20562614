// The frames of sessions: recorded through leases, read and followed through those or by reference.

#include "service/begun.hpp"
#include "service/manual_service.hpp"
#include "support/allocations.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

using Following = Begun<Result<FramePage>>;

constexpr auto from_client = FrameDirection::from_client;
constexpr auto to_client = FrameDirection::to_client;
/// Of a frame of ten bytes.
constexpr std::size_t each = 10 + Frame::overhead;

ServiceOptions recording(std::size_t shards = 1)
{
    return plain_options()
        .request_rate(RateLimit::unlimited())
        .max_frames_per_session(20)
        .shards(shards);
}

std::size_t any_shards()
{
    return GENERATE(std::size_t{1}, std::size_t{3});
}

/// A session with a lease, and what a test does with its frames.
struct Recorder {
    explicit Recorder(ManualService& of, CreateOptions options = CreateOptions())
        : sessions(of),
          id(of.establish(std::move(options))),
          lease(of.acquire(id)),
          reference(lease.info().reference)
    {
    }

    std::uint64_t record(std::string payload = "0123456789", std::uint32_t stream = 0)
    {
        return sessions.run(lease.record(to_client, std::move(payload), stream)).value();
    }

    FramePage frames(FrameQuery query = FrameQuery())
    {
        return sessions.run(sessions.service.frames(reference, query)).value();
    }

    Following follow(FrameQuery query = FrameQuery())
    {
        return {sessions, sessions.service.next_frames(reference, query)};
    }

    void remove() { REQUIRE(sessions.run(sessions.service.remove(id)).has_value()); }

    ManualService& sessions;
    SessionId id;
    SessionLease lease;
    SessionReference reference;
};

std::vector<std::uint64_t> numbers(const FramePage& page)
{
    std::vector<std::uint64_t> found;
    for (const auto& frame : page.frames) {
        found.push_back(frame->sequence);
    }
    return found;
}

using Numbers = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("session_service: a frame is read as it was recorded", "[async][service]")
{
    ManualService sessions(recording(any_shards()));
    Recorder other(sessions);
    (void)other.record();
    Recorder r(sessions);
    CHECK(sessions.run(r.lease.record(from_client, "ping", 7)).value() == 1);
    const auto at = sessions.clock->wall();
    sessions.pass(1s);
    CHECK(sessions.run(r.lease.record(to_client, std::string("p\0ng", 4))).value() == 2);

    const auto page = r.frames();
    REQUIRE(numbers(page) == Numbers{1, 2});
    CHECK(page.frames[0]->payload == "ping");
    CHECK(page.frames[0]->direction == from_client);
    CHECK(page.frames[0]->stream == 7);
    CHECK(page.frames[0]->recorded == at);
    CHECK(page.frames[1]->payload == std::string("p\0ng", 4));
    CHECK(page.frames[1]->direction == to_client);
    CHECK(page.frames[1]->stream == 0);
    CHECK(page.frames[1]->recorded == at + 1s);
    CHECK(page.next == 2);
    CHECK(page.newest == 2);
    CHECK(page.first_kept == 1);
    CHECK(page.dropped == 0);
}

TEST_CASE("session_service: each kind of lease records and reads", "[async][service]")
{
    ManualService sessions(recording());
    const auto id = sessions.establish();
    auto plain = sessions.acquire(id);
    auto weak = sessions.run(sessions.service.acquire_weak(id)).value();
    auto exclusive = sessions.run(sessions.service.acquire_exclusive(id)).value();
    CHECK(sessions.run(plain.record(to_client, "a")).value() == 1);
    CHECK(sessions.run(weak.record(to_client, "b")).value() == 2);
    CHECK(sessions.run(exclusive.record(to_client, "c")).value() == 3);
    CHECK(numbers(sessions.run(plain.frames()).value()) == Numbers{1, 2, 3});
    CHECK(numbers(sessions.run(weak.frames()).value()) == Numbers{1, 2, 3});
    CHECK(numbers(sessions.run(exclusive.frames()).value()) == Numbers{1, 2, 3});
    const auto late = FrameQuery().after(2);
    CHECK(numbers(sessions.run(plain.next_frames(late)).value()) == Numbers{3});
    CHECK(numbers(sessions.run(weak.next_frames(late)).value()) == Numbers{3});
    CHECK(numbers(sessions.run(exclusive.next_frames(late)).value()) == Numbers{3});
}

TEST_CASE("session_service: a page shares the frames, and copies none", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    (void)r.record();
    const auto first = r.frames();
    const auto second = r.frames();
    CHECK(first.frames.at(0) == second.frames.at(0));
}

TEST_CASE("session_service: where no frames are recorded, it says so", "[async][service]")
{
    ManualService sessions(plain_options());
    Recorder r(sessions);
    // Which a server may do whatever its options are.
    CHECK(sessions.run(r.lease.record(to_client, "a")).value() == 0);
    CHECK(sessions.run(r.lease.frames()).error() == errc::not_recorded);
    CHECK(sessions.run(r.lease.next_frames()).error() == errc::not_recorded);
    auto& service = sessions.service;
    CHECK(sessions.run(service.frames(r.reference)).error() == errc::not_recorded);
    CHECK(sessions.run(service.next_frames(r.reference)).error() == errc::not_recorded);
    CHECK(sessions.metrics().frames_recorded == 0);
}

TEST_CASE("session_service: a reader pages through all that is kept", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    for (int i = 0; i < 25; ++i) {
        (void)r.record();
    }
    auto page = r.frames(FrameQuery().limit(15));
    CHECK(page.frames.size() == 15);
    // The gap that it missed.
    CHECK(page.first_kept == 6);
    CHECK(page.dropped == 5);
    page = r.frames(FrameQuery().limit(15).after(page.next));
    CHECK(numbers(page) == Numbers{21, 22, 23, 24, 25});
    CHECK(page.next == page.newest);
}

TEST_CASE("session_service: a rotated session keeps its frames and numbers", "[async][service]")
{
    ManualService sessions(recording(any_shards()));
    Recorder r(sessions);
    (void)r.record();
    const auto fresh = sessions.run(sessions.service.rotate(r.id)).value();
    CHECK(r.record() == 2);
    CHECK(numbers(r.frames()) == Numbers{1, 2});
    CHECK(sessions.run(sessions.acquire(fresh).record(to_client, "x")).value() == 3);
}

TEST_CASE("session_service: frames neither touch nor count as requests", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    r.lease.release();
    auto weak = sessions.run(sessions.service.acquire_weak(r.id)).value();
    weak.release();
    auto before = sessions.run(sessions.service.peek(r.id)).value();
    sessions.pass(29min);
    (void)r.frames();
    const auto after = sessions.run(sessions.service.peek(r.id)).value();
    CHECK(after.requests == before.requests);
    CHECK(after.expires_in == 1min);
}

TEST_CASE("session_service: of a session that has ended there are no frames", "[async][service]")
{
    ManualService sessions(recording(any_shards()));
    Recorder r(sessions);
    auto weak = sessions.run(sessions.service.acquire_weak(r.id)).value();
    (void)r.record();
    r.remove();
    CHECK(sessions.run(r.lease.record(to_client, "a")).error() == errc::not_found);
    CHECK(sessions.run(r.lease.frames()).error() == errc::not_found);
    CHECK(sessions.run(r.lease.next_frames()).error() == errc::not_found);
    CHECK(sessions.run(weak.record(to_client, "a")).error() == errc::not_found);
    auto& service = sessions.service;
    CHECK(sessions.run(service.frames(r.reference)).error() == errc::not_found);
    CHECK(sessions.run(service.next_frames(r.reference)).error() == errc::not_found);
    const auto metrics = sessions.metrics();
    CHECK(metrics.frames == 0);
    CHECK(metrics.frame_bytes == 0);
    CHECK(metrics.frames_ended == 1);
}

TEST_CASE("session_service: nothing has no frames", "[async][service]")
{
    ManualService sessions(recording());
    CHECK(sessions.run(SessionLease().record(to_client, "a")).error() == errc::not_found);
    CHECK(sessions.run(WeakLease().record(to_client, "a")).error() == errc::not_found);
    CHECK(sessions.run(SessionLease().frames()).error() == errc::not_found);
    CHECK(sessions.run(WeakLease().next_frames()).error() == errc::not_found);
    auto& service = sessions.service;
    CHECK(sessions.run(service.frames(SessionReference(1))).error() == errc::not_found);
    CHECK(sessions.run(service.next_frames(SessionReference(1))).error() == errc::not_found);
}

TEST_CASE("session_service: frames are bounded in all, over all shards", "[async][service]")
{
    const auto shards = any_shards();
    ManualService sessions(recording(shards).max_frame_bytes(10 * each));
    std::vector<std::unique_ptr<Recorder>> recorders;
    for (int i = 0; i < 8; ++i) {
        recorders.push_back(std::make_unique<Recorder>(sessions));
    }
    // Turn by turn, so that each has some when there is no room any more.
    for (int round = 0; round < 10; ++round) {
        for (auto& recorder : recorders) {
            (void)recorder->record();
            const auto metrics = sessions.metrics();
            REQUIRE(metrics.frame_bytes <= 10 * each);
            REQUIRE(metrics.frames * each == metrics.frame_bytes);
        }
    }
    auto metrics = sessions.metrics();
    CHECK(metrics.frames_recorded == 80);
    // Nobody's frames went for another's.
    CHECK(metrics.frames == 10);
    CHECK(metrics.frames_dropped == 70);
    CHECK(recorders[0]->frames().frames.size() == 2);
    CHECK(recorders[1]->frames().frames.size() == 2);
    CHECK(recorders[2]->frames().frames.size() == 1);
    CHECK(numbers(recorders[7]->frames()) == Numbers{10});
    // What one had, another may have.
    recorders[0]->remove();
    (void)recorders[7]->record();
    (void)recorders[7]->record();
    CHECK(recorders[7]->frames().frames.size() == 3);
    metrics = sessions.metrics();
    CHECK(metrics.frames == 10);
    CHECK(metrics.frames_ended == 2);
}

TEST_CASE("session_service: frames are freed when they are dropped and ended", "[async][service]")
{
    ManualService sessions(
        recording().max_frames_per_session(1).max_frame_bytes_per_session(1'000'000)
    );
    constexpr std::size_t size = 50'000;
    Recorder r(sessions);
    (void)r.record(std::string(size, 'x'));
    const auto one = bytes_allocated();
    (void)r.record(std::string(size, 'x'));
    CHECK(bytes_allocated() < one + size / 2);
    r.remove();
    CHECK(bytes_allocated() + size / 2 < one);
}

// Following

TEST_CASE("session_service: who follows is told at once of what there is", "[async][service]")
{
    ManualService sessions(recording(any_shards()));
    Recorder r(sessions);
    (void)r.record();
    (void)r.record();
    CHECK(numbers(r.follow().get().value()) == Numbers{1, 2});
    CHECK(numbers(r.follow(FrameQuery().after(1)).get().value()) == Numbers{2});
}

TEST_CASE("session_service: who follows waits for the next frame", "[async][service]")
{
    ManualService sessions(recording(any_shards()));
    Recorder r(sessions);
    auto first = r.follow();
    CHECK(first.is_waiting());
    (void)r.record();
    auto page = first.get().value();
    CHECK(numbers(page) == Numbers{1});
    for (std::uint64_t number = 2; number < 10; ++number) {
        auto next = r.follow(FrameQuery().after(page.next));
        REQUIRE(next.is_waiting());
        (void)r.record();
        page = next.get().value();
        REQUIRE(numbers(page) == Numbers{number});
    }
}

TEST_CASE("session_service: everybody who follows is told", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    Recorder other(sessions);
    auto first = r.follow();
    auto second = r.follow();
    Following third(sessions, r.lease.next_frames());
    auto unconcerned = other.follow();
    (void)r.record();
    CHECK(numbers(first.get().value()) == Numbers{1});
    CHECK(numbers(second.get().value()) == Numbers{1});
    CHECK(numbers(third.get().value()) == Numbers{1});
    CHECK(unconcerned.is_waiting());
    other.remove();
    CHECK(unconcerned.get().error() == errc::not_found);
}

TEST_CASE("session_service: who follows a stream is not told of others", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    auto following = r.follow(FrameQuery().stream(2));
    (void)r.record("a", 1);
    (void)r.record("b", 0);
    CHECK(following.is_waiting());
    (void)r.record("c", 2);
    CHECK(numbers(following.get().value()) == Numbers{3});
}

TEST_CASE("session_service: a frame that finds no room is nothing to read", "[async][service]")
{
    ManualService sessions(recording().max_frame_bytes_per_session(each));
    Recorder r(sessions);
    auto following = r.follow();
    CHECK(r.record(std::string(11, 'x')) == 0);
    CHECK(following.is_waiting());
    CHECK(r.record() == 2);
    const auto page = following.get().value();
    CHECK(numbers(page) == Numbers{2});
    CHECK(page.dropped == 1);
}

TEST_CASE("session_service: following ends with the session", "[async][service]")
{
    const bool is_leased = GENERATE(true, false);
    ManualService sessions(recording(any_shards()));
    Recorder r(sessions);
    if (!is_leased) {
        r.lease.release();
    }
    auto following = r.follow();
    CHECK(following.is_waiting());
    SECTION("when it is removed")
    {
        r.remove();
    }
    SECTION("when its lifetime is over")
    {
        sessions.pass(9h);
    }
    SECTION("when the service is drained")
    {
        auto drained = sessions.service.async_drain(0s, asio::use_future);
        sessions.settle();
        r.lease.release();
        sessions.settle();
        CHECK(drained.get().has_value());
    }
    CHECK(following.get().error() == errc::not_found);
}

TEST_CASE("session_service: requests on a session do not end its following", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    r.lease.release();
    auto following = r.follow();
    for (int i = 0; i < 3; ++i) {
        sessions.acquire(r.id).release();
        CHECK(following.is_waiting());
    }
    r.lease = sessions.acquire(r.id);
    (void)r.record();
    CHECK(numbers(following.get().value()) == Numbers{1});
}

TEST_CASE("session_service: nobody is told of the next session's frames", "[async][service]")
{
    // One slot, so that every session comes after the other in it.
    ManualService sessions(recording().max_sessions(1));
    auto first = std::make_unique<Recorder>(sessions);
    auto following = first->follow();
    first->remove();
    first->lease.release();
    Recorder second(sessions);
    (void)second.record();
    CHECK(following.get().error() == errc::not_found);
    CHECK(sessions.run(first->lease.frames()).error() == errc::not_found);
}

TEST_CASE("session_service: following that is cancelled ends alone", "[async][service]")
{
    const auto type = any_cancellation();
    ManualService sessions(recording());
    Recorder r(sessions);
    auto cancelled = r.follow();
    auto other = r.follow();
    cancelled.cancel(type);
    CHECK(cancelled.get().error().code() == asio::error::operation_aborted);
    CHECK(other.is_waiting());
    (void)r.record();
    CHECK(numbers(other.get().value()) == Numbers{1});
}

TEST_CASE("session_service: no more follow a session than may", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    std::vector<Following> all;
    all.reserve(64);
    for (int i = 0; i < 64; ++i) {
        all.push_back(r.follow());
        REQUIRE(all.back().is_waiting());
    }
    CHECK(r.follow().get().error() == errc::overloaded);
    // Who goes leaves a place.
    all.back().cancel(asio::cancellation_type::terminal);
    all.pop_back();
    all.push_back(r.follow());
    CHECK(all.back().is_waiting());
    (void)r.record();
    for (auto& one : all) {
        REQUIRE(numbers(one.get().value()) == Numbers{1});
    }
}

TEST_CASE("session_service: following completes on its caller's executor", "[async][service]")
{
    ManualService sessions(recording());
    Recorder r(sessions);
    asio::io_context other;
    const TrackingExecutor executor(other.get_executor());
    const auto done = spawn_coro(executor, sessions.service.next_frames(r.reference));
    run_ready(other);
    (void)r.record();
    sessions.settle();
    // Not inside the call that recorded it.
    CHECK_FALSE(done->is_done());
    run_ready(other);
    REQUIRE(done->is_done());
    CHECK(numbers(done->take().value()) == Numbers{1});
}

TEST_CASE("session_service: frames have a second face", "[async][service]")
{
    const auto shards = any_shards();
    ManualService sessions(recording(shards));
    Recorder r(sessions);
    auto& service = sessions.service;
    Following waiting(
        sessions, service.async_next_frames(r.reference, FrameQuery(), asio::use_future)
    );
    CHECK(waiting.is_waiting());
    (void)r.record();
    CHECK(numbers(waiting.get().value()) == Numbers{1});
    Following read(sessions, service.async_frames(r.reference, FrameQuery(), asio::use_future));
    CHECK(numbers(read.get().value()) == Numbers{1});
    Following nobody(
        sessions, service.async_frames(SessionReference(1), FrameQuery(), asio::use_future)
    );
    CHECK(nobody.get().error() == errc::not_found);
}

// The end of the service

TEST_CASE("session_service: once the service is gone, frames say so", "[async][service]")
{
    const auto shards = any_shards();
    asio::io_context context;
    auto service = std::make_unique<SessionService>(context.get_executor(), recording(shards));
    auto created = run_coro(context, service->create()).value();
    auto weak = run_coro(context, service->acquire_weak(created.id)).value();
    const auto reference = created.lease.info().reference;
    CHECK(run_coro(context, created.lease.record(to_client, "a")).value() == 1);
    const auto late = FrameQuery().after(1);
    const auto by_lease = spawn_coro(context.get_executor(), created.lease.next_frames(late));
    const auto by_weak = spawn_coro(context.get_executor(), weak.next_frames(late));
    const auto by_name = spawn_coro(context.get_executor(), service->next_frames(reference, late));
    run_ready(context);
    CHECK_FALSE(by_lease->is_done());
    CHECK_FALSE(by_weak->is_done());
    CHECK_FALSE(by_name->is_done());
    service.reset();
    run_ready(context);
    REQUIRE(by_lease->is_done());
    REQUIRE(by_weak->is_done());
    REQUIRE(by_name->is_done());
    CHECK(by_lease->take().error() == errc::stopping);
    CHECK(by_weak->take().error() == errc::stopping);
    CHECK(by_name->take().error() == errc::stopping);
    CHECK(run_coro(context, created.lease.record(to_client, "b")).error() == errc::stopping);
    CHECK(run_coro(context, weak.record(to_client, "b")).error() == errc::stopping);
    CHECK(run_coro(context, created.lease.frames()).error() == errc::stopping);
    CHECK(run_coro(context, weak.next_frames()).error() == errc::stopping);
}

namespace {

asio::awaitable<void> follow_for_ever(SessionService& service, SessionReference who, int& following)
{
    ++following;
    (void)co_await service.next_frames(who);
    --following;
}

} // namespace

TEST_CASE("session_service: who follows may go with the context", "[async][service]")
{
    const bool service_goes_first = GENERATE(false, true);
    const bool is_other = GENERATE(false, true);
    const auto memory = bytes_allocated();
    int following = 0;
    {
        auto other = std::make_unique<asio::io_context>();
        auto context = std::make_unique<asio::io_context>();
        auto service = std::make_unique<SessionService>(context->get_executor(), recording(2));
        auto created = run_coro(*context, service->create()).value();
        const auto who = created.lease.info().reference;
        const auto home = is_other ? other->get_executor() : context->get_executor();
        for (int i = 0; i < 3; ++i) {
            (void)spawn_coro(home, follow_for_ever(*service, who, following));
        }
        run_ready(*context);
        run_ready(*other);
        if (service_goes_first) {
            service.reset();
        }
        context.reset();
        other.reset();
        service.reset();
    }
    CHECK(following == 3);
    CHECK(bytes_allocated() <= memory + 64);
}
