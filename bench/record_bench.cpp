// What does it cost to record a message that goes through a session, made of 64 bytes for that and
// awaited in a coroutine? `off`: the service records none, which a server pays that records all it
// sees and leaves it to its options. `full`: each session keeps as many as it may, so the frame
// takes the place of its oldest, which is freed. One coroutine a thread, each with sessions of its
// own.

#include "sojourn/service/session_service.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/drive.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::bench;

constexpr std::size_t records_of_a_thread = 20'000;
constexpr std::size_t payload_bytes = 64;

/// A service with sessions that are all leased. It keeps so many frames of each.
template <std::size_t frames>
class Recorders {
public:
    explicit Recorders(std::size_t sessions)
        : service_(context_.get_executor(), options_for(sessions))
    {
        run(context_, create(sessions));
        std::atomic<std::size_t> recorded{0};
        for (std::size_t i = 0; i < frames; ++i) {
            run(context_, record(0, 1, sessions, recorded));
        }
        is_full_ = recorded == frames * sessions;
    }

    [[nodiscard]] asio::io_context& context() noexcept { return context_; }

    [[nodiscard]] bool is_full() const noexcept { return is_full_; }

    /// In turn for each session whose number is `first`, or that and a multiple of `apart` more.
    asio::awaitable<void> record(
        std::size_t first, std::size_t apart, std::size_t count, std::atomic<std::size_t>& recorded
    )
    {
        std::size_t kept = 0;
        auto place = first;
        for (std::size_t i = 0; i < count; ++i) {
            std::string payload(payload_bytes, 'x');
            auto recording = leases_[place].record(FrameDirection::to_client, std::move(payload));
            const auto number = co_await std::move(recording);
            kept += number && *number > 0 ? 1U : 0U;
            place = place + apart < leases_.size() ? place + apart : first;
        }
        recorded += kept;
    }

private:
    static ServiceOptions options_for(std::size_t sessions)
    {
        return ServiceOptions()
            .max_sessions(sessions)
            .max_half_open(sessions)
            .max_frames_per_session(frames);
    }

    asio::awaitable<void> create(std::size_t sessions)
    {
        leases_.reserve(sessions);
        for (std::size_t i = 0; i < sessions; ++i) {
            auto creation = service_.create();
            auto created = co_await std::move(creation);
            leases_.push_back(std::move(created).value().lease);
        }
    }

    asio::io_context context_;
    SessionService service_;
    std::vector<SessionLease> leases_;
    bool is_full_ = false;
};

template <std::size_t frames>
void record(benchmark::State& state)
{
    auto& recorders = cached<Recorders<frames>>(sessions_of(state));
    const auto threads = threads_of(state);
    std::atomic<std::size_t> recorded{0};
    for (auto _ : state) {
        state
            .SetIterationTime(drive(recorders.context(), threads, threads, [&](std::size_t thread) {
                return recorders.record(thread, threads, records_of_a_thread, recorded);
            }));
    }
    const auto asked = static_cast<std::size_t>(state.iterations()) * threads * records_of_a_thread;
    if (!recorders.is_full() || recorded != (frames > 0 ? asked : 0)) {
        state.SkipWithError("a frame was not recorded");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(asked));
}

} // namespace

BENCHMARK(record<0>)->Name("record/sojourn/off")->Apply(on_many_threads<1'000>);
BENCHMARK(record<20>)->Name("record/sojourn/full")->Apply(on_many_threads<1'000>);
