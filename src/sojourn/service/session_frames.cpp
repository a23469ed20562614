#include "sojourn/service/session_frames.hpp"

#include "sojourn/async/latch.hpp"
#include "sojourn/core/frame_ring.hpp"
#include "sojourn/core/frame_store.hpp"
#include "sojourn/service/shard.hpp"

#include <algorithm>
#include <optional>

using boost::asio::awaitable;

namespace sojourn {

namespace {

/// Why nobody can read there, if that can be told without a turn.
std::optional<Error> objection_to_reading(const SessionPlace& place) noexcept
{
    if (!place.shard) {
        return errc::not_found;
    }
    return place.shard->max_frames() == 0 ? std::optional<Error>(errc::not_recorded) : std::nullopt;
}

/// With the memory that a turn needs to fill it.
FramePage empty_page(const Shard& shard, const FrameQuery& query)
{
    FramePage page;
    page.frames.reserve(std::min(query.limit(), shard.max_frames()));
    return page;
}

} // namespace

awaitable<Result<std::uint64_t>> record_frame(
    SessionPlace place, FrameDirection direction, std::string payload, std::uint32_t stream
)
{
    if (!place.shard) {
        co_return errc::not_found;
    }
    auto& shard = *place.shard;
    if (shard.max_frames() == 0) {
        co_return std::uint64_t{0};
    }
    // What is counted is what there is.
    payload.shrink_to_fit();
    Recording recording;
    recording.frame =
        std::make_shared<KeptFrame>(Frame(direction, std::move(payload), stream, shard.wall_now()));
    do {
        // Not inside a turn, like all that is allocated. A ring grows a few times in its life.
        if (recording.lacking_room > 0) {
            recording.ring = std::make_unique<FrameRing>(recording.lacking_room);
        }
        auto turn = [&place, &recording](ShardState& state) {
            return state.record(place.slot, place.reference, recording);
        };
        const auto recorded = co_await shard.call(std::move(turn));
        if (!recorded) {
            co_return recorded.error();
        }
    } while (recording.lacking_room > 0);
    const bool is_kept = recording.frame == nullptr;
    co_return is_kept ? recording.sequence : std::uint64_t{0};
}

awaitable<Result<FramePage>> read_frames(SessionPlace place, FrameQuery query)
{
    if (const auto objection = objection_to_reading(place)) {
        co_return *objection;
    }
    auto page = empty_page(*place.shard, query);
    auto turn = [&](ShardState& state) {
        return state.read_frames(place.slot, place.reference, query, page);
    };
    const auto read = co_await place.shard->call(std::move(turn));
    if (!read) {
        co_return read.error();
    }
    co_return page;
}

awaitable<Result<FramePage>> next_frames(SessionPlace place, FrameQuery query)
{
    if (const auto objection = objection_to_reading(place)) {
        co_return *objection;
    }
    auto& shard = *place.shard;
    auto page = empty_page(shard, query);
    std::shared_ptr<Latch> bell;
    for (;;) {
        // If there is another bell, this one goes, and must not go inside the turn.
        const auto brought = bell;
        auto turn = [&](ShardState& state) {
            return state.next_frames(place.slot, place.reference, query, page, bell);
        };
        const auto looked = co_await shard.call(std::move(turn));
        if (!looked) {
            co_return looked.error();
        }
        if (!page.frames.empty()) {
            co_return page;
        }
        // Those that are not of its stream need not be looked at again.
        query.after(page.next);
        if (page.next < page.newest) {
            continue;
        }
        if (bell == nullptr) {
            // Not inside a turn: it tells the execution context of itself, which takes a lock.
            bell = shard.make_bell();
            continue;
        }
        const auto rung = co_await bell->wait(Duration::max());
        if (!rung) {
            co_return rung.error();
        }
        bell.reset();
    }
}

} // namespace sojourn
