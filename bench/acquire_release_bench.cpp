// What does a request pay for its session: to acquire it, awaited in a coroutine, and to give it
// back? One coroutine a thread, on one context. `zipf`: all threads want the same few sessions;
// `distinct`: no two threads want the same.

#include "peers/co_spawn_strand.hpp"
#include "peers/mutex_lru.hpp"
#include "peers/post_strand.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "peers/shared_mutex_lru.hpp"
#include "support/access.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/contestants.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;
using namespace sojourn::bench::peers;

/// Many, so that the threads are together for long, and not one after the other.
constexpr std::size_t requests_of_a_thread = 50'000;

enum class Sessions : std::uint8_t { zipf, distinct };

template <class Contestant>
asio::awaitable<bool> adopt_all(Contestant& contestant, std::size_t count)
{
    bool all_made = true;
    for (std::size_t number = 0; number < count; ++number) {
        auto id = numbered_id<typename Contestant::Id>(number);
        const auto made = co_await contestant.adopt(std::move(id));
        all_made = all_made && static_cast<bool>(made);
    }
    co_return all_made;
}

template <class Contestant>
struct FilledArena : Arena<Contestant> {
    explicit FilledArena(std::size_t sessions) : Arena<Contestant>(with_headroom(sessions))
    {
        is_full = run(this->context(), adopt_all(this->contestant(), sessions));
    }

    bool is_full = false;
};

/// Moves each session of a thread's part of the sequence into that thread's part of the sessions.
void make_distinct(std::vector<std::uint32_t>& sequence, std::size_t sessions, std::size_t threads)
{
    const auto part = sequence.size() / threads;
    for (std::size_t i = 0; i < part * threads; ++i) {
        sequence[i] =
            static_cast<std::uint32_t>((sequence[i] % (sessions / threads)) * threads + i / part);
    }
}

/// The ids of requests, in as many parts as there are threads.
template <class Id, Sessions which>
class Requests {
public:
    Requests(std::size_t sessions, std::size_t threads) : threads_(threads)
    {
        const auto access = which == Sessions::zipf ? Access::zipf : Access::uniform;
        auto sequence = access_sequence(access, sessions);
        if constexpr (which == Sessions::distinct) {
            make_distinct(sequence, sessions, threads);
        }
        ids_ = numbered_ids<Id>(sequence);
    }

    [[nodiscard]] std::span<const Id> of(std::size_t thread) const
    {
        const auto part = ids_.size() / threads_;
        return std::span(ids_).subspan(thread * part, part);
    }

private:
    std::size_t threads_;
    std::vector<Id> ids_;
};

template <class Id, Sessions which>
struct RequestsByThreads {
    explicit RequestsByThreads(std::size_t count) : sessions(count) {}

    const Requests<Id, which>& of(std::size_t threads)
    {
        return made.try_emplace(threads, sessions, threads).first->second;
    }

    std::size_t sessions;
    std::map<std::size_t, Requests<Id, which>> made;
};

/// One thread's requests. Where it stopped is where it goes on.
template <class Contestant>
asio::awaitable<void> request_all(
    Contestant& contestant,
    std::span<const typename Contestant::Id> ids,
    std::size_t& next,
    std::atomic<std::size_t>& found
)
{
    std::size_t hits = 0;
    for (std::size_t i = 0; i < requests_of_a_thread; ++i) {
        next = next + 1 == ids.size() ? 0 : next + 1;
        const auto lease = co_await contestant.acquire(ids[next]);
        hits += lease ? 1U : 0U;
    }
    found += hits;
}

template <class Contestant, Sessions which>
void acquire_release(benchmark::State& state)
{
    const auto sessions = sessions_of(state);
    const auto threads = threads_of(state);
    auto& arena = cached<FilledArena<Contestant>>(sessions);
    const auto& requests =
        cached<RequestsByThreads<typename Contestant::Id, which>>(sessions).of(threads);

    // Each on a cache line of its own.
    struct alignas(64) Position {
        std::size_t next = 0;
    };

    std::vector<Position> positions(threads);
    std::atomic<std::size_t> found{0};
    for (auto _ : state) {
        state.SetIterationTime(drive(arena.context(), threads, threads, [&](std::size_t thread) {
            return request_all(
                arena.contestant(), requests.of(thread), positions[thread].next, found
            );
        }));
    }
    const auto asked =
        static_cast<std::size_t>(state.iterations()) * threads * requests_of_a_thread;
    if (!arena.is_full || found != asked) {
        state.SkipWithError("a session was not found");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(asked));
}

template <class Contestant>
void ask(const std::string& name)
{
    benchmark::
        RegisterBenchmark(("acquire_release/" + name + "/zipf").c_str(), acquire_release<Contestant, Sessions::zipf>)
            ->Apply(on_many_threads<1'000, 1'000'000>);
    benchmark::
        RegisterBenchmark(("acquire_release/" + name + "/distinct").c_str(), acquire_release<Contestant, Sessions::distinct>)
            ->Apply(on_many_threads<1'000, 1'000'000>);
}

[[maybe_unused]] const bool is_registered = [] {
    ask<Service<1>>("sojourn");
    ask<Service<16>>("sojourn_16_shards");
    ask<Direct<MutexLru>>("mutex_lru");
    ask<Direct<ShardedMutexLru>>("sharded_mutex_lru");
    ask<Direct<SharedMutexLru>>("shared_mutex_lru");
    ask<OnStrand<CoSpawnStrand>>("co_spawn_strand");
    ask<OnStrand<PostStrand>>("post_strand");
    return true;
}();

} // namespace
