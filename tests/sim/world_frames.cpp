// The frames of a simulated world: clients record them, read them a page at a time, and follow
// their sessions.

#include "sim/world_flight.hpp"
#include "sim/world_launch.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

using boost::asio::awaitable;
using boost::asio::use_awaitable;

namespace sojourn::tests::sim {

namespace {

using Page = Result<FramePage>;

constexpr std::uint32_t streams = 3;

FrameQuery draw_query(std::uint32_t number, std::uint64_t last_read)
{
    constexpr std::array<std::size_t, 4> limits = {1, 2, 100, 1'000};
    const std::array<std::uint64_t, 4> beginnings = {0, last_read, last_read, number / 16 % 32};
    FrameQuery query;
    query.limit(limits.at(number % limits.size())).after(beginnings.at(number / 4 % 4));
    if (number / 512 % 2 == 1) {
        query.stream(number / 1'024 % streams);
    }
    return query;
}

} // namespace

/// Calls with one of all leases that are held.
template <class F>
void World::with_lease(std::uint32_t number, F f)
{
    std::size_t place = number;
    const auto all = leases_.size() + exclusive_leases_.size() + weak_leases_.size();
    if (all == 0) {
        return;
    }
    place %= all;
    if (place < leases_.size()) {
        f(leases_[place]);
        return;
    }
    place -= leases_.size();
    if (place < exclusive_leases_.size()) {
        f(exclusive_leases_[place]);
        return;
    }
    f(weak_leases_[place - exclusive_leases_.size()]);
}

void World::record(const Step& step)
{
    constexpr std::array<std::size_t, 5> paddings = {0, 0, 10, 100, 1'500};
    const auto shape = step.numbers[1];
    const auto direction = shape % 2 == 0 ? FrameDirection::from_client : FrameDirection::to_client;
    const auto stream = shape / 2 % streams;
    auto payload = std::to_string(++payloads_);
    payload.append(paddings.at(shape / 8 % paddings.size()), '.');
    with_lease(step.numbers[0], [&](auto& held) {
        const auto flight = prepare(Action::record, held.session);
        flight->frame.emplace(direction, payload, stream, WallTime());
        // The lease may be moved or given back before the coroutine begins.
        const auto recording = std::make_shared<awaitable<Result<std::uint64_t>>>(
            held.lease.record(direction, payload, stream)
        );
        launch<std::uint64_t>(
            flight,
            [recording](SessionService& /*service*/) { return std::move(*recording); },
            &World::recorded
        );
    });
}

void World::recorded(const Flight& flight, Result<std::uint64_t>& result)
{
    if (!result) {
        return;
    }
    mix(*result);
    auto& known = known_[*flight.session];
    if (swarm_.options.max_frames_per_session() == 0) {
        require(*result == 0, "a frame was recorded where none are");
        return;
    }
    ++frames_recorded_;
    known.frames.answer(*result, *flight.frame, flight.least_frames, swarm_.options);
    require(known.gone_at >= flight.began, "a frame of a session that had ended");
}

World::FlightPointer World::prepare_reading(const Step& step, std::size_t session) const
{
    constexpr std::uint32_t most_pages = 4;
    const auto flight = prepare(step.action, session);
    flight->query = draw_query(step.numbers[1], known_[session].last_read);
    flight->pages = step.action == Action::follow_frames ? step.numbers[2] / 2 % most_pages + 1 : 1;
    return flight;
}

/// A page, or page after page, of a session that is leased or known by its reference.
void World::begin_reading(const Step& step, Face face)
{
    const auto begin = [&](const FlightPointer& flight, std::shared_ptr<awaitable<Page>> first) {
        launch<FramePage>(
            flight,
            [this, flight, face, first = std::move(first)](SessionService& /*service*/) {
                return first ? read_on(flight, std::move(*first)) : read(flight, face);
            },
            &World::read_frames
        );
    };
    if (step.numbers[0] % 3 == 0) {
        with_lease(step.numbers[0] / 3, [&](auto& held) {
            const auto flight = prepare_reading(step, held.session);
            const auto& lease = held.lease;
            const auto first = std::make_shared<awaitable<Page>>(
                step.action == Action::follow_frames ? lease.next_frames(flight->query)
                                                     : lease.frames(flight->query)
            );
            begin(flight, first);
        });
    } else if (const auto session = find_session(step.numbers[0] / 3)) {
        begin(prepare_reading(step, *session), nullptr);
    }
}

awaitable<Page> World::read(FlightPointer flight, Face face)
{
    auto page = ask_for_page(*flight, face);
    return read_on(std::move(flight), std::move(page));
}

awaitable<Page> World::ask_for_page(const Flight& flight, Face face)
{
    const auto reference = known_[*flight.session].reference;
    auto& service = *service_;
    if (flight.action == Action::read_frames) {
        return face == Face::coroutine
                   ? service.frames(reference, flight.query)
                   : service.async_frames(reference, flight.query, use_awaitable);
    }
    return face == Face::coroutine
               ? service.next_frames(reference, flight.query)
               : service.async_next_frames(reference, flight.query, use_awaitable);
}

/// A follower goes on where his last page ended, as often as he wants.
awaitable<Page> World::read_on(FlightPointer flight, awaitable<Page> first)
{
    auto page = co_await std::move(first);
    while (page && --flight->pages > 0) {
        judge_page(*flight, *page);
        if (!service_) {
            co_return errc::stopping;
        }
        flight->query.after(page->next);
        flight->least_frames = known_[*flight->session].frames.answered();
        auto next = ask_for_page(*flight, Face::coroutine);
        page = co_await std::move(next);
    }
    co_return page;
}

void World::read_frames(const Flight& flight, Result<FramePage>& result)
{
    const bool is_recording = swarm_.options.max_frames_per_session() > 0;
    if (result) {
        require(is_recording, "frames, though none are recorded");
        judge_page(flight, *result);
        return;
    }
    require(result.error() != errc::not_recorded || !is_recording, "said not to be recorded");
    require(
        result.error() != errc::overloaded || known_[*flight.session].most_followers > 64,
        "a follower was refused, and there was room for him"
    );
}

void World::judge_page(const Flight& flight, const FramePage& page)
{
    mix(page.next);
    mix(page.frames.size());
    auto& known = known_[*flight.session];
    require(known.gone_at >= flight.began, "frames of a session that had ended");
    require(
        flight.action != Action::follow_frames || !page.frames.empty(),
        "a follower was told of nothing"
    );
    known.frames.judge(page, flight.query, flight.least_frames, swarm_.options);
    known.last_read = page.next;
}

/// Where nothing is ready any more, who follows a session waits for something that has not come.
void World::check_followers() const
{
    for (const auto& flight : flights_) {
        if (flight->action != Action::follow_frames || flight->began == never) {
            continue;
        }
        const auto& known = known_[*flight->session];
        require(service_ != nullptr, "a session is followed when the service is gone");
        require(known.gone_at == never, "a session is followed that has ended");
        require(!known.frames.has_last_for(flight->query), "a follower was not told of a frame");
    }
}

/// Sessions and counters say the same. Nothing is ready, so nothing happens meanwhile.
void World::check_frames()
{
    const auto& options = swarm_.options;
    if (options.max_frames_per_session() == 0 || is_drain_begun_) {
        return;
    }
    std::uint64_t kept = 0;
    std::uint64_t bytes = 0;
    const auto query = FrameQuery().limit(1'000);
    for (auto& known : known_) {
        if (known.frames.answered() == 0) {
            continue;
        }
        const auto page = simulation_->run(service_->frames(known.reference, query));
        if (!page) {
            require(page.error() == errc::not_found, "frames cannot be read");
            continue;
        }
        known.frames.judge(*page, query, known.frames.answered(), options);
        kept += page->frames.size();
        for (const auto& frame : page->frames) {
            bytes += frame->bytes();
        }
    }
    const auto metrics = simulation_->run(service_->metrics()).value();
    require_same(metrics.frames, kept, "frames, counted and kept");
    require_same(metrics.frame_bytes, bytes, "bytes of frames, counted and kept");
    require_same(metrics.frames_recorded, frames_recorded_, "frames, counted and recorded");
    require(bytes <= options.max_frame_bytes(), "more bytes of frames than may be");
}

/// There are no frames, so there is room for as many bytes as a session may ever have.
void World::check_frame_room(SessionLease& lease)
{
    const auto& options = swarm_.options;
    const auto most = std::min(options.max_frame_bytes_per_session(), options.max_frame_bytes());
    if (options.max_frames_per_session() == 0 || most < Frame::overhead) {
        return;
    }
    std::string payload(most - Frame::overhead, '.');
    auto recording = lease.record(FrameDirection::to_client, std::move(payload));
    require(
        simulation_->run(std::move(recording)).value() == 1, "no room for a frame, though there is"
    );
}

/// Once all sessions have ended.
void World::check_frame_books(const Metrics& metrics) const
{
    require_same(metrics.frames, 0, "frames at the end");
    require_same(metrics.frame_bytes, 0, "bytes of frames at the end");
    require_same(metrics.frames_recorded, frames_recorded_, "frames, counted and recorded");
    if (is_frame_room_scarce(swarm_.options)) {
        return;
    }
    std::uint64_t ended = 0;
    for (const auto& known : known_) {
        ended += known.frames.kept(swarm_.options);
    }
    require_same(metrics.frames_ended, ended, "frames that ended with their sessions");
}

} // namespace sojourn::tests::sim
