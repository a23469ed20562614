#include "sojourn/service/drain_progress.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace sojourn;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint start(1h);

DrainOptions options(Duration limit, Duration grace)
{
    return DrainOptions().limit(limit).cancel_grace(grace);
}

constexpr DrainCounts nothing{};
constexpr DrainCounts leased{.live = 2, .open = 2};
constexpr DrainCounts closing{.live = 2, .open = 0};
constexpr DrainCounts untold{.live = 0, .open = 0, .untold = 3};

} // namespace

TEST_CASE("drain_progress: the state goes forward only", "[unit][service]")
{
    DrainProgress progress;
    CHECK(progress.state() == ServiceState::running);
    progress.join(start, options(10s, 1s));
    CHECK(progress.state() == ServiceState::draining);
    progress.advance(ServiceState::closed);
    CHECK(progress.state() == ServiceState::closed);
    progress.advance(ServiceState::cancelling);
    progress.join(start, options(10s, 1s));
    progress.advance(ServiceState::running);
    CHECK(progress.state() == ServiceState::closed);
}

TEST_CASE(
    "drain_progress: what is leased is waited for, then cancelled, then left", "[unit][service]"
)
{
    DrainProgress progress;
    progress.join(start, options(10s, 2s));
    CHECK(progress.next_step(leased, start) == DrainStep::wait);
    CHECK(progress.next_moment(start) == start + 10s);
    CHECK(progress.next_step(leased, start + 10s - 1ns) == DrainStep::wait);
    CHECK(progress.next_step(leased, start + 10s) == DrainStep::cancel);
    progress.advance(ServiceState::cancelling);
    CHECK(progress.next_step(closing, start + 10s) == DrainStep::wait);
    CHECK(progress.next_moment(start + 10s) == start + 12s);
    CHECK(progress.next_step(closing, start + 12s - 1ns) == DrainStep::wait);
    CHECK(progress.next_step(closing, start + 12s) == DrainStep::close);
}

TEST_CASE("drain_progress: where nothing is left it closes, at any time", "[unit][service]")
{
    DrainProgress progress;
    progress.join(start, options(10s, 2s));
    for (const auto now : {start, start + 10s, start + 11s, start + 1h}) {
        CHECK(progress.next_step(nothing, now) == DrainStep::close);
    }
}

TEST_CASE(
    "drain_progress: listeners have the grace too, and nobody is cancelled for them",
    "[unit][service]"
)
{
    DrainProgress progress;
    progress.join(start, options(10s, 2s));
    CHECK(progress.next_step(untold, start + 10s) == DrainStep::wait);
    CHECK(progress.next_moment(start + 10s) == start + 12s);
    CHECK(progress.next_step(untold, start + 12s) == DrainStep::close);
}

TEST_CASE("drain_progress: nobody is left without having been told", "[unit][service]")
{
    DrainProgress progress;
    progress.join(start, options(0s, 0s));
    CHECK(progress.next_step(leased, start) == DrainStep::cancel);
    progress.advance(ServiceState::cancelling);
    // One who has cancelled, and was lost before he told all.
    CHECK(progress.next_step(leased, start) == DrainStep::cancel);
    CHECK(progress.next_step(closing, start) == DrainStep::close);
}

TEST_CASE(
    "drain_progress: sessions that are closing already are cancelled as well", "[unit][service]"
)
{
    DrainProgress progress;
    progress.join(start, options(10s, 2s));
    CHECK(progress.next_step(closing, start + 10s) == DrainStep::cancel);
}

TEST_CASE("drain_progress: of several drains the earliest moments count", "[unit][service]")
{
    DrainProgress progress;
    progress.join(start, options(Duration::max(), Duration::max()));
    CHECK(progress.next_moment(start) == TimePoint::max());
    progress.join(start, options(10s, 100s));
    CHECK(progress.next_moment(start) == start + 10s);
    progress.join(start + 1s, options(19s, 1s));
    CHECK(progress.next_moment(start + 1s) == start + 10s);
    CHECK(progress.next_moment(start + 10s) == start + 21s);
    // Longer ones change nothing.
    progress.join(start + 2s, options(1h, 1h));
    CHECK(progress.next_moment(start + 2s) == start + 10s);
    CHECK(progress.next_moment(start + 11s) == start + 21s);
}

TEST_CASE("drain_progress: a limit of less than nothing is none", "[unit][service]")
{
    DrainProgress progress;
    progress.join(start, options(Duration::min(), Duration::min()));
    CHECK(progress.next_step(leased, start) == DrainStep::cancel);
    CHECK(progress.next_step(untold, start) == DrainStep::close);
}

TEST_CASE("drain_progress: closed is closed, whatever is left", "[unit][service]")
{
    DrainProgress progress;
    progress.join(start, options(10s, 2s));
    progress.advance(ServiceState::closed);
    CHECK(progress.next_step(leased, start) == DrainStep::close);
}

TEST_CASE("drain_progress: who was refused first is who was refused", "[unit][service]")
{
    DrainProgress progress;
    progress.note_refused(3);
    progress.note_refused(5);
    CHECK(progress.waiters_refused() == 3);
    CHECK_FALSE(progress.is_abandoned());
    progress.abandon();
    CHECK(progress.is_abandoned());
}
